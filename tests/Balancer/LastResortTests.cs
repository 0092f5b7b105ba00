using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Tests.Balancer;

public sealed class LastResortTests
{
    private readonly FakeClock clock = new();
    private readonly LastResort resort;
    private readonly CircuitBreaker first;
    private readonly CircuitBreaker second;

    public LastResortTests()
    {
        resort = new LastResort(clock);
        first = Opened(minutes: 5);
        second = Opened(minutes: 1);
    }

    [Fact]
    public void AllOpen_ProbesTheOneDueFirst()
    {
        Assert.True(resort.TryProbe("m", [first, second], out int index, out CircuitPass pass));
        Assert.Equal(1, index);
        Assert.True(pass.IsProbe);
    }

    [Fact]
    public void ProbeUnderWay_NoSecondOne()
    {
        Assert.True(resort.TryProbe("m", [first, second], out _, out _));
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(resort.TryProbe("m", [first, second], out _, out _));
    }

    [Fact]
    public void ProbesThatFail_GoOnceASecond()
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.True(resort.TryProbe("m", [first, second], out int index, out CircuitPass pass));
            (index == 0 ? first : second).Failed(pass);
            clock.Advance(TimeSpan.FromSeconds(0.9));
            Assert.False(resort.TryProbe("m", [first, second], out _, out _));
            clock.Advance(TimeSpan.FromSeconds(0.1));
        }
    }

    [Fact]
    public void RestingByTheProvidersWord_IsPassedOver()
    {
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(second.TryEnter(out CircuitPass probe));
        second.Limited(probe, clock.Now.AddHours(3));
        Assert.True(resort.TryProbe("m", [first, second], out int index, out _));
        Assert.Equal(0, index);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(resort.TryProbe("m", [second], out _, out _));
    }

    private CircuitBreaker Opened(int minutes)
    {
        var circuit = new CircuitBreaker(new CircuitConfig(1, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(minutes)), clock);
        circuit.TryEnter(out CircuitPass pass);
        circuit.Failed(pass);
        return circuit;
    }
}
