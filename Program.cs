using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Server;
using Aiproxy.Server.Commands;
using Aiproxy.Upstreams;

namespace Aiproxy;

/// <summary>Which command; builds everything by hand; runs.</summary>
public static class Program
{
    public static Task<int> Main(string[] args)
    {
        // Before any socket exists.
        ProcessLimits.UseInlineCompletions();

        TimeProvider clock = TimeProvider.System;
        var protocols = new ProtocolTable([new AnthropicProtocol(), new OpenAIChatProtocol(), new OpenAIResponsesProtocol(), new GeminiProtocol()]);
        UpstreamTable types = UpstreamTable.Create(clock);
        var reader = new ConfigReader(types.Facts, Environment.GetEnvironmentVariable);
        var server = new ProxyServer(protocols, types, reader, clock);
        var commands = new CommandLine(
            run: (path, cancellationToken) => RunAsync(server, reader, path, cancellationToken),
            check: path => CheckCommand.Run(reader, path, Console.Out),
            demo: (address, cancellationToken) => DemoAsync(server, reader, address ?? DemoCommand.DefaultAddress, cancellationToken),
            login: (options, cancellationToken) =>
                new LoginCommand(reader, types, Environment.GetEnvironmentVariable, clock, Console.In, Console.Out, Console.Error).RunAsync(options, cancellationToken),
            version: () =>
            {
                Console.WriteLine(BuildInfo.Describe());
                return ExitCode.Fine;
            });
        return commands.InvokeAsync(args);
    }

    private static async Task<int> RunAsync(ProxyServer server, ConfigReader reader, string path, CancellationToken cancellationToken)
    {
        ConfigResult result = reader.Read(path);
        if (result.Config is not null) return await server.RunAsync(result, path, null, cancellationToken).ConfigureAwait(false);
        foreach (ConfigProblem problem in result.Errors) await Console.Error.WriteLineAsync(problem.ToString()).ConfigureAwait(false);
        return ExitCode.BadConfig;
    }

    private static async Task<int> DemoAsync(ProxyServer server, ConfigReader reader, string address, CancellationToken cancellationToken)
    {
        ConfigResult result = reader.ReadText(DemoCommand.Config(address), "demo");
        if (result.Config is null)
        {
            foreach (ConfigProblem problem in result.Errors) await Console.Error.WriteLineAsync(problem.Message).ConfigureAwait(false);
            return ExitCode.WrongUsage;
        }
        return await server.RunAsync(result, null, runtime =>
        {
            Console.WriteLine("Answers with what you say (upstream: echo). Try:");
            foreach (string line in DemoCommand.CurlLines(runtime.Addresses().Split(',')[0])) Console.WriteLine(line);
        }, cancellationToken).ConfigureAwait(false);
    }
}
