namespace Aiproxy.OAuthCache;

/// <summary>Refreshes that failed for good, so that none is sent twice. In memory only, by digest; bounded. Thread-safe.</summary>
public sealed class RefusedTokens
{
    private const int Most = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _reasons = [];
    private readonly Queue<string> _order = [];

    /// <param name="fingerprint"><see cref="RefreshRequest.Fingerprint"/>.</param>
    public void Add(string fingerprint, string reason)
    {
        lock (_gate)
        {
            if (!_reasons.TryAdd(fingerprint, reason)) return;
            _order.Enqueue(fingerprint);
            if (_order.Count > Most) _reasons.Remove(_order.Dequeue());
        }
    }

    /// <summary>The reason told when it failed; null: it has not.</summary>
    public string? Find(string fingerprint)
    {
        lock (_gate) return _reasons.GetValueOrDefault(fingerprint);
    }
}
