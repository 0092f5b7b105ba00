using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Tests.Balancer;

public sealed class RouterTests
{
    [Fact]
    public void UpstreamThatNamesNothing_ServesEveryModelUnderItsName() => Assert.Equal(["u=any"], Routes("any", Upstream("u")));

    [Fact]
    public void AvailableModels_DecideWhereGiven()
    {
        UpstreamConfig upstream = Upstream("u", available: ["a", "claude-*"], mappings: [("b", "x"), ("a", "y")]);
        Assert.Equal(["u=y"], Routes("a", upstream));
        Assert.Equal(["u=claude-3"], Routes("claude-3", upstream));
        Assert.Empty(Routes("b", upstream));
    }

    [Fact]
    public void MappingsAlone_NameWhatIsServed()
    {
        UpstreamConfig upstream = Upstream("u", mappings: [("a", "x"), ("claude-*", "y")]);
        Assert.Equal(["u=x"], Routes("a", upstream));
        Assert.Equal(["u=y"], Routes("claude-3", upstream));
        Assert.Empty(Routes("b", upstream));
    }

    [Fact]
    public void ExactName_WinsOverTheLongestPrefixOverShorterOnes()
    {
        UpstreamConfig upstream = Upstream("u", mappings: [("*", "all"), ("claude-*", "short"), ("claude-opus-*", "long"), ("claude-opus-5", "exact")]);
        Assert.Equal(["u=exact"], Routes("claude-opus-5", upstream));
        Assert.Equal(["u=long"], Routes("claude-opus-4", upstream));
        Assert.Equal(["u=short"], Routes("claude-haiku", upstream));
        Assert.Equal(["u=all"], Routes("gpt", upstream));
    }

    [Fact]
    public void StarElsewhere_IsALetter()
    {
        UpstreamConfig upstream = Upstream("u", available: ["a*b"]);
        Assert.Empty(Routes("axb", upstream));
        Assert.Equal(["u=a*b"], Routes("a*b", upstream));
    }

    [Fact]
    public void Candidates_KeepFileOrderWithoutDisabledAndUnknownTypes() => Assert.Equal(["a=m", "d=m"], Routes("m",
        Upstream("a"), Upstream("b") with { Enabled = false }, Upstream("c") with { ApiType = "later" }, Upstream("d", available: ["m"]), Upstream("e", available: ["n"])));

    [Fact]
    public void BlankedList_CountsAsNotGiven() => Assert.Equal(["u=m"], Routes("m", Upstream("u", available: [])));

    [Fact]
    public void LongContextMark_IsTakenOffWhereNobodyServesIt()
    {
        Assert.Equal(["u=x"], Routes("claude-opus[1m]", Upstream("u", mappings: [("claude-opus", "x")])));
        Assert.Equal(["u=claude-opus"], Routes("claude-opus[1m]", Upstream("u", available: ["claude-opus"])));
        Assert.Empty(Routes("[1m]", Upstream("u", available: ["claude-opus"])));
    }

    [Fact]
    public void LongContextMark_StaysWhereTheFileSpellsItOut()
    {
        Assert.Equal(["u=claude-opus[1m]"], Routes("claude-opus[1m]", Upstream("u", available: ["claude-opus[1m]"]), Upstream("v", available: ["claude-opus"])));
        Assert.Equal(["u=long"], Routes("claude-opus[1m]", Upstream("u", mappings: [("claude-opus[1m]", "long"), ("claude-opus", "short")])));
    }

    [Fact]
    public void LongContextMark_IsNotSentByUpstreamsThatServeEverything() => Assert.Equal(["u=claude-opus"], Routes("claude-opus[1m]", Upstream("u")));

    [Fact]
    public void Fallbacks_MakeAChain()
    {
        Router router = RouterOf(new() { ["big"] = "middle", ["middle"] = "small" });
        Assert.Equal(["middle", "small"], router.Fallbacks("big"));
        Assert.Equal(["middle", "small"], router.Fallbacks("big[1m]"));
        Assert.Equal(["small"], router.Fallbacks("middle"));
        Assert.Empty(router.Fallbacks("small"));
    }

    [Fact]
    public void FallbacksInACycle_End() => Assert.Equal(["b", "c"], RouterOf(new() { ["a"] = "b", ["b"] = "c", ["c"] = "a" }).Fallbacks("a"));

    [Fact]
    public void ListedModels_AreTheNamesInFileOrderOnce()
    {
        var router = new Router(TestUpstreams.Config(
            Upstream("a", available: ["m", "p-*", "n"], mappings: [("n", "x"), ("unserved", "x"), ("p-1", "x")]),
            Upstream("b", mappings: [("q", "x"), ("m", "x"), ("r*", "x")]),
            Upstream("c", available: ["hidden"]) with { Enabled = false },
            Upstream("d")), ["openai"]);
        Assert.Equal(["m", "n", "p-1", "q"], router.ListedModels());
    }

    private static IEnumerable<string> Routes(string model, params UpstreamConfig[] upstreams) =>
        new Router(TestUpstreams.Config(upstreams), ["openai"]).Routes(model).Select(route => $"{route.Upstream.Name}={route.UpstreamModel}");

    private static Router RouterOf(Dictionary<string, string> fallbacks) => new(TestUpstreams.Config() with { ModelFallback = fallbacks }, ["openai"]);

    private static UpstreamConfig Upstream(string name, string[]? available = null, (string From, string To)[]? mappings = null) => TestUpstreams.Make(name) with
    {
        AvailableModels = available,
        ModelMappings = (mappings ?? []).ToDictionary(mapping => mapping.From, mapping => mapping.To),
    };
}
