using System.Buffers;
using System.IO.Pipelines;

namespace Aiproxy.EventStream;

/// <summary>The bytes of the frame that is being read, and what came after them. A frame that lies in one segment of the pipe is used in place,
/// any other is copied once into pooled memory. Between reads the pipe holds nothing. Not thread-safe.</summary>
/// <remarks>Use: look at <see cref="Ahead"/>, <see cref="Take"/> what belongs to the frame; when all is taken <see cref="NextSegment"/>, and when that
/// answers false <see cref="FillAsync"/>. Owns the pipe.</remarks>
public sealed class FrameBuffer(PipeReader body, int maxFrameBytes) : IAsyncDisposable
{
    /// <summary>A copy buffer larger than this goes back to the pool with its frame; a smaller one when the stream falls idle.</summary>
    private const int KeptBytes = 64 * 1024;

    private ReadOnlySequence<byte> _read;
    private SequencePosition _next;
    private ReadOnlyMemory<byte> _segment;

    /// <summary>Where the frame begins and where its taken bytes end, counted in <see cref="_segment"/>.</summary>
    private int _start, _end;

    /// <summary>Once the frame spans segments all its taken bytes are here.</summary>
    private byte[] _copy = [];

    /// <summary>Bytes of <see cref="_copy"/> in use; 0: the frame still lies in the segment.</summary>
    private int _copied;

    private bool _lent;
    private bool _completed;
    private bool _disposed;
    private FrameException? _failure;

    /// <summary>The body ended and every byte of it was looked at.</summary>
    public bool IsEnded => _completed && !_lent;

    /// <summary>Bytes of the current segment that were not taken yet.</summary>
    public ReadOnlySpan<byte> Ahead => _segment.Span[_end..];

    /// <summary>The taken bytes of the frame. Dies with <see cref="Drop"/> and <see cref="Take"/>.</summary>
    public ReadOnlySpan<byte> Taken => _copied > 0 ? _copy.AsSpan(0, _copied) : _segment.Span[_start.._end];

    /// <summary>Length of <see cref="Taken"/>.</summary>
    public int Length => _copied > 0 ? _copied : _end - _start;

    /// <summary>True: bytes came, or the body ended and left some in <see cref="Taken"/>. False: nothing is left. Synchronous when the pipe has data.</summary>
    /// <exception cref="IOException">The transport broke.</exception>
    public ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        if (_lent) return new(true);
        if (_completed) return new(false);
        ValueTask<ReadResult> read = body.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new(Accept(read.Result)) : AcceptLaterAsync(read);
    }

    /// <summary>The next <paramref name="count"/> bytes of <see cref="Ahead"/> belong to the frame.</summary>
    /// <exception cref="FrameException">The frame would be longer than its limit; it is not copied any further.</exception>
    public void Take(int count)
    {
        if (count > maxFrameBytes - Length)
        {
            long length = (long)Length + count;
            throw Fail(new FrameException(FrameFault.TooLong, $"a frame of more than {maxFrameBytes} bytes, at least {length}", maxFrameBytes, length));
        }
        if (_copied > 0) Append(_segment.Span.Slice(_end, count));
        _end += count;
    }

    /// <summary>The frame was handed out; the next one begins behind it.</summary>
    public void Drop()
    {
        _copied = 0;
        _start = _end;
        if (_copy.Length > KeptBytes) ReturnCopy();
    }

    /// <summary>Goes on to the next segment of this read; all bytes of the current one must be taken. False: there is none, and the pipe has its
    /// memory back.</summary>
    public bool NextSegment()
    {
        if (_copied == 0 && _end > _start) Append(_segment.Span[_start.._end]);
        _segment = default;
        _start = _end = 0;
        while (_lent)
        {
            if (!_read.TryGet(ref _next, out _segment)) Release();
            else if (!_segment.IsEmpty) return true;
        }
        _segment = default;
        if (_copied == 0) ReturnCopy();
        return false;
    }

    /// <summary>Remembers that the framing is broken; from now on everything throws this.</summary>
    public FrameException Fail(FrameFault fault, string message) => Fail(new FrameException(fault, message));

    /// <inheritdoc cref="Fail(FrameFault, string)"/>
    public FrameException Fail(FrameException failure) => _failure = failure;

    public void ThrowIfFailed()
    {
        if (_failure is not null) throw _failure;
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed) return default;
        _disposed = true;
        _completed = true;
        _lent = false;
        _segment = default;
        _start = _end = _copied = 0;
        ReturnCopy();
        return body.CompleteAsync();
    }

    private async ValueTask<bool> AcceptLaterAsync(ValueTask<ReadResult> read) => Accept(await read);

    private bool Accept(ReadResult result)
    {
        _read = result.Buffer;
        _next = _read.Start;
        _lent = true;
        _completed = result.IsCompleted;
        if (_read.IsEmpty) Release();
        if (result.IsCanceled) throw new OperationCanceledException("the read was cancelled");
        return !IsEnded || Length > 0;
    }

    private void Release()
    {
        body.AdvanceTo(_read.End);
        _read = default;
        _lent = false;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _copy.Length - _copied) Grow(_copied + bytes.Length);
        bytes.CopyTo(_copy.AsSpan(_copied));
        _copied += bytes.Length;
    }

    private void Grow(int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, 2L * _copy.Length), Array.MaxLength));
        _copy.AsSpan(0, _copied).CopyTo(larger);
        ReturnCopy();
        _copy = larger;
    }

    private void ReturnCopy()
    {
        if (_copy.Length > 0) ArrayPool<byte>.Shared.Return(_copy);
        _copy = [];
    }
}
