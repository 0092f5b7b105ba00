using System.Net;
using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Upstreams;
using Serilog;

namespace Aiproxy.Server;

/// <summary>What lives as long as the process: the snapshot in use and the states that outlive it. Takes new configurations in.</summary>
public sealed class Runtime(
    UpstreamTable types, UpstreamStateTable states, CredentialSource credentials, KeyLimits limits, IReadOnlyList<ByteBudget> budgets, ListenerSet listeners, LogFile logFile, ModelLists models)
{
    private readonly IReadOnlyCollection<string> _types = [.. types.All.Select(type => type.Name)];
    private volatile Snapshot? _current;
    private int _inFlight;

    /// <summary>Step 2 of the walk. Not before the first <see cref="ApplyAsync"/>.</summary>
    public Snapshot Current => _current ?? throw new InvalidOperationException("no configuration yet");

    /// <summary>Set once, when the process stops: new requests on open connections are still served, health says no.</summary>
    public bool IsDraining { get; set; }

    public int InFlight => Volatile.Read(ref _inFlight);

    private ILogger Log => logFile.Logger;

    /// <summary>Puts a configuration into use in one step.</summary>
    /// <returns>null, or why the listener stays as it was. Everything else is in use either way.</returns>
    public async Task<string?> ApplyAsync(ProxyConfig config, CancellationToken cancellationToken)
    {
        ProxyConfig? before = _current?.Config;
        var keys = new ClientKeys(config.ClientKeys);
        states.Retain(config.Upstreams, config.Circuit);
        limits.Apply(keys);
        foreach (ByteBudget budget in budgets) budget.Limit = config.MaxBufferedBytes;
        if (before is null || before.Log != config.Log) logFile.Apply(config.Log);

        string? problem = before is not null && before.Listen == config.Listen && before.Tls == config.Tls
            ? null
            : await listeners.ApplyAsync(config.Listen, config.Tls, cancellationToken).ConfigureAwait(false);
        _current = new Snapshot(config, new Router(config, _types), keys, GuardOf(config));
        credentials.Retain(config.Upstreams);
        models.Prepare(config);
        return problem;
    }

    /// <summary>The callback of the watcher: takes a good result in, logs a bad one line by line.</summary>
    public async ValueTask OnChangeAsync(ConfigResult result)
    {
        foreach (ConfigProblem warning in result.Warnings) Log.Warning("configuration: {Problem:l}", warning.ToString());
        if (result.Config is not { } config)
        {
            foreach (ConfigProblem problem in result.Errors) Log.Error("configuration refused, the last good one stays: {Problem:l}", problem.ToString());
            return;
        }
        try
        {
            string? listener = await ApplyAsync(config, CancellationToken.None).ConfigureAwait(false);
            if (listener is not null) Log.Error("configuration: the listener stays as it was: {Reason:l}", listener);
            Log.Information("configuration reloaded: {Count} upstreams, listening on {Addresses:l}", config.Upstreams.Count(upstream => upstream.Enabled), Addresses());
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Log.Error("configuration refused, the last good one stays: {Reason:l}", fault.Message);
        }
    }

    /// <summary>What is listened on, for people.</summary>
    public string Addresses() => string.Join(", ", listeners.EndPoints.Select(point => point.ToString()));

    /// <summary>Takes a place among the requests in flight; false: all are taken. Given back by <see cref="Leave"/>.</summary>
    public bool TryEnter(int limit)
    {
        if (Interlocked.Increment(ref _inFlight) <= limit) return true;
        Interlocked.Decrement(ref _inFlight);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _inFlight);

    private OriginGuard GuardOf(ProxyConfig config)
    {
        bool loopback = config.Listen.Host == "localhost" || (IPAddress.TryParse(config.Listen.Host, out IPAddress? address) && IPAddress.IsLoopback(address));
        return new OriginGuard(config.AllowedOrigins, config.AllowedHosts, loopback && listeners.IsLoopbackOnly, config.ClientKeys.Count > 0);
    }
}
