using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Takes the thoughts out of an answer whose text begins with <c>&lt;thinking&gt;</c>: they become a block of their own.</summary>
/// <remarks>Only at the start of the answer, white space aside. The line break behind the opening tag, the one in front of the closing tag and the two behind it
/// belong to the tags. A closing tag inside a code fence is a thought. However the text is cut, the result is the same.
/// Wants whole characters: stands behind <see cref="WholeCharacters"/>. Blocks are numbered anew.</remarks>
public sealed class KiroThinkingTags(IResponseSink next) : IResponseSink
{
    private const string Opening = "<thinking>";

    // Start -> AfterOpening -> Thinking -> AfterClosing -> Text; or Start -> Text.
    private enum Phase { Start, AfterOpening, Thinking, AfterClosing, Text }

    private readonly Dictionary<int, int> _blocks = [];
    private readonly StringBuilder _held = new();
    private readonly StringBuilder _thoughts = new();
    private readonly ThinkingEnd _end = new();
    private Phase _phase = Phase.Start;
    private int _nextBlock;
    private int _text = -1;
    private int _open = -1;
    private int _breaks;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (_nextBlock == 0 && _text == -1 && kind == BlockKind.Text)
        {
            // What it is shows by its first characters.
            _text = block;
            return;
        }
        _blocks[block] = _nextBlock++;
        next.BlockStart(_blocks[block], kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (block != _text)
        {
            next.BlockDelta(_blocks[block], jsonString);
            return;
        }
        if (_phase == Phase.Text && _open >= 0)
        {
            next.BlockDelta(_open, jsonString);
            return;
        }
        foreach (char letter in RawJson.Decode(jsonString)) Take(letter);
        Release();
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (block != _text) next.BlockSeal(_blocks[block], kind, jsonString);
    }

    /// <summary>The service tells no sources; a place in the text would not be that in what is left of it.</summary>
    public void BlockCite(int block, Citation citation) { }

    public void BlockEnd(int block)
    {
        if (block != _text)
        {
            next.BlockEnd(_blocks[block]);
            return;
        }
        _text = -2;
        if (_phase == Phase.Thinking) _thoughts.Append(_end.Pending);
        if (_phase == Phase.Start) _phase = Phase.Text;
        Release();
        CloseOpen();
    }

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);

    private void Take(char letter)
    {
        switch (_phase)
        {
            case Phase.Start:
                _held.Append(letter);
                Decide();
                break;
            case Phase.AfterOpening:
                if (letter == '\r') break;
                _phase = Phase.Thinking;
                if (letter != '\n') Think(letter);
                break;
            case Phase.Thinking:
                Think(letter);
                break;
            case Phase.AfterClosing:
                if (letter == '\r') break;
                if (letter == '\n' && ++_breaks <= 2) break;
                _phase = Phase.Text;
                _held.Append(letter);
                break;
            default:
                _held.Append(letter);
                break;
        }
    }

    private void Decide()
    {
        string start = _held.ToString().TrimStart();
        if (start == Opening)
        {
            _held.Clear();
            _phase = Phase.AfterOpening;
        }
        else if (!Opening.StartsWith(start, StringComparison.Ordinal))
        {
            _phase = Phase.Text;
        }
    }

    private void Think(char letter)
    {
        if (!_end.Take(letter, _thoughts)) return;
        Release();
        CloseOpen();
        _phase = Phase.AfterClosing;
    }

    /// <summary>Lets go of all that is known to be thought or text.</summary>
    private void Release()
    {
        if (_thoughts.Length > 0)
        {
            Push(BlockKind.Thinking, _thoughts);
        }
        else if (_phase == Phase.Text && _held.Length > 0)
        {
            Push(BlockKind.Text, _held);
        }
    }

    private void Push(BlockKind kind, StringBuilder text)
    {
        if (_open < 0)
        {
            _open = _nextBlock++;
            next.BlockStart(_open, kind);
        }
        next.BlockDelta(_open, RawJson.Encode(text.ToString()));
        text.Clear();
    }

    private void CloseOpen()
    {
        if (_open >= 0) next.BlockEnd(_open);
        _open = -1;
    }
}
