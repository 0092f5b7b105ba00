using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class AttemptClockTests
{
    private readonly FakeClock _time = new();
    private readonly CancellationTokenSource _client = new();

    private AttemptClock Make(double totalSeconds = 0) =>
        new(_time, totalSeconds > 0 ? _time.GetTimestamp() + TimeSpan.FromSeconds(totalSeconds).Ticks : long.MaxValue, _client.Token);

    private void Pass(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(ClockPhase.Headers)]
    [InlineData(ClockPhase.FirstToken)]
    [InlineData(ClockPhase.Idle)]
    public void LimitOver_CancelsAndNamesThePhase(ClockPhase phase)
    {
        using AttemptClock clock = Make();
        clock.Enter(phase, TimeSpan.FromSeconds(10));

        Pass(9.9);
        Assert.False(clock.Token.IsCancellationRequested);
        Pass(0.2);
        Assert.True(clock.Token.IsCancellationRequested);
        Assert.Equal(phase, clock.Expired);
    }

    [Fact]
    public void NoLimit_NeverFires()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Headers, TimeSpan.Zero);

        Pass(1_000_000);
        Assert.Null(clock.Expired);
    }

    [Fact]
    public void LimitOfMonths_IsBorne_AndHolds()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Idle, TimeSpan.FromDays(100));

        _time.Advance(TimeSpan.FromDays(99));
        Assert.Null(clock.Expired);
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(ClockPhase.Idle, clock.Expired);
    }

    [Fact]
    public void LongLimit_NeverAsksTheTimerForMoreThanItTakes()
    {
        using var clock = new AttemptClock(TimeProvider.System, long.MaxValue, CancellationToken.None);
        clock.Enter(ClockPhase.Idle, TimeSpan.FromDays(365));
        Assert.False(clock.Token.IsCancellationRequested);
    }

    [Fact]
    public void Touch_StartsThePhaseAgain_WithoutANewTimer()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Idle, TimeSpan.FromSeconds(10));
        for (int i = 0; i < 10; i++)
        {
            Pass(9);
            clock.Touch();
        }
        Assert.Null(clock.Expired);
        Assert.Equal(1, _time.PendingTimers);
        Pass(10.1);
        Assert.Equal(ClockPhase.Idle, clock.Expired);
    }

    [Fact]
    public void NextPhase_ReplacesTheOneBefore()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Headers, TimeSpan.FromSeconds(10));
        Pass(9);
        clock.Enter(ClockPhase.FirstToken, TimeSpan.FromSeconds(10));
        Pass(9);
        Assert.Null(clock.Expired);
        Pass(2);
        Assert.Equal(ClockPhase.FirstToken, clock.Expired);
    }

    [Fact]
    public void Paused_TimeStandsStill_AndStartsAgain()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Idle, TimeSpan.FromSeconds(10));
        clock.Pause();
        Pass(100);
        Assert.Null(clock.Expired);
        clock.Resume();
        Pass(9);
        Assert.Null(clock.Expired);
        Pass(2);
        Assert.Equal(ClockPhase.Idle, clock.Expired);
    }

    [Fact]
    public void Total_EndsEarlierThanThePhase_AlsoWhilePaused()
    {
        using AttemptClock clock = Make(totalSeconds: 5);
        clock.Enter(ClockPhase.Headers, TimeSpan.FromSeconds(10));
        clock.Pause();
        Pass(5.1);
        Assert.Equal(ClockPhase.Total, clock.Expired);
    }

    [Fact]
    public void TotalStopped_OnlyThePhaseCounts()
    {
        using AttemptClock clock = Make(totalSeconds: 5);
        clock.Enter(ClockPhase.Idle, TimeSpan.FromSeconds(10));
        clock.StopTotal();
        Pass(9);
        Assert.Null(clock.Expired);
        Pass(2);
        Assert.Equal(ClockPhase.Idle, clock.Expired);
    }

    [Fact]
    public void TotalOverAlready_FiresAtOnce()
    {
        using var clock = new AttemptClock(_time, _time.GetTimestamp() - 1, _client.Token);
        clock.Enter(ClockPhase.Headers, TimeSpan.FromSeconds(10));
        Pass(0);
        Assert.Equal(ClockPhase.Total, clock.Expired);
    }

    [Fact]
    public void ClientGone_CancelsWithoutBlamingAnyPhase()
    {
        using AttemptClock clock = Make();
        clock.Enter(ClockPhase.Headers, TimeSpan.FromSeconds(10));
        _client.Cancel();
        Assert.True(clock.Token.IsCancellationRequested);
        Assert.Null(clock.Expired);
    }

    [Fact]
    public void Disposed_LeavesNoTimer_AndBearsLateCalls()
    {
        AttemptClock clock = Make(totalSeconds: 5);
        clock.Enter(ClockPhase.Headers, TimeSpan.FromSeconds(10));
        clock.Dispose();
        Assert.Equal(0, _time.PendingTimers);
        clock.Enter(ClockPhase.Idle, TimeSpan.FromSeconds(1));
        clock.Resume();
        clock.Cancel();
        Pass(100);
        Assert.Null(clock.Expired);
    }
}
