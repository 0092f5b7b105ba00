namespace Aiproxy.Protocols;

/// <summary>Keeps the thinking of recent answers for clients that have no place for its proofs, or that send back a reference instead. Thread-safe.</summary>
/// <remarks>Keyed by the client's key as well, so that nobody gets another one's thinking. What is forgotten counts as "no proof", never as an error.</remarks>
/// <param name="maxBytes">Of text and proofs together.</param>
public sealed class ProofCache(TimeProvider clock, int maxEntries = ProofCache.DefaultMaxEntries, long maxBytes = ProofCache.DefaultMaxBytes)
{
    /// <summary>A long agent run has some hundred calls: enough for hundreds of runs at once.</summary>
    public const int DefaultMaxEntries = 50_000;

    /// <summary>32 MB: an encrypted proof has some kilobytes, a signature some hundred bytes.</summary>
    public const long DefaultMaxBytes = 32 * 1024 * 1024;

    // A conversation that is taken up the next morning still goes on; a day later the caches of the providers are cold as well.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    private readonly BoundedTable<(string Client, string Key), AnswerProof> _proofs = new(maxEntries, maxBytes, MaxAge, clock, static proof => proof.Bytes);

    public int Count => _proofs.Count;

    /// <param name="client">Identity of the client's key; empty where there are no keys.</param>
    /// <param name="key">A call's id as the client saw it, or <see cref="ReasoningKey"/>.</param>
    public void Record(string client, string key, AnswerProof proof) => _proofs.Put((client, key), proof);

    public AnswerProof? Find(string client, string key) => _proofs.TryGet((client, key), out AnswerProof? proof) ? proof : null;

    /// <summary>The key of the thinking that no call follows in a Responses answer of ours; null: the id is not one of ours.</summary>
    /// <param name="itemId"><c>rs_</c>, the answer's seed of 24 characters, the item's number.</param>
    public static string? ReasoningKey(string itemId) =>
        itemId.Length > SeedEnd && itemId.StartsWith("rs_", StringComparison.Ordinal) ? itemId[..SeedEnd] : null;

    private const int SeedEnd = 3 + 24;
}
