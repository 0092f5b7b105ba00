using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class LargeMemoryTests
{
    private int _collections;

    private readonly LargeMemory _memory;

    public LargeMemoryTests() => _memory = new LargeMemory(() => _collections++);

    [Fact]
    public void LargeBodies_AreCollectedAfterSome()
    {
        for (int i = 0; i < 16; i++) _memory.Given(8 * 1024 * 1024);
        Assert.Equal(4, _collections);
    }

    [Fact]
    public void CommonBodies_AreLeftToTheCollector()
    {
        for (int i = 0; i < 1000; i++) _memory.Given(1024 * 1024);
        Assert.Equal(0, _collections);
    }

    [Fact]
    public async Task BudgetGivenBack_IsTold()
    {
        var budget = new ByteBudget(long.MaxValue, _memory);
        (await budget.AcquireAsync(LargeMemory.MostBytes, TimeSpan.Zero, new FakeClock(), CancellationToken.None))!.Dispose();
        Assert.Equal(1, _collections);
    }
}
