using System.Buffers;

namespace Aiproxy.Protocols;

/// <summary>Bytes that grow, in memory of the pool. Dispose gives it back; who forgets to leaves it to the garbage collector. Not thread-safe.</summary>
public sealed class PooledBytes : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 256;

    private byte[] _bytes = [];
    private int _count;

    /// <summary>Dies with the next write, and with Dispose.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _count);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _count < bytes.Length) Grow(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_count));
        _count += bytes.Length;
    }

    public void Advance(int count) => _count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_bytes.Length - _count < Math.Max(sizeHint, 1)) Grow(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Forgets the bytes and keeps the memory.</summary>
    public void Clear() => _count = 0;

    /// <summary>Forgets the bytes too; may be written to again.</summary>
    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _count = 0;
        if (bytes.Length > 0) ArrayPool<byte>.Shared.Return(bytes);
    }

    private void Grow(int more)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max((long)_count + more, Math.Max(FirstBytes, 2L * _bytes.Length)), Array.MaxLength));
        Written.CopyTo(larger);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
