using Aiproxy.Balancer;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Balancer;

public sealed class WeightedRoundRobinTests
{
    private readonly WeightedRoundRobin robin = new();

    [Fact]
    public void FiveOneOne_ComesInTheSmoothOrder()
    {
        Route[] all = [TestUpstreams.Route("a", 5), TestUpstreams.Route("b"), TestUpstreams.Route("c")];
        Assert.Equal("aabacaaaabacaa", Picks(all, 14));
    }

    [Fact]
    public void AnyWeights_SharesAreExactInEveryWindowOfACycle() => Prop.ForAll(Weights(), weights =>
    {
        var fresh = new WeightedRoundRobin();
        Route[] all = [.. weights.Select((weight, i) => TestUpstreams.Route($"u{i}", weight))];
        int cycle = weights.Sum();
        string[] picks = [.. Enumerable.Range(0, cycle * 3).Select(_ => fresh.Pick("m", all).Upstream.Name)];
        for (int start = 0; start <= cycle * 2; start++)
        {
            foreach (Route route in all)
            {
                Assert.Equal(route.Upstream.Weight, picks.AsSpan(start, cycle).Count(route.Upstream.Name));
            }
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void SetsThatAlternate_EachKeepItsShares() => Prop.ForAll(Weights(), ArbMap.Default.ArbFor<bool[]>(), (weights, turns) =>
    {
        var fresh = new WeightedRoundRobin();
        Route[] all = [.. weights.Select((weight, i) => TestUpstreams.Route($"u{i}", weight))];
        Route[] fewer = all.Length > 1 ? all[1..] : all;
        var whole = new List<string>();
        int cycle = weights.Sum();
        foreach (bool isWhole in Enumerable.Repeat(turns ?? [], cycle).SelectMany(turn => turn))
        {
            string name = fresh.Pick("m", isWhole ? all : fewer).Upstream.Name;
            if (isWhole && fewer != all) whole.Add(name);
        }

        foreach (string[] chunk in whole.Chunk(cycle).Where(chunk => chunk.Length == cycle))
        {
            foreach (Route route in all) Assert.Equal(route.Upstream.Weight, chunk.Count(name => name == route.Upstream.Name));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void SecondPicks_LeaveTheFirstOnesAlone()
    {
        Route[] all = [TestUpstreams.Route("a", 5), TestUpstreams.Route("b"), TestUpstreams.Route("c")];
        string first = "";
        for (int i = 0; i < 14; i++)
        {
            Route pick = robin.Pick("m", all);
            first += pick.Upstream.Name;
            robin.PickAgain("m", [.. all.Where(route => route != pick)]);
        }

        Assert.Equal("aabacaaaabacaa", first);
    }

    [Fact]
    public void SecondPicksAmongTheSameSet_LeaveTheFirstOnesAlone()
    {
        Route[] two = [TestUpstreams.Route("a"), TestUpstreams.Route("b")];
        string first = "";
        for (int i = 0; i < 6; i++)
        {
            first += robin.Pick("m", two).Upstream.Name;
            robin.PickAgain("m", two);
        }

        Assert.Equal("ababab", first);
    }

    [Fact]
    public void CandidateThatAlwaysFails_IsSharedOutByWeight()
    {
        Route[] all = [TestUpstreams.Route("a", 3), TestUpstreams.Route("b", 2), TestUpstreams.Route("c", 1)];
        string second = "";
        for (int i = 0; i < 36; i++)
        {
            if (robin.Pick("m", all) is { Upstream.Name: "a" }) second += robin.PickAgain("m", all[1..]).Upstream.Name;
        }

        Assert.Equal((12, 6), (second.Count(name => name == 'b'), second.Count(name => name == 'c')));
    }

    [Fact]
    public void LowestPriorityPresent_GetsItAll()
    {
        Route[] all = [TestUpstreams.Route("a", 9, priority: 2), TestUpstreams.Route("b", 1, priority: -1), TestUpstreams.Route("c", 1, priority: -1)];
        Assert.Equal("bcbc", Picks(all, 4));
        Assert.Equal("a", robin.PickAgain("m", all[..1]).Upstream.Name);
    }

    [Fact]
    public void Models_TakeTurnsApart()
    {
        Route[] all = [TestUpstreams.Route("a"), TestUpstreams.Route("b")];
        Assert.Equal("a", robin.Pick("m", all).Upstream.Name);
        Assert.Equal("a", robin.Pick("n", all).Upstream.Name);
        Assert.Equal("b", robin.Pick("m", all).Upstream.Name);
    }

    [Fact]
    public void NoCandidates_IsABugOfTheCaller() => Assert.Throws<ArgumentOutOfRangeException>(() => robin.Pick("m", []));

    [Fact]
    public async Task ManyThreads_SharesStayExact()
    {
        Route[] all = [TestUpstreams.Route("a", 5), TestUpstreams.Route("b"), TestUpstreams.Route("c")];
        string[][] picks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 700).Select(_ => robin.Pick("m", all).Upstream.Name).ToArray())));
        Assert.Equal(2000, picks.Sum(some => some.Count(name => name == "a")));
        Assert.Equal(400, picks.Sum(some => some.Count(name => name == "b")));
    }

    private string Picks(Route[] routes, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => robin.Pick("m", routes).Upstream.Name));

    private static Arbitrary<int[]> Weights() => Gen.Choose(1, 12).NonEmptyListOf().Resize(6).Select(weights => weights.ToArray()).ToArbitrary();
}
