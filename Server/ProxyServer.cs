using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols;
using Aiproxy.Server.Commands;
using Aiproxy.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;

namespace Aiproxy.Server;

/// <summary>The running proxy: composition, start, reload, stop. One a process.</summary>
public sealed class ProxyServer(ProtocolTable protocols, UpstreamTable types, ConfigReader reader, TimeProvider clock)
{
    // The host gives up earlier than we do otherwise; our own clock ends the stop.
    private static readonly TimeSpan HostPatience = TimeSpan.FromDays(1);

    /// <summary>Serves until a signal or <paramref name="cancellationToken"/> ends it.</summary>
    /// <param name="path">The file to watch; null: none (demo).</param>
    /// <param name="onReady">Called once when requests are taken.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(ConfigResult first, string? path, Action<Runtime>? onReady, CancellationToken cancellationToken)
    {
        ProxyConfig config = first.Config ?? throw new ArgumentException("a refused configuration", nameof(first));
        using var logFile = new LogFile(config.Log, clock, Console.Out, Console.Error);
        Serilog.ILogger log = logFile.Logger;
        long? files = ProcessLimits.RaiseOpenFiles();
        using var systemd = new Systemd(Environment.GetEnvironmentVariable, clock);
        await using var listeners = new ListenerSet(log, clock, inlineScheduling: true, Systemd.InheritedSockets(Environment.GetEnvironmentVariable));

        // Before the first request can be answered: who sees the proxy up may stop it in the same moment.
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ConfigWatcher? watched = null;
        using var signals = new Signals(() => stop.TrySetResult(), () => Reload(Volatile.Read(ref watched), log), Environment.Exit);
        signals.Register();

        // After the listeners have closed and the requests ended: what is being refreshed is written back.
        await using var tokens = new TokenCache(clock, told => SignInLog.Write(logFile.Logger, told));
        (Runtime runtime, Front front) = Compose(logFile, listeners, tokens);
        foreach (ConfigProblem warning in first.Warnings) log.Warning("configuration: {Problem:l}", warning.ToString());
        if (await runtime.ApplyAsync(config, cancellationToken).ConfigureAwait(false) is { } problem)
        {
            log.Error("cannot start: {Reason:l}", problem);
            return ExitCode.Failed;
        }

        await using WebApplication app = Host(listeners, front, log);
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        await using ConfigWatcher? watcher = path is null ? null : Watch(path, first, runtime, systemd);
        Volatile.Write(ref watched, watcher);
        await using CancellationTokenRegistration cancelled = cancellationToken.Register(() => stop.TrySetResult());

        log.Information("{Build:l} listens on {Addresses:l}; {Files} open files allowed", BuildInfo.Describe(), runtime.Addresses(), files);
        systemd.Ready("listening on " + runtime.Addresses());
        onReady?.Invoke(runtime);
        await stop.Task.ConfigureAwait(false);
        await StopAsync(app, runtime, systemd, log).ConfigureAwait(false);
        return ExitCode.Fine;
    }

    private (Runtime Runtime, Front Front) Compose(LogFile logFile, ListenerSet listeners, TokenCache tokens)
    {
        Serilog.ILogger log = logFile.Logger;
        var clients = new UpstreamClients();
        var states = new UpstreamStateTable(clock);
        var limits = new KeyLimits(clock);
        var memory = LargeMemory.OfProcess();
        var received = new ByteBudget(long.MaxValue, memory);
        var translated = new ByteBudget(long.MaxValue, memory);
        var bodies = new RequestBody(received, clock);
        var messages = new UpstreamMessage(BuildInfo.UserAgent);
        var calls = new ProviderCalls(clients, messages);
        var credentials = new CredentialSource(tokens, clients, types);
        var lists = new ModelLists(new ModelCatalog(calls, types, credentials, clock));
        var runtime = new Runtime(types, states, credentials, limits, [received, translated], listeners, logFile, lists);

        var forwarder = new Forwarder(clients, messages, new Translation(new ProofCache(clock), new DropLog(log)));
        var loop = new AttemptLoop(forwarder, types, credentials, states, log, clock);
        var conversations = new StoredConversations(new ResponseStore(clock));
        var endpoints = new Endpoints(
            runtime, protocols, new GenerateEndpoint(runtime, bodies, translated, limits, loop, conversations, protocols, clock),
            new ModelsEndpoint(lists, protocols, loop), new CircuitEndpoints(states, bodies, clock),
            new StatusEndpoint(runtime, states, credentials, new AccountQuotas(calls, types, credentials, clock), clock), conversations);
        return (runtime, new Front(runtime, endpoints, protocols, log, clock));
    }

    private static WebApplication Host(ListenerSet listeners, Front front, Serilog.ILogger log)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(new LogBridge(log));
        builder.Services.AddSingleton<IConnectionListenerFactory>(listeners);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = HostPatience);
        builder.WebHost.ConfigureKestrel(listeners.Configure);
        WebApplication app = builder.Build();
        app.Run(front.HandleAsync);
        return app;
    }

    private ConfigWatcher Watch(string path, ConfigResult first, Runtime runtime, Systemd systemd) => new(
        reader, path, first, async result =>
        {
            systemd.Reloading();
            await runtime.OnChangeAsync(result).ConfigureAwait(false);
            systemd.Ready("listening on " + runtime.Addresses());
        },
        clock, ConfigWatcher.UsualPollInterval, ConfigWatcher.UsualDebounce);

    private static void Reload(ConfigWatcher? watcher, Serilog.ILogger log)
    {
        if (watcher is null) return;
        log.Information("reload asked for by signal");
        _ = watcher.ReloadNow().AsTask();
    }

    private async Task StopAsync(WebApplication app, Runtime runtime, Systemd systemd, Serilog.ILogger log)
    {
        ProxyConfig config = runtime.Current.Config;
        runtime.IsDraining = true;
        systemd.Stopping();
        log.Information("stopping; {Count} requests in flight", runtime.InFlight);
        if (config.DrainDelay > TimeSpan.Zero) await Task.Delay(config.DrainDelay, clock).ConfigureAwait(false);
        using var patience = config.ShutdownTimeout > TimeSpan.Zero ? new CancellationTokenSource(config.ShutdownTimeout, clock) : new CancellationTokenSource();
        try
        {
            await app.StopAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Time is over; what still runs is cut.
        }
        log.Information("stopped{Left:l}", patience.IsCancellationRequested ? "; shutdown_timeout cut what still ran" : "");
    }
}
