using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Sources as both OpenAI protocols tell them: <c>url_citation</c>, whose members Chat nests one level deeper.</summary>
public static class OpenAIAnnotations
{
    /// <summary>One entry of <c>annotations</c>; null: no object.</summary>
    /// <param name="protocol">Whose answer it is.</param>
    public static Citation? Read(ReadOnlySpan<byte> json, string protocol)
    {
        if (!JsonSlice.IsObject(json)) return null;
        ReadOnlySpan<byte> nested = json;
        var members = JsonSlice.Members(json);
        while (members.Next())
        {
            if (members.Is("url_citation"u8) && JsonSlice.IsObject(members.Value)) nested = members.Value;
        }
        string? url = null, title = null;
        long? start = null, end = null;
        members = JsonSlice.Members(nested);
        while (members.Next())
        {
            if (members.Is("url"u8)) url = JsonSlice.Text(members.Value);
            else if (members.Is("title"u8)) title = JsonSlice.Text(members.Value);
            else if (members.Is("start_index"u8)) start = JsonSlice.Long(members.Value);
            else if (members.Is("end_index"u8)) end = JsonSlice.Long(members.Value);
        }
        // Servers that do not know the place say 0 to 0.
        bool isPlaced = start is >= 0 && end > start;
        return new Citation(protocol, json.ToArray()) { Url = url is { Length: > 0 } ? url : null, Title = title, Start = isPlaced ? start : null, End = isPlaced ? end : null };
    }

    /// <param name="start">In characters of the text that the wire has; so is <paramref name="end"/>.</param>
    /// <param name="isNested">Chat's form.</param>
    public static void Write(IBufferWriter<byte> output, Citation citation, long start, long end, bool isNested)
    {
        output.Write(isNested ? "{\"type\":\"url_citation\",\"url_citation\":{\"url\":"u8 : "{\"type\":\"url_citation\",\"url\":"u8);
        output.Write(RawJson.Encode(citation.Url ?? ""));
        output.Write(",\"title\":"u8);
        output.Write(RawJson.Encode(citation.Title ?? ""));
        output.Write(",\"start_index\":"u8);
        output.WriteNumber(start);
        output.Write(",\"end_index\":"u8);
        output.WriteNumber(end);
        output.Write(isNested ? "}}"u8 : "}"u8);
    }
}
