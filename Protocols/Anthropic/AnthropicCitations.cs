using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Sources as this protocol tells them: a list on a text block, which rests on them as a whole.</summary>
/// <remarks>Only its own can be told in it: their kinds name places in the request's documents, or carry tokens of the provider's.</remarks>
public static class AnthropicCitations
{
    /// <summary>One entry of <c>citations</c>, or of a <c>citations_delta</c>; null: no object.</summary>
    public static Citation? Read(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'{') return null;
        string? url = null, source = null, title = null;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (!members.IsString) continue;
            if (members.Is("url"u8)) url = RawJson.Decode(members.Value);
            else if (members.Is("source"u8)) source = RawJson.Decode(members.Value);
            else if (members.Is("title"u8)) title = RawJson.Decode(members.Value);
        }
        // A search result of the client's own names its source as it likes.
        bool isPage = source is not null && (source.StartsWith("https://", StringComparison.Ordinal) || source.StartsWith("http://", StringComparison.Ordinal));
        return new Citation(AnthropicNames.Protocol, json.ToArray()) { Url = url ?? (isPage ? source : null), Title = title };
    }

    /// <summary>The entries of a <c>citations</c> member; none for anything but an array.</summary>
    public static List<Citation> ReadAll(ReadOnlySpan<byte> json)
    {
        var citations = new List<Citation>();
        if (json.IsEmpty || json[0] != (byte)'[') return citations;
        var elements = JsonScan.Inside(json);
        while (elements.Next())
        {
            if (elements.Kind == JsonTokenType.StartObject && Read(elements.Value) is { } citation) citations.Add(citation);
        }
        return citations;
    }

    public static bool CanTell(Citation citation) => citation.Protocol == AnthropicNames.Protocol;

    /// <summary>The value of <c>citations</c>.</summary>
    public static void Write(IBufferWriter<byte> output, IReadOnlyList<Citation> citations)
    {
        bool isSecond = false;
        foreach (Citation citation in citations)
        {
            if (!CanTell(citation)) continue;
            output.Write(isSecond ? ","u8 : "["u8);
            output.WriteOneLine(citation.Raw.Span);
            isSecond = true;
        }
        output.Write(isSecond ? "]"u8 : "null"u8);
    }
}
