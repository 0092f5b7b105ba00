using System.IO.Pipelines;

namespace Aiproxy.EventStream;

/// <summary>Splits a streamed JSON array of objects, as Gemini sends it without <c>alt=sse</c>, into frames. Owns the pipe and completes it.</summary>
/// <remarks>A frame is an element with everything in front of it (the opening bracket, separators, white space); Data is the element alone.
/// The closing bracket is a frame with empty Data, white space behind it another one. Inside an element only strings and braces are looked at:
/// whether it is JSON shows where it is read.</remarks>
public sealed class JsonArrayReader(PipeReader body, int maxFrameBytes = SseReader.DefaultMaxFrameBytes) : IFrameReader
{
    private readonly FrameBuffer _buffer = new(body, maxFrameBytes);
    private State _state;
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>Offset of the element in the frame.</summary>
    private int _elementStart;

    private bool _handedOut;

    /// <summary>What may come next. Start => AtFirst at the bracket; AtFirst => Inside or Closed; Inside => Behind; Behind => AtNext at the comma,
    /// or Closed; AtNext => Inside.</summary>
    private enum State { Start, AtFirst, Inside, Behind, AtNext, Closed }

    /// <summary>The opening bracket was seen.</summary>
    public bool Opened => _state != State.Start;

    /// <summary>The closing bracket was seen.</summary>
    public bool Closed => _state == State.Closed;

    /// <summary>Whole elements so far.</summary>
    public int Elements { get; private set; }

    public bool HasPartialFrame => _buffer.IsEnded && !Closed && (Opened || _buffer.Length > 0);

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _buffer.FillAsync(cancellationToken);

    public bool TryRead(out Frame frame)
    {
        _buffer.ThrowIfFailed();
        frame = default;
        if (_handedOut)
        {
            _handedOut = false;
            _buffer.Drop();
        }
        do
        {
            while (!_buffer.Ahead.IsEmpty)
            {
                if (_state == State.Inside ? !TakeElement() : !TakeBetween()) continue;
                _handedOut = true;
                frame = Closed ? new Frame { Raw = _buffer.Taken } : new Frame { Raw = _buffer.Taken, Data = _buffer.Taken[_elementStart..] };
                return true;
            }
        }
        while (_buffer.NextSegment());
        if (!_buffer.IsEnded || !Closed || _buffer.Length == 0) return false;
        _handedOut = true;
        frame = new Frame { Raw = _buffer.Taken };
        return true;
    }

    public ValueTask DisposeAsync() => _buffer.DisposeAsync();

    /// <summary>Takes one byte that is no white space, and white space in front of it. True: it closed the array.</summary>
    private bool TakeBetween()
    {
        ReadOnlySpan<byte> ahead = _buffer.Ahead;
        int blanks = ahead.IndexOfAnyExcept(" \t\r\n"u8);
        if (blanks < 0)
        {
            _buffer.Take(ahead.Length);
            return false;
        }
        _state = (_state, ahead[blanks]) switch
        {
            (State.Start, (byte)'[') => State.AtFirst,
            (State.AtFirst or State.AtNext, (byte)'{') => State.Inside,
            (State.AtFirst or State.Behind, (byte)']') => State.Closed,
            (State.Behind, (byte)',') => State.AtNext,
            _ => throw _buffer.Fail(FrameFault.Malformed, $"expected {Expected(_state)}, got byte 0x{ahead[blanks]:X2}"),
        };
        _buffer.Take(blanks);
        if (_state == State.Inside) _elementStart = _buffer.Length;
        else _buffer.Take(1);
        return _state == State.Closed;
    }

    private static string Expected(State state) => state switch
    {
        State.Start => "the '[' of a JSON array",
        State.AtFirst => "'{' or ']' after the '[' of a JSON array",
        State.AtNext => "'{' after a comma of a JSON array",
        State.Closed => "nothing after the ']' of a JSON array",
        _ => "',' or ']' after an element of a JSON array",
    };

    /// <summary>Takes bytes of the element up to its end. True: it is whole. Each byte is looked at once, whatever the reads.</summary>
    private bool TakeElement()
    {
        ReadOnlySpan<byte> ahead = _buffer.Ahead;
        int at = 0;
        while (at < ahead.Length)
        {
            if (_escaped)
            {
                _escaped = false;
                at++;
                continue;
            }
            ReadOnlySpan<byte> rest = ahead[at..];
            int stop = _inString ? rest.IndexOfAny((byte)'"', (byte)'\\') : rest.IndexOfAny((byte)'"', (byte)'{', (byte)'}');
            if (stop < 0) break;
            at += stop + 1;
            switch (rest[stop])
            {
                case (byte)'"': _inString = !_inString; break;
                case (byte)'\\': _escaped = true; break;
                case (byte)'{': _depth++; break;
                default: _depth--; break;
            }
            if (_depth > 0) continue;
            _buffer.Take(at);
            _state = State.Behind;
            Elements++;
            return true;
        }
        _buffer.Take(ahead.Length);
        return false;
    }
}
