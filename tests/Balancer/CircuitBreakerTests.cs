using Aiproxy.Balancer;
using Aiproxy.Config;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Balancer;

public sealed class CircuitBreakerTests
{
    private readonly FakeClock clock = new();
    private readonly CircuitBreaker circuit;

    public CircuitBreakerTests() => circuit = new CircuitBreaker(TestUpstreams.Circuit, clock);

    [Fact]
    public void FewerFailuresThanTheLimit_StaysClosed()
    {
        Fail(2);
        Assert.Equal(CircuitState.Closed, circuit.State);
        Assert.Null(circuit.BlockedUntil);
    }

    [Fact]
    public void FailuresInARow_OpenForTheFirstWait()
    {
        Fail(3);
        Assert.Equal(CircuitState.Open, circuit.State);
        Assert.Equal(clock.Now.AddMinutes(1), circuit.BlockedUntil);
        Assert.False(circuit.TryEnter(out _));
    }

    [Fact]
    public void LastFailure_IsTheOneThatReportsOpening()
    {
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => circuit.Failed(Enter())));
    }

    [Fact]
    public void SuccessBetweenFailures_StartsTheCountAnew()
    {
        Fail(2);
        circuit.Succeeded(Enter());
        Fail(2);
        Assert.Equal(CircuitState.Closed, circuit.State);
    }

    [Fact]
    public void CancelledBetweenFailures_ChangesNothing()
    {
        Fail(2);
        circuit.Cancelled(Enter());
        Fail(1);
        Assert.Equal(CircuitState.Open, circuit.State);
    }

    [Fact]
    public void WaitOver_LetsInExactlyOneProbe()
    {
        Fail(3);
        clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.False(circuit.TryEnter(out _));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(Enter().IsProbe);
        Assert.Equal(CircuitState.HalfOpen, circuit.State);
        Assert.False(circuit.TryEnter(out _));
    }

    [Fact]
    public void ProbeSucceeds_ClosesAndForgetsTheWait()
    {
        Fail(3);
        FailProbe(minutes: 1);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.True(circuit.Succeeded(Enter()));
        Assert.Equal(CircuitState.Closed, circuit.State);
        Fail(3);
        Assert.Equal(clock.Now.AddMinutes(1), circuit.BlockedUntil);
    }

    [Fact]
    public void ProbesFail_WaitDoublesUpToTheLimit()
    {
        Fail(3);
        foreach (int minutes in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            Assert.Equal(clock.Now.AddMinutes(minutes), circuit.BlockedUntil);
            FailProbe(minutes);
        }
    }

    [Fact]
    public void FirstWaitEqualToTheLongest_IsFixed()
    {
        var fixedWait = new CircuitBreaker(new CircuitConfig(1, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(30)), clock);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(fixedWait.TryEnter(out CircuitPass pass));
            fixedWait.Failed(pass);
            Assert.Equal(clock.Now.AddMinutes(30), fixedWait.BlockedUntil);
            clock.Advance(TimeSpan.FromMinutes(30));
        }
    }

    [Fact]
    public void ProbeCancelled_FreesItsPlaceAtOnce()
    {
        CircuitPass probe = Probe();
        circuit.Cancelled(probe);
        Assert.Equal(CircuitState.HalfOpen, circuit.State);
        Assert.Null(circuit.BlockedUntil);
        Assert.True(Enter().IsProbe);
    }

    [Fact]
    public void LateResults_MoveNothing()
    {
        CircuitPass[] early = [Enter(), Enter(), Enter(), Enter(), Enter()];
        foreach (CircuitPass pass in early[..3]) circuit.Failed(pass);
        Assert.False(circuit.Succeeded(early[3]));
        Assert.Equal(CircuitState.Open, circuit.State);
        clock.Advance(TimeSpan.FromMinutes(1));
        CircuitPass probe = Enter();
        circuit.Cancelled(probe);
        CircuitPass second = Enter();
        circuit.Failed(early[4]);
        circuit.Failed(probe);
        circuit.Cancelled(probe);
        Assert.True(circuit.IsProbeOut);
        circuit.Succeeded(second);
        Assert.Equal(CircuitState.Closed, circuit.State);
    }

    [Fact]
    public void PassNeverGiven_MovesNothing()
    {
        for (int i = 0; i < 3; i++) circuit.Failed(default);
        Assert.Equal(CircuitState.Closed, circuit.State);
    }

    [Fact]
    public void ProbeAnswering_LetsOthersInButIsOnTrial()
    {
        CircuitPass probe = circuit.Answering(Probe());
        Assert.Equal(CircuitState.Closed, circuit.State);
        CircuitPass other = Enter();
        Assert.False(other.IsProbe);
        Assert.True(circuit.Failed(probe));
        Assert.Equal(clock.Now.AddMinutes(2), circuit.BlockedUntil);
    }

    [Fact]
    public void ProbeAnsweringToTheEnd_ForgetsTheTrial()
    {
        circuit.Succeeded(circuit.Answering(Probe()));
        Fail(2);
        Assert.Equal(CircuitState.Closed, circuit.State);
    }

    [Fact]
    public void NamedTime_HoldsBackUntilThen()
    {
        DateTimeOffset until = clock.Now.AddMinutes(20);
        circuit.Limited(Enter(), until);
        Assert.False(circuit.TryEnter(out _));
        Assert.Equal(until, circuit.BlockedUntil);
        Assert.Equal(until, circuit.RestsUntil);
        Assert.Equal(CircuitState.Closed, circuit.State);
        clock.AdvanceTo(until);
        Assert.False(Enter().IsProbe);
        Assert.Null(circuit.BlockedUntil);
        Assert.Null(circuit.RestsUntil);
    }

    [Fact]
    public void NamedTimeBeyondHalfAnHour_IsTriedOnceAnHour()
    {
        circuit.Limited(Enter(), clock.Now.AddHours(5));
        for (int hour = 1; hour <= 3; hour++)
        {
            clock.Advance(TimeSpan.FromMinutes(59));
            Assert.False(circuit.TryEnter(out _));
            clock.Advance(TimeSpan.FromMinutes(1));
            Assert.True(Enter().IsProbe);
            Assert.False(circuit.TryEnter(out _));
        }
    }

    [Fact]
    public void TrySucceeds_EndsTheRest()
    {
        circuit.Limited(Enter(), clock.Now.AddHours(5));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(circuit.Succeeded(Enter()));
        Assert.False(Enter().IsProbe);
    }

    [Fact]
    public void TryCancelled_AnotherMayGo()
    {
        circuit.Limited(Enter(), clock.Now.AddHours(5));
        clock.Advance(TimeSpan.FromHours(1));
        circuit.Cancelled(Enter());
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void TryToldANearerTime_RestsUntilThat()
    {
        circuit.Limited(Enter(), clock.Now.AddHours(5));
        clock.Advance(TimeSpan.FromHours(1));
        DateTimeOffset nearer = clock.Now.AddMinutes(2);
        circuit.Limited(Enter(), nearer);
        Assert.Equal(nearer, circuit.RestsUntil);
    }

    [Fact]
    public void RequestLetInBefore_NeitherEndsNorShortensTheRest()
    {
        CircuitPass first = Enter();
        CircuitPass second = Enter();
        CircuitPass third = Enter();
        DateTimeOffset until = clock.Now.AddMinutes(20);
        circuit.Limited(first, until);
        circuit.Succeeded(second);
        circuit.Limited(third, clock.Now.AddSeconds(1));
        Assert.Equal(until, circuit.RestsUntil);
    }

    [Fact]
    public void Wake_EndsTheRest()
    {
        circuit.Limited(Enter(), clock.Now.AddHours(5));
        circuit.Wake();
        Assert.Null(circuit.BlockedUntil);
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void ProbeToldATime_ProbesAgainAfterTheRest()
    {
        circuit.Limited(Probe(), clock.Now.AddMinutes(10));
        Assert.False(circuit.TryEnter(out _));
        Assert.False(circuit.TryForce(out _));
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.True(Enter().IsProbe);
        Assert.False(circuit.TryEnter(out _));
    }

    [Fact]
    public void ForcedProbeFails_KeepsTheTime()
    {
        Fail(3);
        DateTimeOffset due = circuit.BlockedUntil!.Value;
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(circuit.TryForce(out CircuitPass pass));
        Assert.False(circuit.TryForce(out _));
        Assert.False(circuit.TryEnter(out _));
        circuit.Failed(pass);
        Assert.Equal(due, circuit.BlockedUntil);
        Assert.True(circuit.TryForce(out pass));
        circuit.Cancelled(pass);
        Assert.Equal(due, circuit.BlockedUntil);
        Assert.Equal(CircuitState.Open, circuit.State);
    }

    [Fact]
    public void ForcedProbeSucceeds_Closes()
    {
        Fail(3);
        Assert.True(circuit.TryForce(out CircuitPass pass));
        circuit.Succeeded(pass);
        Assert.Equal(CircuitState.Closed, circuit.State);
    }

    [Fact]
    public void Reset_ClosesWhatWasBlockedAndSaysSo()
    {
        Assert.False(circuit.Reset());
        Fail(3);
        Assert.True(circuit.Reset());
        Assert.False(Enter().IsProbe);
        circuit.Limited(Enter(), clock.Now.AddHours(1));
        Assert.True(circuit.Reset());
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void NewLimits_HoldFromTheNextFailure()
    {
        Fail(1);
        circuit.Configure(new CircuitConfig(2, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5)));
        Fail(1);
        Assert.Equal(clock.Now.AddSeconds(5), circuit.BlockedUntil);
    }

    [Fact]
    public void AnyInterleaving_NeverLetsInTwoProbes()
    {
        // 0-2 enter, 3 force, 4 answer, 5 succeed, 6-7 fail, 8 cancel, 9 limit, 10-11 wait; the second number picks a pass and the size of a step.
        Prop.ForAll<(byte Action, byte Choice)[]>(steps =>
        {
            var time = new FakeClock();
            var breaker = new CircuitBreaker(new CircuitConfig(2, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(1)), time);
            var open = new List<CircuitPass>();
            var probes = new HashSet<CircuitPass>();
            foreach ((byte action, byte choice) in steps ?? [])
            {
                switch (action % 12)
                {
                    case <= 2 when breaker.TryEnter(out CircuitPass pass): Take(pass); break;
                    case 3 when breaker.TryForce(out CircuitPass pass): Take(pass); break;
                    case 4 when open.Count > 0: Take(breaker.Answering(Give(choice)), isProbe: false); break;
                    case 5 when open.Count > 0: breaker.Succeeded(Give(choice)); break;
                    case 6 or 7 when open.Count > 0: breaker.Failed(Give(choice)); break;
                    case 8 when open.Count > 0: breaker.Cancelled(Give(choice)); break;
                    case 9 when open.Count > 0: breaker.Limited(Give(choice), time.Now.AddMinutes(choice)); break;
                    case >= 10: time.Advance(TimeSpan.FromSeconds(choice)); break;
                }
            }

            void Take(CircuitPass pass, bool isProbe = true)
            {
                open.Add(pass);
                if (!isProbe || breaker.State != CircuitState.HalfOpen) return;
                Assert.True(pass.IsProbe);
                Assert.Empty(probes);
                probes.Add(pass);
            }

            CircuitPass Give(byte choice)
            {
                CircuitPass pass = open[choice % open.Count];
                open.Remove(pass);
                probes.Remove(pass);
                return pass;
            }
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(200));
    }

    [Fact]
    public async Task ManyThreads_OneProbeGetsIn()
    {
        for (int round = 0; round < 200; round++)
        {
            Fail(3);
            clock.Advance(TimeSpan.FromMinutes(1));
            using var start = new Barrier(4);
            int admitted = 0;
            CircuitPass winner = default;
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
            {
                start.SignalAndWait();
                if (!circuit.TryEnter(out CircuitPass pass)) return;
                winner = pass;
                Interlocked.Increment(ref admitted);
            }, TaskCreationOptions.LongRunning)));
            Assert.Equal(1, admitted);
            circuit.Succeeded(winner);
        }
    }

    private CircuitPass Enter()
    {
        Assert.True(circuit.TryEnter(out CircuitPass pass));
        return pass;
    }

    private void Fail(int times)
    {
        for (int i = 0; i < times; i++) circuit.Failed(Enter());
    }

    private CircuitPass Probe()
    {
        Fail(3);
        clock.Advance(TimeSpan.FromMinutes(1));
        return Enter();
    }

    private void FailProbe(int minutes)
    {
        clock.Advance(TimeSpan.FromMinutes(minutes));
        circuit.Failed(Enter());
    }
}
