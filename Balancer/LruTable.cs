namespace Aiproxy.Balancer;

/// <summary>A table that forgets what was asked for longest ago once it is full. Thread-safe.</summary>
public sealed class LruTable<TKey, TValue>(int capacity) where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<KeyValuePair<TKey, TValue>>> nodes = [];

    // Used last stands first.
    private readonly LinkedList<KeyValuePair<TKey, TValue>> order = [];

    public int Count
    {
        get
        {
            lock (gate) return nodes.Count;
        }
    }

    /// <summary><paramref name="make"/> runs under the table's lock and must not come back to the table.</summary>
    public TValue GetOrAdd(TKey key, Func<TKey, TValue> make)
    {
        lock (gate)
        {
            if (nodes.TryGetValue(key, out LinkedListNode<KeyValuePair<TKey, TValue>>? node)) return Touch(node);
            if (nodes.Count >= capacity && order.Last is { } oldest)
            {
                nodes.Remove(oldest.Value.Key);
                order.RemoveLast();
            }

            TValue value = make(key);
            nodes[key] = order.AddFirst(new KeyValuePair<TKey, TValue>(key, value));
            return value;
        }
    }

    public TValue? Find(TKey key)
    {
        lock (gate) return nodes.TryGetValue(key, out LinkedListNode<KeyValuePair<TKey, TValue>>? node) ? Touch(node) : default;
    }

    /// <summary>A copy, used last first.</summary>
    public IReadOnlyList<KeyValuePair<TKey, TValue>> Entries()
    {
        lock (gate) return [.. order];
    }

    private TValue Touch(LinkedListNode<KeyValuePair<TKey, TValue>> node)
    {
        if (order.First != node)
        {
            order.Remove(node);
            order.AddFirst(node);
        }

        return node.Value.Value;
    }
}
