using System.Buffers;

namespace Aiproxy.Upstreams;

/// <summary>Output that is held back until the answer begins, then goes to the client. One writer at a time.</summary>
/// <remarks>Once released it asks the client's output for room once for many pieces: <see cref="Commit"/> passes them on, at the latest before a flush.</remarks>
public sealed class HeldOutput : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 1024;
    private byte[]? _held;
    private int _count;
    private IBufferWriter<byte>? _target;
    private Memory<byte> _room;
    private int _used;

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

    /// <summary>Gives what was written since the last call to the target. Before the release it does nothing.</summary>
    public void Commit()
    {
        if (_used > 0) _target!.Advance(_used);
        _room = default;
        _used = 0;
    }

    public void Advance(int count)
    {
        if (_target is null) _count += count;
        else _used += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_target is not { } target) return Room(sizeHint);
        if (_room.Length - _used < Math.Max(sizeHint, 1))
        {
            Commit();
            _room = target.GetMemory(sizeHint);
        }
        return _room[_used..];
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

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
