namespace Aiproxy.Tests.EndToEnd;

public sealed class WeightTests
{
    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task FiveOneOne_IsExactInEverySevenRequestsWithoutBursts(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, "", (FakeAnswer.Json(dialect.Whole("a")), "weight: 5"), (FakeAnswer.Json(dialect.Whole("b")), "weight: 1"), (FakeAnswer.Json(dialect.Whole("c")), "weight: 1"));
        var served = new List<string>();
        for (var i = 0; i < 70; i++) served.Add((await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream")!);
        var order = string.Join(' ', served);
        for (var cycle = 0; cycle < 10; cycle++)
        {
            var seven = served.Skip(cycle * 7).Take(7).ToArray();
            Assert.True(seven.Count(upstream => upstream == "u1") == 5 && seven.Count(upstream => upstream == "u2") == 1, $"cycle {cycle}: {order}");
        }
        for (var i = 0; i + 5 <= served.Count; i++) Assert.True(served.Skip(i).Take(5).Distinct().Count() > 1, $"five in a row at {i}: {order}");
        Assert.Equal([50, 10, 10], rig.Upstreams.Select(upstream => upstream.Count));
    }

    [Fact]
    public async Task Models_HaveTheirOwnCycles()
    {
        var dialect = Dialects.Anthropic;
        var answer = FakeAnswer.Json(dialect.Whole("a"));
        await using var rig = await Rig.StartAsync(dialect, "", (answer, "weight: 2"), (answer, "weight: 1"));
        var served = new Dictionary<string, List<string>> { ["m-a"] = [], ["m-b"] = [] };
        for (var i = 0; i < 12; i++)
            foreach (var (model, list) in served) list.Add((await rig.Proxy.SendAsync(dialect, model, false)).Header("x-aiproxy-upstream")!);
        Assert.All(served.Values, list => Assert.Equal(8, list.Count(upstream => upstream == "u1")));
    }

    [Fact]
    public async Task DisabledUpstream_GetsNothing()
    {
        var dialect = Dialects.Chat;
        var answer = FakeAnswer.Json(dialect.Whole("a"));
        await using var rig = await Rig.StartAsync(dialect, "", (answer, "enabled: false\nweight: 50"), (answer, ""));
        for (var i = 0; i < 5; i++) Assert.Equal("u2", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream"));
    }

    [Fact]
    public async Task ParallelRequests_KeepTheShares()
    {
        var dialect = Dialects.Anthropic;
        var answer = FakeAnswer.Json(dialect.Whole("a"));
        await using var rig = await Rig.StartAsync(dialect, "", (answer, "weight: 5"), (answer, ""), (answer, ""));
        await Task.WhenAll(Enumerable.Range(0, 70).Select(_ => rig.SendAsync(false)));
        Assert.Equal([50, 10, 10], rig.Upstreams.Select(upstream => upstream.Count));
    }
}
