namespace Aiproxy.Protocols.Model;

/// <summary>A source that a piece of an answer's text rests on.</summary>
/// <param name="Protocol">Whose words <paramref name="Raw"/> is in.</param>
/// <param name="Raw">The source as that protocol told it: one JSON object, for answers in the same protocol.</param>
public sealed record Citation(string Protocol, ReadOnlyMemory<byte> Raw)
{
    /// <summary>Address of a page on the web; null: another kind of source, which no other protocol has words for.</summary>
    public string? Url { get; init; }

    public string? Title { get; init; }

    /// <summary>Where the piece begins, in characters (code points) from the beginning of its block; null: the whole block rests on the source.</summary>
    public long? Start { get; init; }

    /// <summary>The first character behind the piece; null as <see cref="Start"/> is.</summary>
    public long? End { get; init; }
}
