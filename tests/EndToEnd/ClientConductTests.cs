using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Clients that are slow, go away, or come from a place that may not call.</summary>
public sealed class ClientConductTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task HangUpAtAnyPointOfTheRequest_LeavesNothingBehind()
    {
        foreach (var dialect in Dialects.List)
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
            var request = RawConnection.Post(dialect.Path(Rig.Model, false), dialect.Body(Rig.Model, "What is new?", false), dialect.ClientHeaders);
            for (var length = 0; length < request.Length; length += 7)
            {
                using var client = await RawConnection.OpenAsync(rig.Proxy.Port);
                await client.SendAsync(request.AsMemory(0, length));
                if (length % 2 == 0) client.Close();
                else client.Reset();
            }
            await rig.Proxy.AssertAliveAsync();
            Assert.Equal(0, rig.Upstream.Count);
            (await rig.SendAsync(false)).AssertStatus(200);
        }
    }

    [Fact]
    public async Task HangUpDuringTheAnswer_LeavesNothingBehind()
    {
        foreach (var dialect in Dialects.List)
        {
            var frames = dialect.Text(string.Join(' ', Enumerable.Range(0, 200))).Frames;
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Sse(frames));
            for (var i = 0; i < 30; i++)
            {
                using var client = await RawConnection.OpenAsync(rig.Proxy.Port);
                await client.SendAsync(RawConnection.Post(dialect.Path(Rig.Model, true), dialect.Body(Rig.Model, "hi", true), dialect.ClientHeaders));
                if (i % 3 > 0) await client.ReadTextUntilAsync("data:", Patience);
                if (i % 2 == 0) client.Close();
                else client.Reset();
            }
            await rig.Proxy.AssertAliveAsync();
            Assert.Equal(string.Concat(frames), (await rig.SendAsync(true)).AssertStatus(200).Text);
        }
    }

    [Fact]
    public async Task SlowClient_IsServedAndHoldsNobodyUp()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
        using var slow = await RawConnection.OpenAsync(rig.Proxy.Port);
        var request = RawConnection.Post(dialect.Path("", false), dialect.Body(Rig.Model, "hi", false), dialect.ClientHeaders);
        for (var at = 0; at < request.Length; at += 4)
        {
            await slow.SendAsync(request.AsMemory(at, Math.Min(4, request.Length - at)));
            await Task.Delay(15);
            if (at % 80 == 0) (await rig.SendAsync(false)).AssertStatus(200);
        }
        Assert.Equal(200, (await slow.ReadAsync(Patience))?.Status);
    }

    [Fact]
    public async Task ManySlowClients_HoldNobodyUp()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
        var slow = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                slow.Add(await RawConnection.OpenAsync(rig.Proxy.Port));
                await slow[^1].SendAsync("POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{");
            }
            (await rig.SendAsync(false)).AssertStatus(200);
            await rig.Proxy.AssertAliveAsync();
        }
        finally
        {
            foreach (var client in slow) client.Dispose();
        }
    }

    [Fact]
    public async Task ClientThatDoesNotRead_HoldsNobodyUp()
    {
        var dialect = Dialects.Anthropic;
        var frames = dialect.Text(string.Join(' ', Enumerable.Range(0, 50_000))).Frames;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence());
        rig.Upstream.Answer(request => SharedRig.IsStream(request) ? FakeAnswer.Sse(string.Concat(frames)) : FakeAnswer.Json(dialect.Whole("a")));
        using var deaf = await RawConnection.OpenAsync(rig.Proxy.Port);
        await deaf.SendAsync(RawConnection.Post(dialect.Path("", true), dialect.Body(Rig.Model, "hi", true)));
        await rig.Upstream.WaitForRequestAsync(1, Patience);
        for (var i = 0; i < 20; i++) (await rig.SendAsync(false)).AssertStatus(200);
        var head = await deaf.ReadAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(string.Concat(frames), head?.Body);
    }

    [Fact]
    public async Task MalformedRequestLine_IsRefusedAndTheProcessLives()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
        foreach (var text in new[] { "nonsense\r\n\r\n", "GET\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /v1/messages HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" })
        {
            using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
            await raw.SendAsync(text);
            var reply = await raw.ReadAsync(Patience);
            Assert.True(reply is null || reply.Status >= 400, $"{text}: {reply?.Status}");
        }
        await rig.Proxy.AssertAliveAsync();
        Assert.Equal(0, rig.Upstream.Count);
    }

    [Fact]
    public async Task KeepAliveConnection_ServesAfterARefusal()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
        using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
        await raw.SendAsync(RawConnection.Post("/v1/messages", "{broken"));
        Assert.Equal(400, (await raw.ReadAsync(Patience))?.Status);
        await raw.SendAsync(RawConnection.Post("/v1/messages", dialect.Body(Rig.Model, "hi", false)));
        Assert.Equal(200, (await raw.ReadAsync(Patience))?.Status);
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:8080", 403)]
    [InlineData("127.0.0.1.evil.example", 403)]
    [InlineData("localhost.evil.example", 403)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1234", 200)]
    [InlineData("[::1]:99", 200)]
    public async Task HostOnLoopbackWithoutKeys_MustBeLoopback(string host, int status)
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
        using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
        await raw.SendAsync(RawConnection.Post("/v1/messages", dialect.Body(Rig.Model, "hi", false), ("Host", host)));
        var reply = await raw.ReadAsync(Patience);
        Assert.Equal(status, reply?.Status);
        if (status == 403) Assert.Equal("false", reply!.Headers.GetValueOrDefault("x-should-retry"));
        if (status == 403) dialect.Envelope(403, reply!.Body);
    }

    [Fact]
    public async Task AllowedOrigin_GetsCorsAnswersAndOptionsNeedsNoKey()
    {
        var dialect = Dialects.Chat;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), "allowed_origins: https://good.example\napi-key: sk-fake-client\n");
        var preflight = await rig.Proxy.RequestAsync(
            HttpMethod.Options, "/v1/chat/completions",
            ("Origin", "https://good.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type"));
        Assert.InRange(preflight.Status, 200, 204);
        Assert.Equal("https://good.example", preflight.Header("Access-Control-Allow-Origin"));
        Assert.Contains("POST", preflight.Header("Access-Control-Allow-Methods"));
        Assert.Contains("authorization", preflight.Header("Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        var call = (await rig.SendAsync(false, ("Origin", "https://good.example"), ("Authorization", "Bearer sk-fake-client"))).AssertStatus(200);
        Assert.Equal("https://good.example", call.Header("Access-Control-Allow-Origin"));
        Assert.Equal(403, (await rig.Proxy.RequestAsync(HttpMethod.Options, "/v1/chat/completions", ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST"))).Status);
    }

    [Fact]
    public async Task TooManyAtOnce_Is503WithRetryAfter()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence(), "max_concurrent: 2\n");
        using var one = await RawConnection.OpenAsync(rig.Proxy.Port);
        using var two = await RawConnection.OpenAsync(rig.Proxy.Port);
        var post = RawConnection.Post("/v1/messages", dialect.Body(Rig.Model, "hi", false));
        await one.SendAsync(post);
        await two.SendAsync(post);
        await rig.Upstream.WaitForRequestAsync(2, Patience);
        var third = (await rig.SendAsync(false)).AssertStatus(503);
        Assert.NotNull(third.Header("retry-after"));
        Assert.NotNull(JsonLook.Text(third.Text, "error", "message"));
        await rig.Proxy.AssertAliveAsync();
        one.Close();
        rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("a")));
        await Eventually.TrueAsync(async () => (await rig.SendAsync(false)).Status == 200, Patience, () => "the place was not freed");
    }

    [Fact]
    public async Task BodiesOverTheBudget_WaitAndThenPass()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), "max_buffered: 4MB\nmax_request_body: 3MB\n");
        var body = Encoding.UTF8.GetBytes(dialect.Body(Rig.Model, new string('x', 2_000_000), false));
        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => rig.Proxy.PostAsync("/v1/messages", body)));
        Assert.All(replies, reply => Assert.True(reply.Status is 200 or 503, $"{reply.Status} {reply.Text}"));
        Assert.Contains(replies, reply => reply.Status == 200);
        (await rig.Proxy.PostAsync("/v1/messages", body)).AssertStatus(200);
    }

    [Fact]
    public async Task KeyOfSha256AndModelGlobs_AreHonoured()
    {
        var dialect = Dialects.Anthropic;
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("sk-fake-hashed"u8));
        await using var rig = await Rig.StartAsync(
            dialect, FakeAnswer.Json(dialect.Whole("a")), $"api_keys:\n  - sk-fake-plain\n  - {{name: ci, key_sha256: {hash}, models: ['m-*']}}\n");
        (await rig.SendAsync(false, ("x-api-key", "sk-fake-plain"))).AssertStatus(200);
        (await rig.SendAsync(false, ("Authorization", "Bearer sk-fake-hashed"))).AssertStatus(200);
        (await rig.Proxy.SendAsync(dialect, "other", false, ("x-api-key", "sk-fake-plain"))).AssertStatus(200);
        var refused = (await rig.Proxy.SendAsync(dialect, "other", false, ("x-api-key", "sk-fake-hashed"))).AssertStatus(403);
        dialect.Envelope(403, refused.Text);
        Assert.Equal("false", refused.Header("x-should-retry"));
        (await rig.SendAsync(false, ("x-api-key", hash))).AssertStatus(401);
    }
}
