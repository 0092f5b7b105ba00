using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Balancer;

public sealed class UpstreamStateTests
{
    private readonly FakeClock clock = new();
    private readonly UpstreamState state;

    public UpstreamStateTests() => state = new UpstreamState(["none"], TestUpstreams.Circuit, clock);

    [Fact]
    public void PlacesTaken_NoMoreAreGiven()
    {
        Assert.True(state.TryEnter(2));
        Assert.True(state.TryEnter(2));
        Assert.False(state.TryEnter(2));
        Assert.Equal(2, state.InFlight);
        Assert.True(state.TryEnter(null));
        state.Leave();
        state.Leave();
        Assert.True(state.TryEnter(2));
    }

    [Fact]
    public async Task ManyThreads_NeverMoreThanTheLimitInside()
    {
        int inside = 0;
        int highest = 0;
        int entered = 0;
        using var start = new Barrier(4);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            for (int i = 0; i < 20000; i++)
            {
                if (!state.TryEnter(2)) continue;
                int now = Interlocked.Increment(ref inside);
                int seen = Volatile.Read(ref highest);
                while (now > seen) seen = Interlocked.CompareExchange(ref highest, now, seen) == seen ? now : Volatile.Read(ref highest);
                Interlocked.Increment(ref entered);
                Interlocked.Decrement(ref inside);
                state.Leave();
            }
        }, TaskCreationOptions.LongRunning)));
        Assert.InRange(highest, 1, 2);
        Assert.True(entered > 0);
        Assert.Equal(0, state.InFlight);
    }

    [Fact]
    public void CircuitsOfModels_AreApart()
    {
        Open("a");
        Assert.False(state.Circuit("a").TryEnter(out _));
        Assert.True(state.Circuit("b").TryEnter(out _));
        BlockedModel blocked = Assert.Single(state.BlockedModels());
        Assert.Equal(("a", CircuitState.Open, clock.Now.AddMinutes(1)), (blocked.Model, blocked.State, blocked.Until));
        Assert.True(state.Reset("a"));
        Assert.False(state.Reset("a"));
        Assert.False(state.Reset("never asked for"));
        Assert.Empty(state.BlockedModels());
    }

    [Fact]
    public void NewLimits_ReachCircuitsThatAreThere()
    {
        CircuitBreaker circuit = state.Circuit("a");
        state.Configure(new CircuitConfig(1, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1)));
        circuit.TryEnter(out CircuitPass pass);
        Assert.True(circuit.Failed(pass));
    }

    [Fact]
    public void Note_CountsWhatIsTheUpstreams()
    {
        foreach (Outcome outcome in new[] { Outcome.Success, Outcome.ClientGone, Outcome.Busy, Judgement.OfEmptyAnswer() }) state.Note(outcome);
        Assert.Equal((4, 1), (state.Attempts, state.Failures));
        Assert.Equal(ErrorKind.BadGateway, state.LastFailure!.Kind);
        Assert.Equal(clock.Now, state.LastFailure.At);
    }

    private void Open(string model)
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.True(state.Circuit(model).TryEnter(out CircuitPass pass));
            state.Circuit(model).Failed(pass);
        }
    }
}
