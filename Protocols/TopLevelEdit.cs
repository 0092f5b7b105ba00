namespace Aiproxy.Protocols;

/// <summary>A body with some of its tokens exchanged, as pieces of the original memory: nothing is copied. Lives as long as that memory.</summary>
public sealed class TopLevelEdit
{
    private TopLevelEdit(IReadOnlyList<ReadOnlyMemory<byte>> segments, long length)
    {
        Segments = segments;
        Length = length;
    }

    /// <summary>The edited body in order; none of them is empty.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Segments { get; }

    /// <summary>Bytes of all segments together.</summary>
    public long Length { get; }

    /// <summary>Puts <paramref name="replacement"/> in the place of each token.</summary>
    /// <param name="tokens">Ranges of <paramref name="body"/>, ascending, not overlapping; none: the body itself.</param>
    public static TopLevelEdit Replace(ReadOnlyMemory<byte> body, IReadOnlyList<Range> tokens, ReadOnlyMemory<byte> replacement) =>
        Replace(body, [.. tokens.Select(token => (token, replacement))]);

    /// <summary>Puts each replacement in the place of its token.</summary>
    /// <param name="edits">As above; an empty range puts something in.</param>
    public static TopLevelEdit Replace(ReadOnlyMemory<byte> body, IReadOnlyList<(Range Token, ReadOnlyMemory<byte> Replacement)> edits)
    {
        var segments = new List<ReadOnlyMemory<byte>>(2 * edits.Count + 1);
        long length = 0;
        int copied = 0;
        foreach ((Range token, ReadOnlyMemory<byte> replacement) in edits)
        {
            (int offset, int tokenLength) = token.GetOffsetAndLength(body.Length);
            if (offset < copied) throw new ArgumentException($"token at {offset} begins before {copied}, where the one in front of it ends", nameof(edits));
            Add(body[copied..offset]);
            Add(replacement);
            copied = offset + tokenLength;
        }
        Add(body[copied..]);
        return new TopLevelEdit(segments, length);

        void Add(ReadOnlyMemory<byte> segment)
        {
            if (segment.IsEmpty) return;
            segments.Add(segment);
            length += segment.Length;
        }
    }
}
