namespace Aiproxy.Server;

/// <summary>Bytes that all requests together may hold. First come, first served.</summary>
/// <remarks>Who holds some already goes before who holds none, because that one can finish.
/// A claim larger than the whole budget is admitted while nobody else holds anything, so that a legal request never waits for ever.
/// Claims that wait on one another end by their own time limit.</remarks>
/// <param name="memory">Told what was given back, whose memory is free by then; null: nobody is.</param>
public sealed class ByteBudget(long limit, LargeMemory? memory = null)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _growing = new();
    private readonly LinkedList<Waiter> _entering = new();
    private long _limit = limit;
    private long _held;

    /// <summary>In bytes. Lowering it takes nothing away from anybody; it only admits no more until enough is released.</summary>
    public long Limit
    {
        get
        {
            lock (_gate)
                return _limit;
        }

        set
        {
            lock (_gate)
            {
                _limit = value;
                Admit();
            }
        }
    }

    /// <summary>Bytes held now.</summary>
    public long Held
    {
        get
        {
            lock (_gate)
                return _held;
        }
    }

    /// <summary>Claims that wait now.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _growing.Count + _entering.Count;
        }
    }

    /// <summary>A lease of so many bytes, or null where <paramref name="maxWait"/> passed first.</summary>
    /// <param name="maxWait"><see cref="Timeout.InfiniteTimeSpan"/> waits without end.</param>
    /// <exception cref="OperationCanceledException">Cancelled while waiting; nothing is held.</exception>
    public async ValueTask<Lease?> AcquireAsync(long bytes, TimeSpan maxWait, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var lease = new Lease(this);
        return await ClaimAsync(lease, bytes, _entering, maxWait, clock, cancellationToken) ? lease : null;
    }

    private async ValueTask<bool> ClaimAsync(
        Lease lease, long bytes, LinkedList<Waiter> queue, TimeSpan maxWait, TimeProvider clock, CancellationToken cancellationToken)
    {
        Waiter waiter;
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            bool isFirst = _growing.Count == 0 && (queue == _growing || _entering.Count == 0);
            if (isFirst && Fits(lease, bytes))
            {
                Give(lease, bytes);
                return true;
            }

            waiter = new Waiter(lease, bytes);
            node = queue.AddLast(waiter);
        }

        try
        {
            await waiter.Granted.Task.WaitAsync(maxWait, clock, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            // Granted in the same moment counts as granted.
            return !TryWithdraw(queue, node);
        }
        catch (OperationCanceledException)
        {
            if (!TryWithdraw(queue, node))
                Take(lease, bytes);
            throw;
        }
    }

    /// <summary>False: it was granted before it could give up.</summary>
    private bool TryWithdraw(LinkedList<Waiter> queue, LinkedListNode<Waiter> node)
    {
        lock (_gate)
        {
            if (node.List is null)
                return false;
            queue.Remove(node);

            // The one behind may fit where this one did not.
            Admit();
            return true;
        }
    }

    private bool Fits(Lease lease, long bytes) => _held + bytes <= _limit || _held == lease.Bytes;

    private void Give(Lease lease, long bytes)
    {
        _held += bytes;
        lease.Bytes += bytes;
    }

    private void Take(Lease lease, long bytes)
    {
        lock (_gate)
        {
            bytes = Math.Min(bytes, lease.Bytes);
            lease.Bytes -= bytes;
            _held -= bytes;
            Admit();
        }
        memory?.Given(bytes);
    }

    private void Admit()
    {
        while ((_growing.First ?? _entering.First) is { } node && Fits(node.Value.Lease, node.Value.Bytes))
        {
            node.List!.Remove(node);
            Give(node.Value.Lease, node.Value.Bytes);
            node.Value.Granted.SetResult();
        }
    }

    private sealed class Waiter(Lease lease, long bytes)
    {
        public Lease Lease => lease;

        public long Bytes => bytes;

        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Bytes held by one request. Disposing gives them back; a second time does nothing. One owner at a time.</summary>
    public sealed class Lease : IDisposable
    {
        private readonly ByteBudget _budget;

        internal Lease(ByteBudget budget) => _budget = budget;

        public long Bytes { get; internal set; }

        /// <summary>More bytes for the same request; false where <paramref name="maxWait"/> passed first (what was held stays held).</summary>
        public ValueTask<bool> GrowAsync(long bytes, TimeSpan maxWait, TimeProvider clock, CancellationToken cancellationToken)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(bytes);
            return _budget.ClaimAsync(this, bytes, _budget._growing, maxWait, clock, cancellationToken);
        }

        /// <summary>Gives back what is more than <paramref name="bytes"/>.</summary>
        public void ShrinkTo(long bytes)
        {
            if (bytes < Bytes)
                _budget.Take(this, Bytes - bytes);
        }

        public void Dispose() => _budget.Take(this, long.MaxValue);
    }
}
