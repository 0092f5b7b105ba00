using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Balancer;

/// <summary>What is known of an upstream while it runs: requests in flight, circuits, credentials, counters. Outlives reloads that leave it alone. Thread-safe.</summary>
public sealed class UpstreamState(IReadOnlyList<string> credentials, CircuitConfig circuit, TimeProvider clock)
{
    // Clients choose model names freely where every model is served.
    private const int RememberedCircuits = 1024;

    private readonly LruTable<string, CircuitBreaker> circuits = new(RememberedCircuits);
    private CircuitConfig limits = circuit;
    private int inFlight;
    private long attempts;
    private long failures;
    private Failure? lastFailure;

    public CredentialRing Credentials { get; } = new(credentials, clock);

    public int InFlight => Volatile.Read(ref inFlight);

    public long Attempts => Interlocked.Read(ref attempts);

    /// <summary>Attempts that were the upstream's fault, limits included.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <summary>null: none yet.</summary>
    public Failure? LastFailure => Volatile.Read(ref lastFailure);

    /// <summary>Takes a place; false: <paramref name="limit"/> are taken. null: no limit. Given back by <see cref="Leave"/>.</summary>
    public bool TryEnter(int? limit)
    {
        // Not "count, look, uncount": a caller on its way out again would make another see a full house that is none.
        int taken = Volatile.Read(ref inFlight);
        while (limit is null || taken < limit)
        {
            int seen = Interlocked.CompareExchange(ref inFlight, taken + 1, taken);
            if (seen == taken) return true;
            taken = seen;
        }

        return false;
    }

    public void Leave() => Interlocked.Decrement(ref inFlight);

    /// <summary>The circuit of a model, made when first asked for. <paramref name="model"/>: the upstream's name for it.</summary>
    public CircuitBreaker Circuit(string model) => circuits.GetOrAdd(ModelKey.Of(model), _ => new CircuitBreaker(Volatile.Read(ref limits), clock));

    /// <summary>The circuits that do not let everybody in, with the time of the next probe, try or end of rest.</summary>
    public IReadOnlyList<BlockedModel> BlockedModels()
    {
        var blocked = new List<BlockedModel>();
        foreach ((string model, CircuitBreaker breaker) in circuits.Entries())
        {
            CircuitState state = breaker.State;
            DateTimeOffset? until = breaker.BlockedUntil;
            if (state != CircuitState.Closed || until is not null) blocked.Add(new BlockedModel(model, state, until ?? clock.GetUtcNow()));
        }

        return blocked;
    }

    /// <summary>Makes a model's circuit as new. false: it was not blocked.</summary>
    public bool Reset(string model) => circuits.Find(ModelKey.Of(model)) is { } breaker && breaker.Reset();

    /// <summary>Limits of the configuration that runs from now on.</summary>
    public void Configure(CircuitConfig circuit)
    {
        Volatile.Write(ref limits, circuit);
        foreach ((_, CircuitBreaker breaker) in circuits.Entries()) breaker.Configure(circuit);
    }

    /// <summary>Counts one attempt. Once each.</summary>
    public void Note(Outcome outcome)
    {
        Interlocked.Increment(ref attempts);
        if (outcome.Kind is not (OutcomeKind.Failed or OutcomeKind.Limited or OutcomeKind.CredentialRefused)) return;
        Interlocked.Increment(ref failures);
        Volatile.Write(ref lastFailure, new Failure(outcome.Error?.Kind ?? ErrorKind.BadGateway, clock.GetUtcNow()));
    }

    public sealed record Failure(ErrorKind Kind, DateTimeOffset At);
}

/// <summary>A model that an upstream does not serve at the moment.</summary>
/// <param name="Model">The upstream's name.</param>
/// <param name="Until">In the past: its next request is the probe.</param>
public sealed record BlockedModel(string Model, CircuitState State, DateTimeOffset Until);
