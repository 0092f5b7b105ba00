namespace Aiproxy.Upstreams;

/// <summary>A body that a wire rule has to look at as a whole.</summary>
public static class WireBody
{
    /// <summary>The JSON text in one piece, without a byte order mark: readers of JSON take that for a fault.</summary>
    public static ReadOnlyMemory<byte> Whole(IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        ReadOnlyMemory<byte> whole = body.Count == 1 ? body[0] : Joined(body);
        return whole.Span.StartsWith("\uFEFF"u8) ? whole["\uFEFF"u8.Length..] : whole;
    }

    private static byte[] Joined(IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        byte[] joined = new byte[body.Sum(static segment => segment.Length)];
        int at = 0;
        foreach (ReadOnlyMemory<byte> segment in body)
        {
            segment.CopyTo(joined.AsMemory(at));
            at += segment.Length;
        }
        return joined;
    }
}
