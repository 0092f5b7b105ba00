namespace Aiproxy.Upstreams;

/// <summary>Unpacks zstd from memory, frame after frame, as far as it is read. Not thread-safe.</summary>
/// <exception cref="InvalidDataException">From <see cref="Read(Span{byte})"/>: no zstd, damaged, or cut off.</exception>
public sealed class ZstdReadStream : Stream
{
    private readonly Zstd _library = Zstd.Library ?? throw new NotSupportedException("libzstd is missing");
    private ReadOnlyMemory<byte> _source;
    private nint _decoder;
    private bool _isFrameEnd = true;

    /// <param name="source">All of it; must live as long as this stream.</param>
    public ZstdReadStream(ReadOnlyMemory<byte> source)
    {
        _source = source;
        _decoder = _library.CreateDecoder();
    }

    ~ZstdReadStream() => Dispose(false);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_decoder == 0, this);
        while (!buffer.IsEmpty)
        {
            if (_source.IsEmpty && _isFrameEnd)
                return 0;
            bool isDry = _source.IsEmpty;
            _library.Decompress(_decoder, _source.Span, buffer, out int consumed, out int written, out _isFrameEnd);
            _source = _source[consumed..];
            if (written > 0)
                return written;
            if (isDry && !_isFrameEnd)
                throw new InvalidDataException("zstd data is cut off");
        }

        return 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        nint decoder = Interlocked.Exchange(ref _decoder, 0);
        if (decoder != 0)
            _library.FreeDecoder(decoder);
        if (disposing)
            GC.SuppressFinalize(this);
        base.Dispose(disposing);
    }
}
