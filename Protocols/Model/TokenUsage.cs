namespace Aiproxy.Protocols.Model;

/// <summary>Tokens of one answer; null: not told. A later report replaces the fields that it tells, it never adds.</summary>
public readonly record struct TokenUsage
{
    /// <summary>Prompt tokens that were neither read from nor written to a cache.</summary>
    public long? Input { get; init; }

    public long? CacheRead { get; init; }

    /// <summary>Written to a cache of five minutes (or of unknown life).</summary>
    public long? CacheWrite { get; init; }

    /// <summary>Written to a cache of one hour.</summary>
    public long? CacheWriteHour { get; init; }

    /// <summary>Answer tokens, reasoning included.</summary>
    public long? Output { get; init; }

    /// <summary>The part of <see cref="Output"/> that was reasoning.</summary>
    public long? Reasoning { get; init; }

    /// <summary>All prompt tokens, cached ones included.</summary>
    public long TotalInput => (Input ?? 0) + (CacheRead ?? 0) + (CacheWrite ?? 0) + (CacheWriteHour ?? 0);

    /// <summary>Two requests together.</summary>
    public TokenUsage Plus(in TokenUsage other) => new()
    {
        Input = Sum(Input, other.Input),
        CacheRead = Sum(CacheRead, other.CacheRead),
        CacheWrite = Sum(CacheWrite, other.CacheWrite),
        CacheWriteHour = Sum(CacheWriteHour, other.CacheWriteHour),
        Output = Sum(Output, other.Output),
        Reasoning = Sum(Reasoning, other.Reasoning),
    };

    private static long? Sum(long? one, long? other) => one is null && other is null ? null : (one ?? 0) + (other ?? 0);

    /// <summary>This report with what it does not tell taken from <paramref name="earlier"/>.</summary>
    public TokenUsage Over(in TokenUsage earlier) => new()
    {
        Input = Input ?? earlier.Input,
        CacheRead = CacheRead ?? earlier.CacheRead,
        CacheWrite = CacheWrite ?? earlier.CacheWrite,
        CacheWriteHour = CacheWriteHour ?? earlier.CacheWriteHour,
        Output = Output ?? earlier.Output,
        Reasoning = Reasoning ?? earlier.Reasoning,
    };
}
