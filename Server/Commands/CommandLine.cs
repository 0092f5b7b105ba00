using System.CommandLine;
using System.CommandLine.Parsing;

namespace Aiproxy.Server.Commands;

/// <summary>The commands and their options. The option is spelt as users of other proxies write it: <c>-config</c>.</summary>
public sealed class CommandLine
{
    private readonly RootCommand _root;

    public CommandLine(
        Func<string, CancellationToken, Task<int>> run, Func<string, int> check, Func<string?, CancellationToken, Task<int>> demo,
        Func<LoginOptions, CancellationToken, Task<int>> login, Func<int> version)
    {
        Option<string> config = Config();
        _root = new RootCommand("An LLM reverse proxy: Anthropic Messages, OpenAI Chat, OpenAI Responses and Gemini in, API keys and sign-ins out.") { config };
        for (int i = _root.Options.Count - 1; i >= 0; i--)
            if (_root.Options[i] is VersionOption) _root.Options.RemoveAt(i);

        Option<string> runConfig = Config();
        var runCommand = new Command("run", "Run the proxy (the default).") { runConfig };
        runCommand.SetAction((result, cancellationToken) => run(result.GetValue(runConfig)!, cancellationToken));
        Option<string> checkConfig = Config();
        var checkCommand = new Command("check", "Read and validate a configuration, print every problem and what would be served.") { checkConfig };
        checkCommand.SetAction(result => check(result.GetValue(checkConfig)!));
        var listen = new Option<string?>("--listen", "-listen") { Description = "host:port to listen on; default 127.0.0.1:8080", HelpName = "ADDRESS" };
        var demoCommand = new Command("demo", "Run without any file or key, with the embedded echo upstream; prints curl lines to try.") { listen };
        demoCommand.SetAction((result, cancellationToken) => demo(result.GetValue(listen), cancellationToken));
        Command loginCommand = new LoginArguments(login).Command;
        var versionCommand = new Command("version", "Print version, commit and runtime.");
        versionCommand.SetAction(_ => version());
        var versionOption = new Option<bool>("--version") { Description = "The same as the command version." };
        _root.Add(versionOption);
        foreach (Command command in (Command[])[runCommand, checkCommand, demoCommand, loginCommand, versionCommand]) _root.Add(command);
        _root.SetAction((result, cancellationToken) =>
            result.GetValue(versionOption) ? Task.FromResult(version()) : run(result.GetValue(config)!, cancellationToken));
    }

    /// <summary>Runs what the arguments ask for; wrong usage is told on standard error.</summary>
    public async Task<int> InvokeAsync(string[] arguments)
    {
        ParseResult result = _root.Parse(arguments);
        if (result.Errors.Count > 0)
        {
            foreach (ParseError error in result.Errors) await Console.Error.WriteLineAsync("aiproxy: " + error.Message).ConfigureAwait(false);
            await Console.Error.WriteLineAsync("Try 'aiproxy --help'.").ConfigureAwait(false);
            return ExitCode.WrongUsage;
        }
        // Signals are the server's own: a first one drains, a second one ends.
        return await result.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
    }

    private static Option<string> Config() => new("--config", "-config", "-c")
    {
        Description = "The configuration file",
        HelpName = "FILE",
        DefaultValueFactory = _ => "config.yaml",
    };
}
