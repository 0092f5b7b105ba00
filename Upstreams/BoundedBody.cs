using System.Buffers;
using System.IO.Pipelines;

namespace Aiproxy.Upstreams;

/// <summary>A body read whole into pooled memory, up to a limit.</summary>
public sealed class BoundedBody : IDisposable
{
    private byte[]? _buffer;
    private int _count;

    private BoundedBody() { }

    public static BoundedBody Empty() => new();

    /// <summary>Dead after <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _count);

    /// <summary>The body is longer than the limit; <see cref="Memory"/> is its beginning.</summary>
    public bool IsCut { get; private set; }

    /// <summary>A body of its own, from its first byte to its end.</summary>
    /// <exception cref="IOException">As below.</exception>
    public static async ValueTask<BoundedBody> ReadAsync(HttpContent content, int limit, AttemptClock clock)
    {
        PipeReader source = PipeReader.Create(await content.ReadAsStreamAsync(clock.Token).ConfigureAwait(false));
        try
        {
            return await ReadAsync(source, limit, clock).ConfigureAwait(false);
        }
        finally
        {
            await source.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <param name="clock">Touched at each read, so that a body that flows is never idle.</param>
    /// <exception cref="IOException">The connection broke before the end that the answer announced.</exception>
    public static async ValueTask<BoundedBody> ReadAsync(PipeReader source, int limit, AttemptClock clock)
    {
        var body = new BoundedBody();
        try
        {
            while (true)
            {
                ReadResult read = await source.ReadAsync(clock.Token).ConfigureAwait(false);
                clock.Touch();
                foreach (ReadOnlyMemory<byte> segment in read.Buffer) body.Append(segment.Span, limit);
                source.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || body.IsCut) return body;
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
        _count = 0;
    }

    private void Append(ReadOnlySpan<byte> bytes, int limit)
    {
        if (_count + (long)bytes.Length > limit)
        {
            IsCut = true;
            bytes = bytes[..(limit - _count)];
        }
        if (_buffer is null || _count + bytes.Length > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_count + bytes.Length, Math.Max(4096, Math.Min(limit, (_buffer?.Length ?? 0) * 2))));
            _buffer.AsSpan(0, _count).CopyTo(larger);
            if (_buffer is { } old) ArrayPool<byte>.Shared.Return(old);
            _buffer = larger;
        }
        bytes.CopyTo(_buffer.AsSpan(_count));
        _count += bytes.Length;
    }
}
