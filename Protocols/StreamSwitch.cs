namespace Aiproxy.Protocols;

/// <summary>Makes a request that asks for one answer ask for a stream; everything else in it stays as it is.</summary>
public static class StreamSwitch
{
    /// <summary>What to exchange in <paramref name="body"/>: tokens, or empty ranges where something is put in; ascending. Gemini says it in the path: nothing.</summary>
    /// <param name="body">Checked as JSON.</param>
    /// <param name="protocol">Of the body.</param>
    public static IReadOnlyList<(Range Token, ReadOnlyMemory<byte> Replacement)> Edits(ReadOnlySpan<byte> body, string protocol)
    {
        if (protocol == "gemini") return [];
        bool isChat = protocol == "openai";
        int skipped = body.StartsWith("\uFEFF"u8) ? 3 : 0;
        var edits = new List<(Range, ReadOnlyMemory<byte>)>();
        bool hasStream = false, hasOptions = false;
        var members = new JsonScan(body[skipped..]);
        while (members.Next())
        {
            int start = members.Start + skipped;
            if (members.Is("stream"u8))
            {
                edits.Add((start..(start + members.Value.Length), "true"u8.ToArray()));
                hasStream = true;
            }
            else if (isChat && members.Is("stream_options"u8))
            {
                edits.Add((start..(start + members.Value.Length), "{\"include_usage\":true}"u8.ToArray()));
                hasOptions = true;
            }
        }
        string missing = (hasStream ? "" : "\"stream\":true,") + (!isChat || hasOptions ? "" : "\"stream_options\":{\"include_usage\":true},");
        // The object is never empty: it names the model.
        int open = skipped + body[skipped..].IndexOf((byte)'{') + 1;
        if (missing.Length > 0) edits.Insert(0, (open..open, System.Text.Encoding.ASCII.GetBytes(missing)));
        return edits;
    }

    /// <summary>The query of a Gemini call that streams: events, whatever form the client asked for.</summary>
    /// <param name="query">With the question mark; or empty.</param>
    public static string Query(string query)
    {
        IEnumerable<string> kept = query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Where(static pair => !pair.StartsWith("alt=", StringComparison.OrdinalIgnoreCase) && !pair.StartsWith("$alt=", StringComparison.OrdinalIgnoreCase)
                && !pair.StartsWith("%24alt=", StringComparison.OrdinalIgnoreCase));
        return "?" + string.Join('&', kept.Append("alt=sse"));
    }
}
