namespace Aiproxy.Upstreams;

/// <summary>What one attempt came to, and what the upstream said to it.</summary>
/// <param name="Raw">The upstream's error answer, where it is in the client's own protocol and may be relayed as it is; null elsewhere.</param>
/// <param name="Headers">Of the upstream's answer, for quota headers; empty where none came.</param>
public sealed record Attempt(Outcome Outcome, RawAnswer? Raw = null, IReadOnlyList<KeyValuePair<string, string>>? Headers = null)
{
    /// <summary>What the provider's page says to try before this counts; null: nothing.</summary>
    public Mend? Mend { get; init; }
}
