using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The sources of one answer on their way to a Gemini client, as <c>groundingMetadata</c> of its last chunk.</summary>
/// <param name="isWhole">Places count in the bytes of one part; in a stream, which has no parts to name, in those of all the text.</param>
public sealed class GeminiSources(bool isWhole)
{
    private readonly Dictionary<int, Place> _places = [];
    private readonly List<(int Block, Citation Citation)> _told = [];
    private long _bytes;

    /// <summary>Where a text block stands.</summary>
    private sealed class Place(long first)
    {
        public readonly TextMeasure Text = new();

        public readonly long First = first;

        public int Part;
    }

    /// <summary>Text of a block, a JSON string token.</summary>
    public void Text(int block, ReadOnlySpan<byte> token)
    {
        if (!_places.TryGetValue(block, out Place? place)) _places[block] = place = new Place(isWhole ? 0 : _bytes);
        long before = place.Text.Bytes;
        place.Text.Add(token);
        _bytes += place.Text.Bytes - before;
    }

    /// <param name="part">Which part of the content the block is.</param>
    public void SetPart(int block, int part)
    {
        if (_places.TryGetValue(block, out Place? place)) place.Part = part;
    }

    public void Cite(int block, Citation citation)
    {
        if (citation.Url is not null) _told.Add((block, citation));
    }

    /// <summary>The value of <c>groundingMetadata</c>; empty: there are no sources.</summary>
    public byte[] Json()
    {
        var pages = new List<(string? Url, string? Title)>();
        ArrayBufferWriter<byte> chunks = new(), supports = new();
        foreach ((int block, Citation citation) in _told)
        {
            if (!_places.TryGetValue(block, out Place? place)) continue;
            int index = pages.IndexOf((citation.Url, citation.Title));
            if (index < 0)
            {
                index = pages.Count;
                pages.Add((citation.Url, citation.Title));
                WriteChunk(chunks, citation);
            }
            if (supports.WrittenCount > 0) supports.Write(","u8);
            supports.Write("{\"segment\":{"u8);
            if (place.Part > 0)
            {
                supports.Write("\"partIndex\":"u8);
                supports.WriteNumber(place.Part);
                supports.Write(","u8);
            }
            supports.Write("\"startIndex\":"u8);
            supports.WriteNumber(place.First + place.Text.ByteAt(citation.Start ?? 0));
            supports.Write(",\"endIndex\":"u8);
            supports.WriteNumber(place.First + place.Text.ByteAt(citation.End ?? place.Text.Characters));
            supports.Write("},\"groundingChunkIndices\":["u8);
            supports.WriteNumber(index);
            supports.Write("]}"u8);
        }
        return pages.Count == 0 ? [] : [.. "{\"groundingChunks\":["u8, .. chunks.WrittenSpan, .. "],\"groundingSupports\":["u8, .. supports.WrittenSpan, .. "]}"u8];
    }

    private static void WriteChunk(ArrayBufferWriter<byte> chunks, Citation citation)
    {
        if (chunks.WrittenCount > 0) chunks.Write(","u8);
        chunks.Write("{\"web\":{\"uri\":"u8);
        chunks.Write(RawJson.Encode(citation.Url!));
        if (citation.Title is { Length: > 0 } title)
        {
            chunks.Write(",\"title\":"u8);
            chunks.Write(RawJson.Encode(title));
        }
        chunks.Write("}}"u8);
    }
}
