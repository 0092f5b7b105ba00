using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Collects what an answer tells of its sources, and tells it on at the end: servers repeat and complete it from chunk to chunk.</summary>
/// <remarks>"Segment indices count bytes of UTF-8": of one part where the answer came whole, of all the text where it was streamed.</remarks>
public sealed class GeminiGrounding(IResponseSink sink)
{
    private readonly TextMeasure _text = new();
    private readonly List<(int Block, long Byte, long Character)> _blocks = [];
    private readonly List<long> _parts = [];
    private byte[] _sources = [], _supports = [], _recited = [];
    private int _contents;

    private readonly record struct Source(string? Url, string? Title, byte[] Raw);

    /// <summary>The content of a chunk follows.</summary>
    public void BeginContent() => _contents++;

    /// <summary>A part of it follows, of whatever kind.</summary>
    public void BeginPart()
    {
        if (_contents == 1) _parts.Add(_text.Bytes);
    }

    /// <summary>Text of a block, a JSON string token.</summary>
    public void Text(int block, ReadOnlySpan<byte> token)
    {
        if (_blocks.Count == 0 || _blocks[^1].Block != block) _blocks.Add((block, _text.Bytes, _text.Characters));
        _text.Add(token);
    }

    /// <summary><c>groundingMetadata</c> or <c>citationMetadata</c>. What was told last counts.</summary>
    public void Read(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'{') return;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.Kind != JsonTokenType.StartArray || members.Value.Length <= 2) continue;
            if (members.Is("groundingChunks"u8)) _sources = members.Value.ToArray();
            else if (members.Is("groundingSupports"u8)) _supports = members.Value.ToArray();
            else if (members.Is("citationSources"u8) || members.Is("citations"u8)) _recited = members.Value.ToArray();
        }
    }

    /// <summary>Tells all sources. Before Finish.</summary>
    public void End()
    {
        if (_supports.Length > 0)
        {
            List<Source> sources = Sources();
            var supports = JsonScan.Inside(_supports);
            while (supports.Next())
            {
                if (supports.Kind == JsonTokenType.StartObject) Support(supports.Value, sources);
            }
        }
        if (_recited.Length == 0) return;
        var recited = JsonScan.Inside(_recited);
        while (recited.Next())
        {
            if (recited.Kind != JsonTokenType.StartObject) continue;
            (long part, long start, long end) = Segment(recited.Value);
            Tell(part, start, end, SourceOf(recited.Value, recited.Value));
        }
    }

    private List<Source> Sources()
    {
        var sources = new List<Source>();
        if (_sources.Length == 0) return sources;
        var elements = JsonScan.Inside(_sources);
        while (elements.Next())
        {
            // The one member says which kind of source it is: web, retrievedContext, maps.
            var source = new Source(null, null, elements.Value.ToArray());
            var members = JsonScan.Inside(elements.Kind == JsonTokenType.StartObject ? elements.Value : "{}"u8);
            while (members.Next())
            {
                if (members.Kind == JsonTokenType.StartObject) source = SourceOf(members.Value, elements.Value);
            }
            sources.Add(source);
        }
        return sources;
    }

    private static Source SourceOf(ReadOnlySpan<byte> json, ReadOnlySpan<byte> raw)
    {
        string? url = null, title = null;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.IsString && members.Is("uri"u8)) url = RawJson.Decode(members.Value);
            else if (members.IsString && members.Is("title"u8)) title = RawJson.Decode(members.Value);
        }
        return new Source(url, title, raw.ToArray());
    }

    private void Support(ReadOnlySpan<byte> json, List<Source> sources)
    {
        ReadOnlySpan<byte> segment = default, indices = default;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.Is("segment"u8) && members.Kind == JsonTokenType.StartObject) segment = members.Value;
            else if (members.Is("groundingChunkIndices"u8) && members.Kind == JsonTokenType.StartArray) indices = members.Value;
        }
        if (segment.IsEmpty || indices.IsEmpty) return;
        (long part, long start, long end) = Segment(segment);
        var numbers = JsonScan.Inside(indices);
        while (numbers.Next())
        {
            if (numbers.Long() is { } index && index >= 0 && index < sources.Count) Tell(part, start, end, sources[(int)index]);
        }
    }

    private static (long Part, long Start, long End) Segment(ReadOnlySpan<byte> json)
    {
        // Zeros are left out.
        long part = 0, start = 0, end = 0;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.Is("partIndex"u8)) part = members.Long() ?? 0;
            else if (members.Is("startIndex"u8)) start = members.Long() ?? 0;
            else if (members.Is("endIndex"u8)) end = members.Long() ?? 0;
        }
        return (part, start, end);
    }

    private void Tell(long part, long start, long end, Source source)
    {
        long first = _contents == 1 && part >= 0 && part < _parts.Count ? _parts[(int)part] : 0;
        (start, end) = (first + start, Math.Min(first + end, _text.Bytes));
        if (source.Url is not { Length: > 0 } || start < first || end <= start) return;
        int at = _blocks.FindLastIndex(block => block.Byte <= start);
        if (at < 0) return;
        (int block, _, long before) = _blocks[at];
        if (at + 1 < _blocks.Count) end = Math.Min(end, _blocks[at + 1].Byte);
        sink.BlockCite(block, new Citation(GeminiNames.Protocol, source.Raw)
        {
            Url = source.Url,
            Title = source.Title,
            Start = _text.CharacterAt(start) - before,
            End = _text.CharacterAt(end) - before,
        });
    }
}
