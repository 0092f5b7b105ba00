namespace Aiproxy.Server;

/// <summary>One request's share of the budget, through reading and every layer of unpacking: asking again goes before requests that hold nothing yet.</summary>
internal sealed class BodyShare(ByteBudget budget, TimeSpan maxWait, TimeProvider clock)
{
    private ByteBudget.Lease? _lease;

    /// <summary>false: the budget did not become free in time.</summary>
    public async ValueTask<bool> TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        if (_lease is not null)
            return await _lease.GrowAsync(bytes, maxWait, clock, cancellationToken);
        _lease = await budget.AcquireAsync(bytes, maxWait, clock, cancellationToken);
        return _lease is not null;
    }

    public void Give(int bytes) => _lease?.ShrinkTo(_lease.Bytes - bytes);
}
