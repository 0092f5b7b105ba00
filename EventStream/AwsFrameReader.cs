using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Aiproxy.EventStream;

/// <summary>Splits a body of media type <c>application/vnd.amazon.eventstream</c> into frames. Owns the pipe and completes it.</summary>
/// <remarks>A message: total length u32, headers length u32, CRC-32 of these eight bytes, headers, payload, CRC-32 of all before it; big-endian, lengths
/// in bytes. <see cref="Frame.Event"/> is its <c>:event-type</c>, <c>:exception-type</c> or <c>:error-code</c>, <see cref="Frame.Data"/> the payload;
/// other headers are found by <see cref="AwsHeaders.OfMessage"/>. Each length is believed only after its checksum and its limit, so what a broken or
/// hostile prelude says is never waited for nor reserved. A broken frame ends the stream: a length that is not to be trusted gives no next border.
/// The body may end between two frames only; inside one TryRead throws <see cref="FrameFault.Truncated"/>. Nothing follows an exception.
/// Source: Amazon event stream encoding, smithy.io/2.0/aws/amazon-eventstream.html</remarks>
public sealed class AwsFrameReader(PipeReader body, AwsMessageRule rule, int maxPayloadBytes = AwsFrameReader.MaxPayloadBytes) : IFrameReader
{
    /// <summary>The specification's limit of a payload, 24 MiB; a reader may be given less.</summary>
    public const int MaxPayloadBytes = 24 * 1024 * 1024;

    /// <summary>The specification's limit of a header block, 128 KiB.</summary>
    public const int MaxHeadersBytes = 128 * 1024;

    /// <summary>Two lengths and their checksum.</summary>
    public const int PreludeBytes = 12;

    /// <summary>A frame without headers and payload: prelude and last checksum.</summary>
    public const int LeastFrameBytes = PreludeBytes + ChecksumBytes;

    private const int ChecksumBytes = 4;
    private const int ChecksumOffset = 8;

    private readonly FrameBuffer _buffer = new(body, LeastFrameBytes + MaxHeadersBytes + Limit(maxPayloadBytes));

    /// <summary>Lengths of the frame that is being read, from its checked prelude; 0: the prelude is not there yet.</summary>
    private int _totalLength, _headersLength;

    private uint _preludeChecksum;
    private bool _handedOut;
    private bool _isOver;

    public bool HasPartialFrame => _buffer.IsEnded && !_handedOut && _buffer.Length > 0;

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _isOver ? new(false) : _buffer.FillAsync(cancellationToken);

    public bool TryRead(out Frame frame)
    {
        _buffer.ThrowIfFailed();
        if (_handedOut)
        {
            _handedOut = false;
            _totalLength = 0;
            _buffer.Drop();
        }
        frame = default;
        if (_isOver) return false;
        do
        {
            if (!TakeFrame()) continue;
            frame = HandOut();
            return true;
        }
        while (_buffer.NextSegment());
        if (!HasPartialFrame) return false;

        int expected = _totalLength > 0 ? _totalLength : PreludeBytes;
        throw _buffer.Fail(new FrameException(
            FrameFault.Truncated, $"the body ends inside a frame: expected {expected} bytes, got {_buffer.Length}", expected, _buffer.Length));
    }

    public ValueTask DisposeAsync() => _buffer.DisposeAsync();

    private static int Limit(int maxPayloadBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxPayloadBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPayloadBytes, MaxPayloadBytes);
        return maxPayloadBytes;
    }

    /// <summary>Takes what the current segment has of the frame. True: it is whole.</summary>
    private bool TakeFrame()
    {
        if (_totalLength == 0)
        {
            if (!TakeUpTo(PreludeBytes)) return false;
            ReadPrelude(_buffer.Taken);
        }
        return TakeUpTo(_totalLength);
    }

    private bool TakeUpTo(int length)
    {
        int missing = length - _buffer.Length;
        int there = Math.Min(missing, _buffer.Ahead.Length);
        _buffer.Take(there);
        return there == missing;
    }

    /// <summary>Checksum first: a body that is SSE, JSON or HTML fails here, not by a length of gigabytes.</summary>
    private void ReadPrelude(ReadOnlySpan<byte> prelude)
    {
        uint total = BinaryPrimitives.ReadUInt32BigEndian(prelude);
        uint headers = BinaryPrimitives.ReadUInt32BigEndian(prelude[4..]);
        uint told = BinaryPrimitives.ReadUInt32BigEndian(prelude[ChecksumOffset..]);
        uint actual = Crc32.Of(prelude[..ChecksumOffset]);
        if (actual != told) throw Mismatch(FrameFault.PreludeChecksum, "prelude", told, actual);
        if (total < LeastFrameBytes) throw Outside(FrameFault.TooShort, "a frame of at least", LeastFrameBytes, total);
        uint room = total - LeastFrameBytes;
        uint mostHeaders = Math.Min(room, MaxHeadersBytes);
        if (headers > mostHeaders) throw Outside(FrameFault.HeadersLength, "headers of at most", mostHeaders, headers);
        if (room - headers > (uint)maxPayloadBytes) throw Outside(FrameFault.TooLong, "frame too large: a payload of at most", maxPayloadBytes, room - headers);
        (_totalLength, _headersLength, _preludeChecksum) = ((int)total, (int)headers, told);
    }

    private Frame HandOut()
    {
        ReadOnlySpan<byte> raw = _buffer.Taken;
        uint told = BinaryPrimitives.ReadUInt32BigEndian(raw[^ChecksumBytes..]);
        uint actual = Crc32.Continue(_preludeChecksum, raw[ChecksumOffset..^ChecksumBytes]);
        if (actual != told) throw Mismatch(FrameFault.MessageChecksum, "message", told, actual);
        FrameException? broken = AwsHeaderCheck.Check(raw.Slice(PreludeBytes, _headersLength), out AwsMessage message) ?? message.Check(rule);
        if (broken is not null) throw _buffer.Fail(broken);

        _handedOut = true;
        _isOver = message.IsException && rule != AwsMessageRule.Any;
        return new Frame
        {
            Event = message.Name,
            Data = raw[(PreludeBytes + _headersLength)..^ChecksumBytes],
            Raw = raw,
            IsException = message.IsException,
        };
    }

    private FrameException Mismatch(FrameFault fault, string of, uint told, uint actual) =>
        _buffer.Fail(new FrameException(fault, $"{of} checksum: expected {told:x8} as the frame says, got {actual:x8}", told, actual));

    private FrameException Outside(FrameFault fault, string what, long expected, long actual) =>
        _buffer.Fail(new FrameException(fault, $"expected {what} {expected} bytes, got {actual}", expected, actual));
}
