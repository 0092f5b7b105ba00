using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class ByteBudgetTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);
    private readonly StepClock _clock = new();
    private readonly ByteBudget _budget = new(100);

    [Fact(Timeout = 60_000)]
    public async Task Free_IsGivenAtOnceAndReturnedOnce()
    {
        ByteBudget.Lease lease = await HaveAsync(60);
        Assert.Equal(60, _budget.Held);
        lease.Dispose();
        lease.Dispose();
        Assert.Equal(0, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task Full_WaitsInOrderOfArrival()
    {
        ByteBudget.Lease first = await HaveAsync(100);
        Task<ByteBudget.Lease?> second = AcquireAsync(80);
        Task<ByteBudget.Lease?> third = AcquireAsync(10);
        Assert.False(second.IsCompleted);
        first.Dispose();
        Assert.Equal(80, (await second)!.Bytes);
        Assert.Equal(10, (await third)!.Bytes);
    }

    [Fact(Timeout = 60_000)]
    public async Task SmallClaimBehindALargeOne_DoesNotOvertake()
    {
        await HaveAsync(50);
        Task<ByteBudget.Lease?> large = AcquireAsync(60);
        Task<ByteBudget.Lease?> small = AcquireAsync(1);
        Assert.Equal(2, _budget.Waiting);
        Assert.False(large.IsCompleted || small.IsCompleted);
    }

    [Fact(Timeout = 60_000)]
    public async Task TimePassed_GivesNullAndFreesTheNext()
    {
        await HaveAsync(50);
        Task<ByteBudget.Lease?> large = AcquireAsync(60);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Task<ByteBudget.Lease?> small = AcquireAsync(10);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await large);
        Assert.Equal(10, (await small)!.Bytes);
        Assert.Equal(60, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task Cancelled_HoldsNothing()
    {
        ByteBudget.Lease first = await HaveAsync(100);
        using var source = new CancellationTokenSource();
        Task<ByteBudget.Lease?> second = _budget.AcquireAsync(10, Wait, _clock, source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        Assert.Equal((0, 0), (_budget.Held, _budget.Waiting));
    }

    [Fact(Timeout = 60_000)]
    public async Task LargerThanTheBudget_IsAdmittedAlone()
    {
        ByteBudget.Lease first = await HaveAsync(1);
        Task<ByteBudget.Lease?> huge = AcquireAsync(500);
        Assert.False(huge.IsCompleted);
        first.Dispose();
        ByteBudget.Lease lease = (await huge)!;
        Assert.True(await lease.GrowAsync(500, Wait, _clock, default));
        Assert.Equal(1000, _budget.Held);
        Assert.False(AcquireAsync(1).IsCompleted);
    }

    [Fact(Timeout = 60_000)]
    public async Task Growing_GoesBeforeEntering()
    {
        ByteBudget.Lease one = await HaveAsync(50);
        ByteBudget.Lease two = await HaveAsync(50);
        Task<ByteBudget.Lease?> entering = AcquireAsync(20);
        Task<bool> growing = two.GrowAsync(40, Wait, _clock, default).AsTask();
        one.Dispose();
        Assert.True(await growing);
        Assert.False(entering.IsCompleted);
        Assert.Equal(90, _budget.Held);
        two.ShrinkTo(70);
        Assert.NotNull(await entering);
    }

    [Fact(Timeout = 60_000)]
    public async Task LimitRaised_AdmitsWaiters()
    {
        await HaveAsync(100);
        Task<ByteBudget.Lease?> second = AcquireAsync(100);
        _budget.Limit = 200;
        Assert.NotNull(await second);
    }

    [Fact(Timeout = 60_000)]
    public async Task ManyAtOnce_NeverPassTheLimitAndLeaveNothingBehind()
    {
        long most = 0;
        var random = new Random(7);
        int[] sizes = [.. Enumerable.Range(0, 2000).Select(_ => random.Next(1, 60))];
        await Parallel.ForEachAsync(sizes, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (size, token) =>
        {
            using var source = new CancellationTokenSource();
            ValueTask<ByteBudget.Lease?> claim = _budget.AcquireAsync(size, Wait, _clock, source.Token);
            if (size % 7 == 0)
                source.Cancel();
            try
            {
                using ByteBudget.Lease? lease = await claim;
                long held = _budget.Held;
                InterlockedMax(ref most, held);
                await Task.Yield();
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(0, size % 7);
            }
        });
        Assert.InRange(most, 1, 100);
        Assert.Equal((0, 0), (_budget.Held, _budget.Waiting));
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (long seen = Interlocked.Read(ref target); value > seen;)
            seen = Interlocked.CompareExchange(ref target, value, seen) == seen ? value : Interlocked.Read(ref target);
    }

    private Task<ByteBudget.Lease?> AcquireAsync(long bytes) => _budget.AcquireAsync(bytes, Wait, _clock, default).AsTask();

    private async Task<ByteBudget.Lease> HaveAsync(long bytes) => (await AcquireAsync(bytes))!;
}
