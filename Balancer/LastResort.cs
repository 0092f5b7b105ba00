namespace Aiproxy.Balancer;

/// <summary>When every circuit of a model is open, lets one request a second probe the least bad upstream, one at a time. Thread-safe.</summary>
public sealed class LastResort(TimeProvider clock)
{
    private const int RememberedModels = 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly LruTable<string, Turn> turns = new(RememberedModels);

    /// <summary>Takes a probe of the circuit that would be due first; of equals the first. false: none is free, or the last probe was less than a second ago.</summary>
    /// <param name="model">The client's model name.</param>
    /// <param name="circuits">The circuits of all candidates; those that rest by their provider's word are passed over.</param>
    public bool TryProbe(string model, IReadOnlyList<CircuitBreaker> circuits, out int index, out CircuitPass pass)
    {
        index = -1;
        pass = default;
        Turn turn = turns.GetOrAdd(ModelKey.Of(model), static _ => new Turn());
        lock (turn)
        {
            DateTimeOffset now = clock.GetUtcNow();
            if (now < turn.Next) return false;
            DateTimeOffset soonest = DateTimeOffset.MaxValue;
            for (int i = 0; i < circuits.Count; i++)
            {
                if (circuits[i].IsProbeOut) return false;
                if (circuits[i].RestsUntil is not null) continue;
                DateTimeOffset due = circuits[i].BlockedUntil ?? now;
                if (due >= soonest) continue;
                soonest = due;
                index = i;
            }

            if (index < 0 || !circuits[index].TryForce(out pass)) return false;
            turn.Next = now + Interval;
            return true;
        }
    }

    private sealed class Turn
    {
        public DateTimeOffset Next { get; set; }
    }
}
