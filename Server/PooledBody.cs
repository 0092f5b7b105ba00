using System.Buffers;

namespace Aiproxy.Server;

/// <summary>A request body in one piece. Disposing returns its memory and its share of the budget; <see cref="Memory"/> is dead from then on.</summary>
public sealed class PooledBody : IDisposable
{
    /// <summary>Larger arrays are left to the garbage collector: the pool would keep them long after the burst that needed them.</summary>
    private const int LargestPooled = 1024 * 1024;

    private const int FirstBytes = 32 * 1024;

    private readonly int _maxBytes;
    private readonly BodyShare _share;
    private byte[] _array = [];
    private int _capacity;
    private int _length;
    private volatile bool _isLent;

    internal PooledBody(int maxBytes, BodyShare share)
    {
        _maxBytes = maxBytes;
        _share = share;
    }

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, _length);

    /// <summary>Room for more, empty when <see cref="EnsureRoomAsync"/> must be called.</summary>
    internal Span<byte> Room => _array.AsSpan(_length, _capacity - _length);

    internal bool IsAtLimit => _length == _maxBytes;

    internal void Advance(int bytes) => _length += bytes;

    /// <summary>Makes room for at least one byte, within the limit; the budget is asked before memory is.</summary>
    /// <param name="expected">Bytes that the whole body is thought to have.</param>
    /// <returns>false: neither the budget nor the machine had room in time.</returns>
    internal async ValueTask<bool> EnsureRoomAsync(long expected, CancellationToken cancellationToken)
    {
        if (_length < _capacity)
            return true;

        // Growing fourfold towards a known length: who announces 64 MB must send a quarter of what is set aside for it.
        long wanted = _capacity == 0 ? FirstBytes : expected > _length ? _capacity * 4L : _capacity * 2L;
        if (expected > _length)
            wanted = Math.Min(wanted, expected);
        int capacity = (int)Math.Min(wanted, _maxBytes);
        if (!await _share.TakeAsync(capacity - _capacity, cancellationToken))
            return false;

        byte[] larger;
        try
        {
            larger = capacity > LargestPooled ? GC.AllocateUninitializedArray<byte>(capacity) : ArrayPool<byte>.Shared.Rent(capacity);
        }
        catch (OutOfMemoryException)
        {
            // The budget allows more than the machine has; this request is refused, the others live.
            _share.Give(capacity - _capacity);
            return false;
        }

        _array.AsSpan(0, _length).CopyTo(larger);
        ReturnArray();
        _array = larger;
        _capacity = capacity;
        return true;
    }

    /// <summary>Its memory goes to the garbage collector: somebody may read from it even after it is disposed.</summary>
    public void Lend() => _isLent = true;

    public void Dispose()
    {
        ReturnArray();
        _length = 0;
        _share.Give(Interlocked.Exchange(ref _capacity, 0));
    }

    private void ReturnArray()
    {
        byte[] array = Interlocked.Exchange(ref _array, []);
        if (array.Length > 0 && _capacity <= LargestPooled && !_isLent)
            ArrayPool<byte>.Shared.Return(array);
    }
}
