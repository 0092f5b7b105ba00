namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a client is told when every upstream failed.</summary>
public sealed class TellingErrorTests
{
    public static TheoryData<string, bool> NamesAndModes => Dialects.NamesAndModes;

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task AllLimited_Is429WithTheSoonestRetryAfter(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect,
            "",
            (FakeAnswer.Json(429, dialect.ErrorBody(429, "Slow down"), ("retry-after", "30")), ""),
            (FakeAnswer.Json(429, dialect.ErrorBody(429, "Slow down"), ("retry-after", "7")), ""),
            (FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), ""));
        var reply = (await rig.SendAsync(stream)).AssertStatus(429);
        Assert.InRange(int.Parse(reply.Header("retry-after")!), 6, 7);
        dialect.Envelope(429, reply.Text);
        Assert.NotEqual("false", reply.Header("x-should-retry"));
        Assert.Equal([1, 1, 1], rig.Upstreams.Select(upstream => upstream.Count));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task AllInvalid_Is400WithTheFirstBodyByteForByte(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var first = " " + dialect.ErrorBody(400, "The first, é \\u00e9") + "\n";
        await using var rig = await Rig.StartAsync(
            dialect,
            "",
            (FakeAnswer.Json(400, first, ("request-id", "req_first")), ""),
            (FakeAnswer.Json(400, dialect.ErrorBody(400, "The second")), "priority: 1"),
            (FakeAnswer.Json(503, dialect.ErrorBody(503, "Overloaded")), "priority: 2"));
        var reply = (await rig.SendAsync(stream)).AssertStatus(400);
        Assert.Equal(first, reply.Text);
        Assert.Equal("req_first", reply.Header("request-id"));
        Assert.Equal("u1", reply.Header("x-aiproxy-upstream"));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task UpstreamRefusesOurKey_Is500NamingTheUpstreamAndNever401(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        foreach (var status in new[] { 401, 403 })
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(status, dialect.ErrorBody(status, "invalid x-api-key")));
            var reply = (await rig.SendAsync(stream)).AssertStatus(500);
            Assert.Equal("false", reply.Header("x-should-retry"));
            Assert.Contains("u1", dialect.Envelope(500, reply.Text));
        }
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task CredentialFault_RanksAboveServerErrors(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, "", (FakeAnswer.Json(503, dialect.ErrorBody(503, "Overloaded")), ""), (FakeAnswer.Json(401, dialect.ErrorBody(401, "invalid key")), ""));
        var reply = (await rig.SendAsync(stream)).AssertStatus(500);
        Assert.Contains("u2", dialect.Envelope(500, reply.Text));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task NoConnectionAnywhere_IsBadGateway(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        using var refusing = new RefusingPort();
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("u1", dialect, refusing.Url)));
        var status = dialect.Name == "gemini" ? 503 : 502;
        var reply = (await proxy.SendAsync(dialect, Rig.Model, stream)).AssertStatus(status);
        if (dialect.Name == "anthropic") Assert.Equal("api_error", JsonLook.Text(reply.Text, "error", "type"));
        else dialect.Envelope(status, reply.Text);
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task UpstreamBodyThatIsNoEnvelope_IsWrapped(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Whole(500, "text/html", "<html><h1>Oops</h1></html>"u8.ToArray()));
        var reply = (await rig.SendAsync(stream)).AssertStatus(500);
        dialect.Envelope(500, reply.Text);
        Assert.StartsWith("application/json", reply.Header("Content-Type"));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task AllCircuitsOpen_Is503WithRetryAfter(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), "circuit_breaker: {failures: 1, recovery: 20s, first_probe: 20s}\n");
        (await rig.SendAsync(stream)).AssertStatus(500);
        // One probe a second is let through for the least bad candidate; the others of a burst are not.
        var burst = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => rig.SendAsync(stream)));
        var refused = burst.Where(reply => reply.Status == 503).ToArray();
        Assert.True(refused.Length >= 6, string.Join(' ', burst.Select(reply => reply.Status)));
        Assert.All(refused, reply => Assert.InRange(int.Parse(reply.Header("retry-after")!), 1, 20));
        Assert.True(rig.Upstream.Count <= 4, $"{rig.Upstream.Count} requests reached an upstream whose circuit is open");
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task RestingUpstream_Is429WithTheTimeLeftAndIsNotAsked(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(429, dialect.ErrorBody(429, "Slow down"), ("retry-after", "300")));
        var first = (await rig.SendAsync(stream)).AssertStatus(429);
        Assert.Equal("false", first.Header("x-should-retry"));
        var second = (await rig.SendAsync(stream)).AssertStatus(429);
        Assert.InRange(int.Parse(second.Header("retry-after")!), 290, 300);
        Assert.Equal("false", second.Header("x-should-retry"));
        Assert.Equal(1, rig.Upstream.Count);
    }

    [Fact]
    public async Task GeminiRetryInfo_BecomesRetryAfter()
    {
        var body = """{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}""";
        await using var rig = await Rig.StartAsync(Dialects.Gemini, FakeAnswer.Json(429, body));
        var reply = (await rig.SendAsync(false)).AssertStatus(429);
        Assert.InRange(int.Parse(reply.Header("retry-after")!), 34, 35);
        Assert.Equal(body, reply.Text);
    }
}
