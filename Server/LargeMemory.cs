namespace Aiproxy.Server;

/// <summary>Large arrays that were given up: the collector is asked to take them after some, rather than when it thinks best. Thread-safe.</summary>
/// <remarks>It counts what lives, and of a proxy next to nothing lives: bodies of 20 MB one after the other would stand in memory twenty times before it looked.</remarks>
public sealed class LargeMemory(Action collect)
{
    /// <summary>What is shorter is too common to be worth a collection, in bytes.</summary>
    public const int LeastBytes = 4 * 1024 * 1024;

    /// <summary>Given up before a collection, in bytes.</summary>
    public const int MostBytes = 32 * 1024 * 1024;

    private long _given;

    /// <summary>Not on the thread that gives it up: a client waits for that one.</summary>
    public static LargeMemory OfProcess() =>
        new(static () => ThreadPool.UnsafeQueueUserWorkItem(static _ => GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: false), null));

    public void Given(long bytes)
    {
        if (bytes < LeastBytes || Interlocked.Add(ref _given, bytes) < MostBytes) return;
        if (Interlocked.Exchange(ref _given, 0) >= MostBytes) collect();
    }
}
