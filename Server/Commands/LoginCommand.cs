using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Upstreams;

namespace Aiproxy.Server.Commands;

/// <summary><c>login</c>: signs in, writes the auth file, says what to do with it.</summary>
/// <param name="environment">Value of an environment variable; null: not set.</param>
public sealed class LoginCommand(
    ConfigReader reader, UpstreamTable types, Func<string, string?> environment, TimeProvider clock, TextReader input, TextWriter output, TextWriter error)
{
    public async Task<int> RunAsync(LoginOptions options, CancellationToken cancellationToken)
    {
        UpstreamConfig? upstream = null;
        if (options.Config is { } path)
        {
            ConfigResult result = reader.Read(path);
            foreach (ConfigProblem problem in result.Errors) await error.WriteLineAsync(problem.ToString()).ConfigureAwait(false);
            if (result.Config is not { } config) return ExitCode.BadConfig;
            LoginStep<UpstreamConfig> found = Find(config, options);
            if (found.Value is null) return await FailAsync(found.Problem!, ExitCode.WrongUsage).ConfigureAwait(false);
            upstream = found.Value;
        }

        // Before anything is asked or opened.
        LoginFacts facts = LoginFacts.Of(options.Type)!;
        await output.WriteLineAsync(facts.Terms).ConfigureAwait(false);
        await output.WriteLineAsync().ConfigureAwait(false);

        LoginStep<LoginRequest> prepared = new LoginSetup(environment, types.Facts).Prepare(options, upstream);
        if (prepared.Value is not { } request) return await FailAsync(prepared.Problem!).ConfigureAwait(false);
        var file = new LoginFile(options.Output, LoginFile.StoreOf(environment));
        if (file.Prepare(facts) is { } refused) return await FailAsync(refused).ConfigureAwait(false);

        HttpMessageInvoker invoker = new UpstreamClients().For(upstream ?? Plain(options.Type), types.Find(options.Type) ?? types.Find("anthropic")!);
        var http = new LoginHttp(invoker, clock, upstream?.UserAgent ?? BuildInfo.UserAgent);
        var console = new LoginConsole(output, input, opens: !options.HasNoBrowser);
        LoginStep<LoginGrant> signedIn = await new LoginFlow(http, console.Screen, options.Limit).SignInAsync(request, cancellationToken).ConfigureAwait(false);
        if (signedIn.Value is not { } grant) return await FailAsync(signedIn.Problem!).ConfigureAwait(false);
        LoginStep<LoginWritten> saved = await file.WriteAsync(grant, clock).ConfigureAwait(false);
        if (saved.Value is not { } written) return await FailAsync(saved.Problem!).ConfigureAwait(false);
        LoginReport.Write(output, grant, written);
        return ExitCode.Fine;
    }

    private static LoginStep<UpstreamConfig> Find(ProxyConfig config, LoginOptions options)
    {
        if (options.Upstream is { } name)
        {
            if (config.Upstreams.FirstOrDefault(one => one.Name == name) is not { } named) return new LoginProblem($"{options.Config} has no upstream {Shown.Model(name)}");
            return named.ApiType == options.Type ? named : new LoginProblem($"upstream {named.Name} has api_type {named.ApiType}, not {options.Type}");
        }
        UpstreamConfig[] fitting = [.. config.Upstreams.Where(one => one.ApiType == options.Type)];
        return fitting.Length switch
        {
            1 => fitting[0],
            0 => new LoginProblem($"{options.Config} has no upstream of api_type {options.Type}"),
            _ => new LoginProblem($"{options.Config} has several upstreams of api_type {options.Type}: say which with --upstream {Words.Or([.. fitting.Select(one => one.Name)])}"),
        };
    }

    /// <summary>How calls go out where no configuration says it: the environment's proxy, 10 s to connect.</summary>
    private static UpstreamConfig Plain(string type) => new()
    {
        Name = type,
        ApiType = type,
        BaseUrls = [],
        ConnectTimeout = TimeSpan.FromSeconds(10),
        Timeout = TimeSpan.FromSeconds(60),
        StreamIdleTimeout = TimeSpan.FromSeconds(60),
    };

    private async Task<int> FailAsync(LoginProblem problem, int code = ExitCode.Failed)
    {
        await error.WriteLineAsync("aiproxy: login: " + problem.Line).ConfigureAwait(false);
        return code;
    }
}
