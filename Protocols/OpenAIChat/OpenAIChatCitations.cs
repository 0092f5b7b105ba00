using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Reads the sources of a Chat answer: their places count from the beginning of the whole content, which may be several blocks for the sink.</summary>
public sealed class OpenAIChatCitations(IResponseSink sink)
{
    private readonly List<(int Block, long Start)> _blocks = [];
    private readonly HashSet<(string, long?, long?)> _told = [];
    private readonly List<Citation> _waiting = [];
    private long _characters;

    /// <summary>Text of a block.</summary>
    public void Text(int block, ReadOnlySpan<byte> token)
    {
        if (_blocks.Count == 0 || _blocks[^1].Block != block) _blocks.Add((block, _characters));
        _characters += TextMeasure.Count(token);
    }

    /// <summary><c>annotations</c> of a delta or message. Some servers repeat those they told before.</summary>
    public void Read(ReadOnlySpan<byte> annotations)
    {
        var elements = JsonSlice.Elements(annotations);
        while (elements.Next())
        {
            if (OpenAIAnnotations.Read(elements.Value, "openai") is { Url: { } url } citation && _told.Add((url, citation.Start, citation.End))) _waiting.Add(citation);
        }
        // The text may come in a later chunk than its sources.
        _waiting.RemoveAll(citation => (citation.End ?? 0) <= _characters && Tell(citation));
    }

    /// <summary>The answer ended: what no text came for belongs to the last one.</summary>
    public void End() => _waiting.RemoveAll(Tell);

    private bool Tell(Citation citation)
    {
        if (_blocks.Count == 0) return false;
        int at = citation.Start is { } place ? _blocks.FindLastIndex(one => one.Start <= place) : _blocks.Count - 1;
        (int block, long first) = _blocks[at];
        bool isInside = citation.Start < _characters;
        sink.BlockCite(block, isInside ? citation with { Start = citation.Start - first, End = citation.End - first } : citation with { Start = null, End = null });
        return true;
    }
}
