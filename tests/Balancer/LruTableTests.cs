using Aiproxy.Balancer;

namespace Aiproxy.Tests.Balancer;

public sealed class LruTableTests
{
    [Fact]
    public void Full_ForgetsWhatWasUsedLongestAgo()
    {
        var table = new LruTable<string, string>(2);
        table.GetOrAdd("a", key => key + "1");
        table.GetOrAdd("b", key => key + "1");
        Assert.Equal("a1", table.Find("a"));
        table.GetOrAdd("c", key => key + "1");
        Assert.Equal(2, table.Count);
        Assert.Null(table.Find("b"));
        Assert.Equal("a1", table.GetOrAdd("a", _ => "new"));
        Assert.Equal(["a", "c"], table.Entries().Select(entry => entry.Key));
    }

    [Fact]
    public void ModelNameOfMegabytes_IsCut() => Assert.Equal(256, ModelKey.Of(new string('x', 1 << 20)).Length);
}
