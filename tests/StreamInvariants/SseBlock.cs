using System.Text;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>One block of an emitted stream: a comment that stands alone, or an event. Written against text and lines, so that it shares nothing with the code under test.</summary>
public sealed record SseBlock(string Where, string? Event, string? Data, string? DataLine)
{
    public bool IsComment => Data is null;

    /// <summary>The blocks of a stream that must end with a blank line.</summary>
    public static List<SseBlock> ReadAll(ReadOnlySpan<byte> sse)
    {
        List<SseBlock> blocks = Read(sse, out string rest);
        if (rest.Length > 0) throw Node.Broken("end of the stream", $"the last event has no blank line: {rest}");
        return blocks;
    }

    /// <param name="rest">What stands behind the last blank line, or is no event but a bare object at the end.</param>
    public static List<SseBlock> Read(ReadOnlySpan<byte> sse, out string rest)
    {
        string text = Decode(sse).Replace("\r\n", "\n").Replace('\r', '\n');
        int last = text.TrimEnd('\n').LastIndexOf("\n\n", StringComparison.Ordinal);
        int lastBlock = last < 0 ? 0 : last + 2;
        bool whole = text.Length == 0 || (text.EndsWith("\n\n", StringComparison.Ordinal) && text[lastBlock] != '{');
        int border = whole ? text.Length : lastBlock;
        rest = text[border..];
        var blocks = new List<SseBlock>();
        foreach (string block in text[..border].Split("\n\n"))
        {
            string[] lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (lines.Length > 0) blocks.Add(One(lines, $"block {blocks.Count + 1}"));
        }
        return blocks;
    }

    private static SseBlock One(string[] lines, string where)
    {
        if (lines.All(line => line.StartsWith(':'))) return new SseBlock(where, null, null, null);
        if (lines.Any(line => line.StartsWith(':'))) throw Node.Broken(where, "a comment inside an event, not at an event border");

        string[] names = Values(lines, "event:"), data = Values(lines, "data:");
        if (names.Length > 1) throw Node.Broken(where, "more than one event line");
        if (data.Length != 1) throw Node.Broken(where, $"exactly one data line expected, got {data.Length}");
        string? unknown = lines.FirstOrDefault(line => !line.StartsWith("event:") && !line.StartsWith("data:") && !line.StartsWith("id:") && !line.StartsWith("retry:"));
        if (unknown is not null) throw Node.Broken(where, $"no field of an event: {unknown}");
        return new SseBlock(where, names.FirstOrDefault(), data[0], lines.First(line => line.StartsWith("data:")));
    }

    private static string[] Values(string[] lines, string field) =>
        [.. lines.Where(line => line.StartsWith(field, StringComparison.Ordinal)).Select(line => line.AsSpan(field.Length).StartsWith(" ") ? line[(field.Length + 1)..] : line[field.Length..])];

    private static string Decode(ReadOnlySpan<byte> sse)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(sse);
        }
        catch (DecoderFallbackException)
        {
            throw Node.Broken("stream", "no valid UTF-8");
        }
    }
}
