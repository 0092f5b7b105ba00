namespace Aiproxy.Tests.EndToEnd;

/// <summary>One block of an event stream as a client library would see it. <paramref name="Data"/> is null for a block without data lines.</summary>
public sealed record SseBlock(string Event, string? Data, string Raw)
{
    public bool IsComment => Data is null && Raw.TrimStart('\r', '\n').StartsWith(':');
}

public static class SseText
{
    /// <summary>Only blocks that their blank line closed, as browsers and SDKs do.</summary>
    public static IReadOnlyList<SseBlock> Parse(string body)
    {
        var blocks = new List<SseBlock>();
        var text = body.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        for (var at = 0; text.IndexOf("\n\n", at, StringComparison.Ordinal) is var end and >= 0; at = end + 2)
        {
            var raw = text[at..end];
            var name = "";
            var data = new List<string>();
            foreach (var line in raw.Split('\n'))
            {
                if (Value(line, "event") is { } eventName) name = eventName;
                if (Value(line, "data") is { } value) data.Add(value);
            }
            if (raw.Trim('\n').Length > 0) blocks.Add(new SseBlock(name, data.Count == 0 ? null : string.Join('\n', data), raw));
        }
        return blocks;
    }

    private static string? Value(string line, string field)
    {
        if (!line.StartsWith(field + ":", StringComparison.Ordinal)) return null;
        var value = line[(field.Length + 1)..];
        return value.StartsWith(' ') ? value[1..] : value;
    }
}
