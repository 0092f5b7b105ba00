using System.Buffers;
using System.Runtime.InteropServices;

namespace Aiproxy.Upstreams;

/// <summary>Output that is held back until the answer begins, then goes to the client. One writer at a time.</summary>
/// <remarks>Once released it asks the client's output for room once for many pieces: <see cref="Commit"/> passes them on, at the latest before a flush.</remarks>
public sealed class HeldOutput : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 1024, LeastBytes = 256;

    private IBufferWriter<byte>? _target;

    /// <summary>Where is written: held memory of the pool, or the target's.</summary>
    private byte[] _room = [];

    /// <summary>Offsets in the room: of what was not passed on yet, of what is written next, of its end.</summary>
    private int _start, _next, _end;

    /// <summary>Bytes held back; 0 after <see cref="Release"/>.</summary>
    public int HeldBytes => _target is null ? _next : 0;

    /// <summary>What is held back.</summary>
    public ReadOnlyMemory<byte> Held => _room.AsMemory(0, HeldBytes);

    /// <summary>Gives what is held to <paramref name="target"/>; all further output goes there.</summary>
    public void Release(IBufferWriter<byte> target)
    {
        if (_next > 0) target.Write(_room.AsSpan(0, _next));
        Dispose();
        _target = target;
    }

    /// <summary>Gives what was written since the last call to the target. Before the release it does nothing.</summary>
    public void Commit()
    {
        if (_target is null) return;
        if (_next > _start) _target.Advance(_next - _start);
        _room = [];
        _start = _next = _end = 0;
    }

    public void Advance(int count) => _next += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_end - _next < Math.Max(sizeHint, 1)) MakeRoom(sizeHint);
        return _room.AsMemory(_next, _end - _next);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        if (_end - _next < Math.Max(sizeHint, 1)) MakeRoom(sizeHint);
        return _room.AsSpan(_next, _end - _next);
    }

    /// <summary>Drops what is held.</summary>
    public void Dispose()
    {
        if (_target is null && _room.Length > 0) ArrayPool<byte>.Shared.Return(_room);
        _room = [];
        _start = _next = _end = 0;
    }

    private void MakeRoom(int sizeHint)
    {
        if (_target is null)
        {
            int wanted = _next + Math.Max(sizeHint, LeastBytes);
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, Math.Max(FirstBytes, _room.Length * 2)));
            _room.AsSpan(0, _next).CopyTo(larger);
            if (_room.Length > 0) ArrayPool<byte>.Shared.Return(_room);
            _room = larger;
            _end = larger.Length;
            return;
        }
        Commit();
        // A server's memory is made of arrays.
        if (!MemoryMarshal.TryGetArray(_target.GetMemory(sizeHint), out ArraySegment<byte> room)) throw new NotSupportedException("the client's output is no array");
        _room = room.Array!;
        _start = _next = room.Offset;
        _end = room.Offset + room.Count;
    }
}
