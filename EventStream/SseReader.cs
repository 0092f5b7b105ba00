using System.Buffers;
using System.IO.Pipelines;

namespace Aiproxy.EventStream;

/// <summary>Splits a body of server-sent events into frames, on bytes. Owns the pipe and completes it.</summary>
/// <remarks>A frame is everything up to and including its blank line: comments, ignored fields and blank lines in front belong to it, so that all
/// <see cref="Frame.Raw"/> together are the body. A block without data (a lone comment) is a frame with empty Data. An LF that follows a CR only in
/// the next segment opens the next frame: waiting for it would hold an event back.
/// Source: html.spec.whatwg.org, "Server-sent events", parsing and interpreting an event stream.</remarks>
public sealed class SseReader(PipeReader body, int maxFrameBytes = SseReader.DefaultMaxFrameBytes) : IFrameReader
{
    /// <summary>32 MiB: an image or a document in one event fits; what is larger is a fault.</summary>
    public const int DefaultMaxFrameBytes = 32 * 1024 * 1024;

    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';

    private readonly FrameBuffer _buffer = new(body, maxFrameBytes);

    /// <summary>Offset in the frame where the line begins whose end is being looked for.</summary>
    private int _lineStart;

    /// <summary>Offsets in the frame and lengths of the value of the last event field and of the first data field.</summary>
    private int _eventStart, _eventLength, _dataStart, _dataLength;

    private int _dataLines;

    /// <summary>The frame has a line that is not blank, so the next blank line ends it.</summary>
    private bool _hasLines;

    /// <summary>The last byte looked at was a CR that ended a line; an LF right behind it belongs to it.</summary>
    private bool _afterCr;

    /// <summary>No line of the body was read yet; a byte order mark may stand before the first.</summary>
    private bool _atFirstLine = true;

    private bool _handedOut;
    private bool _restTaken;
    private LineEnd _missing;

    /// <summary>Data of several lines, joined; pooled.</summary>
    private byte[] _joined = [];

    private enum LineEnd { None, LfLf, Lf, Cr, CrLf }

    public bool HasPartialFrame { get; private set; }

    /// <summary>False after a last frame that the end of the body completed: who forwards its bytes must add <see cref="MissingEnd"/>.</summary>
    public bool EndedWithBlankLine => _missing == LineEnd.None;

    /// <summary>What the last frame lacks to end with a blank line, in the line ends of the body; empty in most bodies.</summary>
    public ReadOnlySpan<byte> MissingEnd => _missing switch
    {
        LineEnd.LfLf => "\n\n"u8,
        LineEnd.Lf => "\n"u8,
        LineEnd.Cr => "\r"u8,
        LineEnd.CrLf => "\r\n"u8,
        _ => default,
    };

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _buffer.FillAsync(cancellationToken);

    public bool TryRead(out Frame frame)
    {
        _buffer.ThrowIfFailed();
        if (_handedOut) Begin();
        do
        {
            while (TakeLine(out bool blank))
            {
                if (!blank || !_hasLines) continue;
                frame = HandOut();
                return true;
            }
        }
        while (_buffer.NextSegment());
        if (_buffer.IsEnded && !_restTaken) return TakeRest(out frame);
        if (_joined.Length > 0) ReturnJoined();
        frame = default;
        return false;
    }

    public ValueTask DisposeAsync()
    {
        ReturnJoined();
        return _buffer.DisposeAsync();
    }

    private void Begin()
    {
        _buffer.Drop();
        _lineStart = _eventStart = _eventLength = _dataStart = _dataLength = _dataLines = 0;
        _hasLines = _handedOut = false;
    }

    /// <summary>Takes one line with its end. False: the segment ends inside the line; what there is of it is taken and never searched again.</summary>
    private bool TakeLine(out bool blank)
    {
        blank = false;
        ReadOnlySpan<byte> ahead = _buffer.Ahead;
        if (_afterCr && !ahead.IsEmpty)
        {
            _afterCr = false;
            if (ahead[0] == LF)
            {
                _buffer.Take(1);
                _lineStart++;
                ahead = ahead[1..];
            }
        }
        int length = ahead.IndexOfAny(CR, LF);
        if (length < 0)
        {
            _buffer.Take(ahead.Length);
            return false;
        }
        int endLength = 1;
        if (ahead[length] == CR)
        {
            if (length + 1 == ahead.Length) _afterCr = true;
            else if (ahead[length + 1] == LF) endLength = 2;
        }
        _buffer.Take(length + endLength);
        blank = !Interpret(_buffer.Taken[..^endLength]);
        _lineStart = _buffer.Length;
        return true;
    }

