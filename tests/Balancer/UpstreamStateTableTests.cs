using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Tests.Balancer;

public sealed class UpstreamStateTableTests
{
    private readonly UpstreamStateTable table = new(new FakeClock());

    [Fact]
    public void UpstreamLeftAlone_KeepsItsState()
    {
        UpstreamConfig before = TestUpstreams.Make("u", tokens: ["sk-fake-a"]);
        UpstreamState state = Retain(before);
        Assert.Same(state, Retain(TestUpstreams.Make("u", weight: 7, tokens: ["sk-fake-a"])));
        Assert.Same(state, table.For(before));
    }

    [Fact]
    public void EditedUpstream_StartsFresh()
    {
        UpstreamConfig before = TestUpstreams.Make("u", tokens: ["sk-fake-a"]);
        UpstreamConfig[] edits =
        [
            before with { Name = "v" }, before with { ApiType = "anthropic" }, before with { BaseUrls = [new Uri("https://two.invalid")] },
            before with { Tokens = [new Secret("sk-fake-b")] }, before with { AuthFiles = ["/tmp/a.json"] },
        ];
        Assert.All(edits, edited =>
        {
            UpstreamState state = Retain(before);
            Assert.NotSame(state, Retain(edited));
        });
    }

    [Fact]
    public void OlderConfiguration_KeepsFindingItsOwnState()
    {
        UpstreamConfig old = TestUpstreams.Make("u", tokens: ["sk-fake-a"]);
        UpstreamState state = Retain(old);
        UpstreamState fresh = Retain(TestUpstreams.Make("u", tokens: ["sk-fake-b"]));
        Assert.Same(state, table.For(old));
        Assert.NotSame(state, fresh);
    }

    [Fact]
    public void UpstreamTakenOutAndPutBack_StartsFresh()
    {
        UpstreamState state = Retain(TestUpstreams.Make("u"));
        Retain(TestUpstreams.Make("v"));
        Assert.NotSame(state, Retain(TestUpstreams.Make("u")));
    }

    [Fact]
    public void UpstreamNeverRetained_HasAStateOfItsOwn()
    {
        UpstreamConfig stranger = TestUpstreams.Make("u");
        Assert.Same(table.For(stranger), table.For(stranger));
    }

    private UpstreamState Retain(UpstreamConfig upstream)
    {
        table.Retain([upstream], TestUpstreams.Circuit);
        return table.For(upstream);
    }
}
