using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Aiproxy.Balancer;

/// <summary>Values under exact names and under <c>prefix*</c>: the exact name wins, then the longest prefix. Case matters.</summary>
public sealed class NamePatterns<TValue>
{
    private readonly FrozenDictionary<string, TValue> exact;
    private readonly KeyValuePair<string, TValue>[] prefixes;

    /// <param name="patterns">Of equal names the last one counts. <c>*</c> means something in the last position only.</param>
    public NamePatterns(IEnumerable<KeyValuePair<string, TValue>> patterns)
    {
        var names = new Dictionary<string, TValue>(StringComparer.Ordinal);
        var starts = new Dictionary<string, TValue>(StringComparer.Ordinal);
        foreach ((string pattern, TValue value) in patterns)
        {
            if (pattern.EndsWith('*')) starts[pattern[..^1]] = value;
            else names[pattern] = value;
        }

        exact = names.ToFrozenDictionary(StringComparer.Ordinal);
        prefixes = [.. starts.OrderByDescending(start => start.Key.Length)];
    }

    public bool IsEmpty => exact.Count == 0 && prefixes.Length == 0;

    public bool HoldsExactly(string name) => exact.ContainsKey(name);

    public bool TryFind(string name, [MaybeNullWhen(false)] out TValue value)
    {
        if (exact.TryGetValue(name, out value)) return true;
        foreach (KeyValuePair<string, TValue> prefix in prefixes)
        {
            if (!name.StartsWith(prefix.Key, StringComparison.Ordinal)) continue;
            value = prefix.Value;
            return true;
        }

        value = default;
        return false;
    }
}
