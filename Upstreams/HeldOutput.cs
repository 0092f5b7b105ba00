using System.Buffers;

namespace Aiproxy.Upstreams;

/// <summary>Output that is held back until the answer begins, then goes straight to the client. One writer at a time.</summary>
public sealed class HeldOutput : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 1024;
    private byte[]? _held;
    private int _count;
    private IBufferWriter<byte>? _target;

    /// <summary>Bytes held back; 0 after <see cref="Release"/>.</summary>
    public int HeldBytes => _count;

    /// <summary>What is held back.</summary>
    public ReadOnlyMemory<byte> Held => _held.AsMemory(0, _count);

    /// <summary>Gives what is held to <paramref name="target"/>; all further output goes there.</summary>
    public void Release(IBufferWriter<byte> target)
    {
        if (_count > 0) target.Write(_held.AsSpan(0, _count));
        Dispose();
        _target = target;
    }

    public void Advance(int count)
    {
        if (_target is { } target) target.Advance(count);
        else _count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _target is { } target ? target.GetMemory(sizeHint) : Room(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => _target is { } target ? target.GetSpan(sizeHint) : Room(sizeHint).Span;

    /// <summary>Drops what is held.</summary>
    public void Dispose()
    {
        if (_held is { } held) ArrayPool<byte>.Shared.Return(held);
        _held = null;
        _count = 0;
    }

    private Memory<byte> Room(int sizeHint)
    {
        int wanted = _count + Math.Max(sizeHint, 256);
        if (_held is null || wanted > _held.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, Math.Max(FirstBytes, (_held?.Length ?? 0) * 2)));
            _held.AsSpan(0, _count).CopyTo(larger);
            if (_held is { } old) ArrayPool<byte>.Shared.Return(old);
            _held = larger;
        }
        return _held.AsMemory(_count);
    }
}
