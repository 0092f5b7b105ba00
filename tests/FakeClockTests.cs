namespace Aiproxy.Tests;

public sealed class FakeClockTests
{
    private readonly FakeClock clock = new();

    [Fact]
    public void TimersDue_FireInOrderOfTheirTimeAndSeeIt()
    {
        var seen = new List<(string, double)>();
        DateTimeOffset start = clock.Now;
        void Note(object? name) => seen.Add(((string)name!, (clock.Now - start).TotalSeconds));
        using ITimer late = clock.CreateTimer(Note, "late", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using ITimer early = clock.CreateTimer(Note, "early", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        using ITimer twice = clock.CreateTimer(Note, "twice", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

        clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal([("early", 1), ("twice", 2), ("late", 3), ("twice", 4)], seen);
        Assert.Equal(start.AddSeconds(4), clock.Now);
    }

    [Fact]
    public void DelayOfTheClock_EndsWhenAdvanced()
    {
        Task delay = Task.Delay(TimeSpan.FromSeconds(5), clock);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(delay.IsCompletedSuccessfully);
    }

    [Fact]
    public void DisposedTimer_DoesNotFire()
    {
        bool fired = false;
        ITimer timer = clock.CreateTimer(_ => fired = true, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        timer.Dispose();
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(fired);
        Assert.Equal(0, clock.PendingTimers);
    }

    [Fact]
    public void CallbackThatSetsATimer_HasItFiredInTheSameAdvance()
    {
        var fired = new List<DateTimeOffset>();
        DateTimeOffset start = clock.Now;
        ITimer? inner = null;
        using ITimer outer = clock.CreateTimer(
            _ => inner = clock.CreateTimer(_ => fired.Add(clock.Now), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan),
            null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([start.AddSeconds(2)], fired);
        inner?.Dispose();
    }
}
