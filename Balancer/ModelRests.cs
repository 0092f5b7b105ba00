using Aiproxy.Protocols.Model;

namespace Aiproxy.Balancer;

/// <summary>Models that one credential may not use for a while: providers keep quotas by model. Not thread-safe: lives under its owner's lock.</summary>
public sealed class ModelRests
{
    // More models at their limit at once than any account has; beyond it the soonest free gives way.
    private const int MostModels = 64;

    private readonly Dictionary<string, (Rest Time, ErrorKind Why)> rests = new(StringComparer.Ordinal);

    /// <summary>When a request may go; in the past where the model does not rest.</summary>
    public DateTimeOffset NextTry(string model) => rests.TryGetValue(model, out var entry) ? entry.Time.NextTry : default;

    /// <summary>What began the rest of a model that rests.</summary>
    public ErrorKind Why(string model) => rests.GetValueOrDefault(model).Why;

    /// <summary>Of several times the latest holds.</summary>
    public void Begin(string model, DateTimeOffset until, DateTimeOffset now, ErrorKind why)
    {
        foreach (string over in rests.Where(entry => !entry.Value.Time.IsOn(now)).Select(static entry => entry.Key).ToList()) rests.Remove(over);
        Rest rest = rests.GetValueOrDefault(model).Time;
        if (rest.IsOn(now) && until <= rest.Until) return;
        if (rests.Count >= MostModels && !rests.ContainsKey(model)) rests.Remove(rests.MinBy(static entry => entry.Value.Time.Until).Key);
        rest.Begin(until, now);
        rests[model] = (rest, why);
    }

    /// <summary>A request goes in spite of a long rest: the next one an hour later.</summary>
    public void Tried(string model, DateTimeOffset now)
    {
        if (!rests.TryGetValue(model, out var entry) || !entry.Time.IsOn(now)) return;
        entry.Time.Tried(now);
        rests[model] = entry;
    }

    public void End(string model) => rests.Remove(model);

    public void Clear() => rests.Clear();
}
