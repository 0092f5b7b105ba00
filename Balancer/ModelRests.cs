namespace Aiproxy.Balancer;

/// <summary>Models that one credential may not use for a while: providers keep quotas by model. Not thread-safe: lives under its owner's lock.</summary>
public sealed class ModelRests
{
    // More models at their limit at once than any account has; beyond it the soonest free gives way.
    private const int MostModels = 64;

    private readonly Dictionary<string, Rest> rests = new(StringComparer.Ordinal);

    /// <summary>When a request may go; in the past where the model does not rest.</summary>
    public DateTimeOffset NextTry(string model) => rests.TryGetValue(model, out Rest rest) ? rest.NextTry : default;

    /// <summary>Of several times the latest holds.</summary>
    public void Begin(string model, DateTimeOffset until, DateTimeOffset now)
    {
        foreach (string over in rests.Where(entry => !entry.Value.IsOn(now)).Select(static entry => entry.Key).ToList()) rests.Remove(over);
        rests.TryGetValue(model, out Rest rest);
        if (rest.IsOn(now) && until <= rest.Until) return;
        if (rests.Count >= MostModels && !rests.ContainsKey(model)) rests.Remove(rests.MinBy(static entry => entry.Value.Until).Key);
        rest.Begin(until, now);
        rests[model] = rest;
    }

    /// <summary>A request goes in spite of a long rest: the next one an hour later.</summary>
    public void Tried(string model, DateTimeOffset now)
    {
        if (!rests.TryGetValue(model, out Rest rest) || !rest.IsOn(now)) return;
        rest.Tried(now);
        rests[model] = rest;
    }

    public void End(string model) => rests.Remove(model);
}
