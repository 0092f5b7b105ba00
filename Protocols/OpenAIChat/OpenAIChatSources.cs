using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The sources of one answer on their way to a Chat client, whose places count from the beginning of the whole content.</summary>
public sealed class OpenAIChatSources
{
    private readonly Dictionary<int, (long Start, long End)> _places = [];
    private readonly List<(int Block, Citation Citation)> _told = [];
    private long _characters;

    /// <summary>Text that went into the content.</summary>
    public void Text(int block, ReadOnlySpan<byte> token)
    {
        long start = _places.TryGetValue(block, out (long Start, long End) place) ? place.Start : _characters;
        _characters += TextMeasure.Count(token);
        _places[block] = (start, _characters);
    }

    public void Cite(int block, Citation citation)
    {
        if (citation.Url is not null) _told.Add((block, citation));
    }

    /// <summary>There is something to write: a source of a block that said something.</summary>
    public bool HasAny => _told.Exists(one => _places.ContainsKey(one.Block));

    /// <summary>The value of <c>annotations</c>.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        bool isSecond = false;
        output.Write("["u8);
        foreach ((int block, Citation citation) in _told)
        {
            if (!_places.TryGetValue(block, out (long Start, long End) place)) continue;
            if (isSecond) output.Write(","u8);
            isSecond = true;
            long start = Math.Min(place.Start + (citation.Start ?? 0), place.End), end = citation.End is { } told ? Math.Min(place.Start + told, place.End) : place.End;
            OpenAIAnnotations.Write(output, citation, start, end, isNested: true);
        }
        output.Write("]"u8);
    }
}
