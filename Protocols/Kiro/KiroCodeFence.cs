using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Takes a Markdown code fence off an answer that must be JSON, and that the service has no switch for.</summary>
/// <remarks>Looks at the first text of the answer, and only where it begins with a fence: the fence's first line goes, and at the end its last. Text behind the
/// closing fence makes it no end, and stays. Wants whole characters.</remarks>
public sealed class KiroCodeFence(IResponseSink next) : IResponseSink
{
    // Start -> Language -> Body; or Start -> Done.
    private enum Phase { Start, Language, Body, Done }

    private readonly StringBuilder _held = new();
    private Phase _phase = Phase.Start;
    private int _block = -1;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (_block < 0 && kind == BlockKind.Text) _block = block;
        next.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (block != _block || _phase == Phase.Done)
        {
            next.BlockDelta(block, jsonString);
            return;
        }
        _held.Append(RawJson.Decode(jsonString));
        if (_phase == Phase.Start) Decide();
        if (_phase == Phase.Language) SkipLanguage();
        if (_phase == Phase.Body) Push(_held.Length - TailLength());
        else if (_phase == Phase.Done) Push(_held.Length);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => next.BlockSeal(block, kind, jsonString);

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void BlockEnd(int block)
    {
        if (block == _block)
        {
            if (_phase is Phase.Body or Phase.Language && _held.ToString().Contains("```", StringComparison.Ordinal)) _held.Clear();
            Push(_held.Length);
            _phase = Phase.Done;
        }
        next.BlockEnd(block);
    }

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);

    private void Decide()
    {
        string start = _held.ToString().TrimStart();
        if (start.StartsWith("```", StringComparison.Ordinal))
        {
            _held.Clear().Append(start.AsSpan(3));
            _phase = Phase.Language;
        }
        else if (!"```".StartsWith(start, StringComparison.Ordinal))
        {
            _phase = Phase.Done;
        }
    }

    /// <summary>The word behind the opening fence and the rest of its line. A fence without a line break has only the word.</summary>
    private void SkipLanguage()
    {
        string text = _held.ToString();
        int at = 0;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '-' or '_' or '+')) at++;
        while (at < text.Length && text[at] is ' ' or '\t' or '\r') at++;
        if (at == text.Length) return;
        if (text[at] == '\n') at++;
        _held.Clear().Append(text.AsSpan(at));
        _phase = Phase.Body;
    }

    /// <summary>How much of the end may be the closing fence: white space, a run of backticks, white space.</summary>
    private int TailLength()
    {
        int at = _held.Length;
        while (at > 0 && char.IsWhiteSpace(_held[at - 1])) at--;
        int ticks = at;
        while (ticks > 0 && _held[ticks - 1] == '`') ticks--;
        while (ticks > 0 && ticks < at && char.IsWhiteSpace(_held[ticks - 1])) ticks--;
        return _held.Length - Math.Min(ticks, at);
    }

    private void Push(int length)
    {
        if (length == 0) return;
        next.BlockDelta(_block, RawJson.Encode(_held.ToString(0, length)));
        _held.Remove(0, length);
    }
}
