namespace Aiproxy.Tests.EndToEnd;

/// <summary>Which upstream, which credential, which model name.</summary>
public sealed class RoutingTests
{
    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task HigherPriorityNumber_WaitsUntilTheLowerCannot(string name)
    {
        var dialect = Dialects.Of(name);
        var good = FakeAnswer.Json(dialect.Whole("a"));
        await using var rig = await Rig.StartAsync(dialect, "", (good, "priority: 5\nweight: 100"), (good, "priority: 0"));
        for (var i = 0; i < 5; i++) Assert.Equal("u2", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        rig.Upstreams[1].Answer(FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")));
        for (var i = 0; i < 5; i++) Assert.Equal("u1", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task SeveralTokens_TakeTurns(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), more: "token: [sk-fake-a, sk-fake-b, ' ', sk-fake-c, sk-fake-a]");
        for (var i = 0; i < 9; i++) (await rig.SendAsync(false)).AssertStatus(200);
        var tokens = rig.Upstream.Requests.Select(request => request.Header(dialect.Credential.Header)![dialect.Credential.Prefix.Length..]).ToArray();
        Assert.All<string>(["sk-fake-a", "sk-fake-b", "sk-fake-c"], token => Assert.Equal(3, tokens.Count(used => used == token)));
        Assert.Equal(3, tokens.Take(3).Distinct().Count());
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(429)]
    public async Task RefusedToken_RestsAndTheNextServes(int status)
    {
        foreach (var dialect in Dialects.List)
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json("{}"), more: "token: [sk-fake-a, sk-fake-b]");
            rig.Upstream.Answer(request => request.Header(dialect.Credential.Header)!.EndsWith("sk-fake-a", StringComparison.Ordinal)
                ? FakeAnswer.Json(status, dialect.ErrorBody(status, "Not with this one"))
                : FakeAnswer.Json(dialect.Whole("a")));
            for (var i = 0; i < 6; i++) (await rig.SendAsync(false)).AssertStatus(200);
            Assert.Equal(1, rig.Upstream.Requests.Count(request => request.Header(dialect.Credential.Header)!.EndsWith("sk-fake-a", StringComparison.Ordinal)));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Mapping_ExactBeforeLongestPrefix(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, FakeAnswer.Json(dialect.Whole("a")), more: "model_mappings: {'*': any, 'm-*': short, 'm-long-*': long, m-long-exact: exact}");
        foreach (var (model, expected) in new[] { ("m-long-exact", "exact"), ("m-long-other", "long"), ("m-x", "short"), ("other", "any"), ("M-X", "any") })
        {
            (await rig.Proxy.SendAsync(dialect, model, false)).AssertStatus(200);
            Assert.Equal(expected, dialect.ModelOf(rig.Upstream.Last));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task AvailableModels_DecideBeforeMappings(string name)
    {
        var dialect = Dialects.Of(name);
        var good = FakeAnswer.Json(dialect.Whole("a"));
        await using var rig = await Rig.StartAsync(
            dialect, "", (good, "available_models: [m-a, 'p-*']\nmodel_mappings: {m-a: up-a, m-b: up-b}"), (good, "priority: 1\nmodel_mappings: {m-b: up-b2}"));
        Assert.Equal("u1", (await rig.Proxy.SendAsync(dialect, "m-a", false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.Equal("u1", (await rig.Proxy.SendAsync(dialect, "p-xyz", false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.Equal("u2", (await rig.Proxy.SendAsync(dialect, "m-b", false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        (await rig.Proxy.SendAsync(dialect, "m-c", false)).AssertStatus(404);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task NobodyServesTheModel_Is404InTheEnvelope(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), more: "available_models: m-other");
        foreach (var stream in new[] { false, true })
        {
            var reply = (await rig.SendAsync(stream)).AssertStatus(404);
            Assert.Contains(Rig.Model, dialect.Envelope(404, reply.Text));
            Assert.Equal("false", reply.Header("x-should-retry"));
        }
        Assert.Equal(0, rig.Upstream.Count);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task FallbackChain_IsFollowedUnderTheNewName(string name)
    {
        var dialect = Dialects.Of(name);
        var bad = FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal"));
        await using var rig = await Rig.StartAsync(
            dialect,
            "model_fallback: {m-1: m-2, m-2: m-3}\n",
            (bad, "available_models: m-1"), (bad, "available_models: m-2"), (FakeAnswer.Json(dialect.Whole("third")), "available_models: m-3\nmodel_mappings: {m-3: up-3}"));
        var reply = (await rig.SendAsync(false)).AssertStatus(200);
        Assert.Equal("third", dialect.TextOfWhole(reply.Text));
        Assert.Equal("u3", reply.Header("x-aiproxy-upstream"));
        Assert.Equal("3", reply.Header("x-aiproxy-attempts"));
        Assert.Equal("up-3", dialect.ModelOf(rig.Upstreams[2].Last));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task NameWithSlashAndSpace_IsRouted(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), more: "model_mappings: {'vendor/deep seek:free': 'up/name:free'}");
        var model = dialect.Name == "gemini" ? Uri.EscapeDataString("vendor/deep seek:free") : "vendor/deep seek:free";
        (await rig.Proxy.SendAsync(dialect, model, false)).AssertStatus(200);
        Assert.Equal("up/name:free", dialect.ModelOf(rig.Upstream.Last));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task BusyUpstream_IsSkippedAndAllBusyIs429(string name)
    {
        var dialect = Dialects.Of(name);
        var gate = new TaskCompletionSource();
        var held = FakeAnswer.Script(async answer =>
        {
            await answer.GateAsync(gate.Task);
            await FakeAnswer.Json(dialect.Whole("a")).PlayAsync(answer);
        });
        await using var rig = await Rig.StartAsync(dialect, "", (held, "max_concurrent: 1"), (held, "max_concurrent: 1\npriority: 1"));
        var first = rig.SendAsync(false);
        await rig.Upstreams[0].WaitForRequestAsync(1, TimeSpan.FromSeconds(10));
        var second = rig.SendAsync(false);
        await rig.Upstreams[1].WaitForRequestAsync(1, TimeSpan.FromSeconds(10));
        var third = (await rig.SendAsync(false)).AssertStatus(429);
        Assert.True(int.Parse(third.Header("retry-after")!) >= 1);
        dialect.Envelope(429, third.Text);
        gate.SetResult();
        Assert.Equal(["u1", "u2"], new[] { (await first).AssertStatus(200), (await second).AssertStatus(200) }.Select(reply => reply.Header("x-aiproxy-upstream")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/deep/path")]
    public async Task BaseUrl_WithAndWithoutVersionMeansTheSame(string suffix)
    {
        foreach (var dialect in Dialects.List)
        {
            await using var upstream = new FakeUpstream(FakeAnswer.Json(dialect.Whole("a")));
            var given = dialect.Name == "gemini" ? suffix.Replace("/v1", "/v1beta", StringComparison.Ordinal) : suffix;
            await using var proxy = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("u1", dialect, upstream.Url + given)));
            (await proxy.SendAsync(dialect, Rig.Model, false)).AssertStatus(200);
            var prefix = suffix.StartsWith("/deep", StringComparison.Ordinal) ? suffix : "";
            Assert.Equal(prefix + dialect.Path(Rig.Model, false), upstream.Last.Target);
        }
    }
}
