using Aiproxy.Protocols;

namespace Aiproxy.Tests.Protocols;

public sealed class BoundedTableTests
{
    private readonly FakeClock _clock = new();

    private BoundedTable<string, string> Table(int entries = 3, long bytes = 100) => new(entries, bytes, TimeSpan.FromHours(1), _clock, value => value.Length);

    [Fact]
    public void TooManyEntries_UsedLongestAgoGoes()
    {
        BoundedTable<string, string> table = Table();
        foreach (string key in (string[])["a", "b", "c"]) table.Put(key, key);
        Assert.True(table.TryGet("a", out _));
        table.Put("d", "d");
        Assert.False(table.TryGet("b", out _));
        Assert.True(table.TryGet("a", out _));
        Assert.Equal(3, table.Count);
    }

    [Fact]
    public void TooManyBytes_OldestGo_AndTheSumStaysRight()
    {
        BoundedTable<string, string> table = Table(bytes: 10);
        table.Put("a", "xxxx");
        table.Put("b", "xxxx");
        table.Put("b", "xx");
        Assert.Equal(6, table.Bytes);
        table.Put("c", "xxxxxxxx");
        Assert.Equal((1 + 1, 10), (table.Count, table.Bytes));
        table.Put("d", "xxxxxxxxxxx");
        Assert.False(table.TryGet("d", out _));
        Assert.Equal(10, table.Bytes);
    }

    [Fact]
    public void OldEntry_IsNotFound_HoweverOftenItWasUsed()
    {
        BoundedTable<string, string> table = Table();
        table.Put("a", "x");
        _clock.Advance(TimeSpan.FromMinutes(40));
        Assert.True(table.TryGet("a", out _));
        _clock.Advance(TimeSpan.FromMinutes(21));
        Assert.False(table.Remove("a"));
        table.Put("a", "y");
        Assert.True(table.Remove("a"));
        Assert.Equal((0, 0L), (table.Count, table.Bytes));
    }
}
