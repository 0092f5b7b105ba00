namespace Aiproxy.Balancer;

/// <summary>Smooth weighted round-robin: 5:1:1 gives a a b a c a a, never five in a row. Thread-safe.</summary>
/// <remarks>At each pick every candidate gains its weight, the one that stands highest is taken and loses the sum of all weights.
/// Each set of candidates of a model has its own standings, so the shares are exact over any full cycle of a set even where sets alternate,
/// as they do when a circuit opens and closes. Second picks of a request have standings apart: however often a candidate fails,
/// the first picks keep their shares, and what it lets fall is dealt to the others by their weights.
/// Source: the smooth weighted balancing of nginx, which picks in this order.</remarks>
public sealed class WeightedRoundRobin
{
    private const int RememberedSets = 1024;

    // Names that reloads took away would stay in the standings of second picks.
    private const int RememberedNames = 1024;
    private const long SecondPicks = -1;

    private readonly LruTable<Key, Standings> sets = new(RememberedSets);

    /// <summary>A request's first upstream, among those of the lowest priority number present.</summary>
    /// <param name="model">The client's model name.</param>
    /// <param name="candidates">At least one; in the order that decides between equals.</param>
    public Route Pick(string model, IReadOnlyList<Route> candidates)
    {
        int priority = LowestPriority(candidates);
        return Take(new Key(ModelKey.Of(model), SetOf(candidates, priority)), candidates, priority);
    }

    /// <summary>A request's next upstream; <paramref name="candidates"/> are those that it has not visited, at least one.</summary>
    public Route PickAgain(string model, IReadOnlyList<Route> candidates) =>
        Take(new Key(ModelKey.Of(model), SecondPicks), candidates, LowestPriority(candidates));

    private Route Take(Key key, IReadOnlyList<Route> candidates, int priority)
    {
        Standings standings = sets.GetOrAdd(key, static _ => new Standings());
        lock (standings)
        {
            Dictionary<string, long> byName = standings.ByName;
            if (byName.Count > RememberedNames) byName.Clear();
            Route? best = null;
            long highest = 0;
            long sum = 0;
            foreach (Route candidate in candidates)
            {
                if (candidate.Upstream.Priority != priority) continue;
                int weight = Weight(candidate);
                long standing = byName.GetValueOrDefault(candidate.Upstream.Name) + weight;
                byName[candidate.Upstream.Name] = standing;
                sum += weight;
                if (best is not null && standing <= highest) continue;
                best = candidate;
                highest = standing;
            }

            byName[best!.Upstream.Name] = highest - sum;
            return best;
        }
    }

    private static int LowestPriority(IReadOnlyList<Route> candidates)
    {
        ArgumentOutOfRangeException.ThrowIfZero(candidates.Count, nameof(candidates));
        int lowest = int.MaxValue;
        foreach (Route candidate in candidates) lowest = Math.Min(lowest, candidate.Upstream.Priority);
        return lowest;
    }

    /// <summary>Two sets that hash alike share their standings, which go by name: less exact, never wrong.</summary>
    private static long SetOf(IReadOnlyList<Route> candidates, int priority)
    {
        var hash = new HashCode();
        foreach (Route candidate in candidates)
        {
            if (candidate.Upstream.Priority != priority) continue;
            hash.Add(candidate.Upstream.Name, StringComparer.Ordinal);
            hash.Add(Weight(candidate));
        }

        return (uint)hash.ToHashCode();
    }

    private static int Weight(Route candidate) => Math.Max(1, candidate.Upstream.Weight);

    private readonly record struct Key(string Model, long Set);

    private sealed class Standings
    {
        public Dictionary<string, long> ByName { get; } = new(StringComparer.Ordinal);
    }
}
