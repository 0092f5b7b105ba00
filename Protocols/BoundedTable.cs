using System.Diagnostics.CodeAnalysis;

namespace Aiproxy.Protocols;

/// <summary>A table that forgets: what is too old, and beyond a number of entries or bytes what was used longest ago. Thread-safe.</summary>
/// <param name="maxAge">Since the entry was put in; using it does not make it younger.</param>
/// <param name="size">Bytes that an entry holds. An entry larger than <paramref name="maxBytes"/> is not taken.</param>
public sealed class BoundedTable<TKey, TValue>(int maxEntries, long maxBytes, TimeSpan maxAge, TimeProvider clock, Func<TValue, long> size)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _nodes = [];

    // Used last stands first.
    private readonly LinkedList<Entry> _order = [];
    private long _bytes;

    private readonly record struct Entry(TKey Key, TValue Value, long Bytes, long Timestamp);

    public int Count
    {
        get
        {
            lock (_gate) return _nodes.Count;
        }
    }

    /// <summary>Bytes of all entries together.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate) return _bytes;
        }
    }

    /// <summary>Takes an entry in, in the place of one with that key.</summary>
    public void Put(TKey key, TValue value)
    {
        long bytes = size(value);
        lock (_gate)
        {
            Drop(key);
            if (bytes > maxBytes) return;
            _nodes[key] = _order.AddFirst(new Entry(key, value, bytes, clock.GetTimestamp()));
            _bytes += bytes;
            while (_nodes.Count > maxEntries || _bytes > maxBytes) Drop(_order.Last!.Value.Key);
        }
    }

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_gate)
        {
            value = default;
            if (!_nodes.TryGetValue(key, out LinkedListNode<Entry>? node)) return false;
            if (clock.GetElapsedTime(node.Value.Timestamp) > maxAge)
            {
                Drop(key);
                return false;
            }
            _order.Remove(node);
            _order.AddFirst(node);
            value = node.Value.Value;
            return true;
        }
    }

    /// <summary>False: there was none, or it was too old.</summary>
    public bool Remove(TKey key)
    {
        lock (_gate) return Drop(key) is { } dropped && clock.GetElapsedTime(dropped.Timestamp) <= maxAge;
    }

    private Entry? Drop(TKey key)
    {
        if (!_nodes.Remove(key, out LinkedListNode<Entry>? node)) return null;
        _order.Remove(node);
        _bytes -= node.Value.Bytes;
        return node.Value;
    }
}