    /// <summary>Interprets the last line of <paramref name="taken"/>. False: it is blank.</summary>
    private bool Interpret(ReadOnlySpan<byte> taken)
    {
        ReadOnlySpan<byte> line = taken[_lineStart..];
        if (_atFirstLine)
        {
            // "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
            if (line.StartsWith("\uFEFF"u8)) line = line[3..];
            _atFirstLine = false;
        }
        if (line.IsEmpty) return false;

        _hasLines = true;
        if (TryValue(line, "data"u8, out ReadOnlySpan<byte> value))
        {
            if (_dataLines++ > 0) return true;
            _dataLength = value.Length;
            _dataStart = taken.Length - value.Length;
        }
        else if (TryValue(line, "event"u8, out value))
        {
            _eventLength = value.Length;
            _eventStart = taken.Length - value.Length;
        }
        // Everything else changes nothing here: comments, "id" and "retry" (they serve reconnection), and
        // "Otherwise: The field is ignored."
        return true;
    }

    /// <summary>"If value starts with a U+0020 SPACE character, remove it from value." A field without a colon has an empty value.</summary>
    private static bool TryValue(ReadOnlySpan<byte> line, ReadOnlySpan<byte> field, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!line.StartsWith(field)) return false;
        if (line.Length == field.Length) return true;
        if (line[field.Length] != (byte)':') return false;
        value = line[(field.Length + 1)..];
        if (!value.IsEmpty && value[0] == (byte)' ') value = value[1..];
        return true;
    }

    private Frame HandOut()
    {
        _handedOut = true;
        ReadOnlySpan<byte> raw = _buffer.Taken;
        return new Frame
        {
            Raw = raw,
            Event = raw.Slice(_eventStart, _eventLength),
            Data = _dataLines > 1 ? Join(raw) : raw.Slice(_dataStart, _dataLength),
        };
    }

    /// <summary>The body ended without a blank line. Lenient where the specification discards: real servers forget the last line end, and whether the
    /// data is complete shows in its JSON.</summary>
    private bool TakeRest(out Frame frame)
    {
        _restTaken = true;
        frame = default;
        if (_buffer.Length == 0) return false;

        bool cutLine = _lineStart < _buffer.Length && Interpret(_buffer.Taken);
        frame = HandOut();
        if (frame.Data.IsEmpty && (cutLine || _eventLength > 0))
        {
            frame = default;
            HasPartialFrame = true;
            return false;
        }
        if (_hasLines) _missing = cutLine ? LineEnd.LfLf : LastLineEnd(frame.Raw);
        return true;
    }

    private static LineEnd LastLineEnd(ReadOnlySpan<byte> raw)
    {
        if (raw[^1] == CR) return LineEnd.Cr;
        return raw.Length > 1 && raw[^2] == CR ? LineEnd.CrLf : LineEnd.Lf;
    }

    /// <summary>Walks the frame a second time, from its first data line on. Only data of several lines pays for it.</summary>
    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> raw)
    {
        if (_joined.Length < raw.Length)
        {
            ReturnJoined();
            _joined = ArrayPool<byte>.Shared.Rent(raw.Length);
        }
        raw.Slice(_dataStart, _dataLength).CopyTo(_joined);
        int length = _dataLength;
        ReadOnlySpan<byte> rest = raw[(_dataStart + _dataLength)..];
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny(CR, LF);
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!TryValue(line, "data"u8, out ReadOnlySpan<byte> value)) continue;
            _joined[length++] = LF;
            value.CopyTo(_joined.AsSpan(length));
            length += value.Length;
        }
        return _joined.AsSpan(0, length);
    }

    private void ReturnJoined()
    {
        if (_joined.Length > 0) ArrayPool<byte>.Shared.Return(_joined);
        _joined = [];
    }
}
