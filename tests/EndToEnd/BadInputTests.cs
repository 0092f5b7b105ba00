using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Wrong requests, each answered with its status in the client's envelope, and nothing of them reaches an upstream.</summary>
public sealed class BadInputTests(BadInputTests.KeyedRig shared) : IClassFixture<BadInputTests.KeyedRig>
{
    private const string ClientKey = "sk-fake-client-key";
    private static readonly (string, string) s_key = ("x-api-key", ClientKey);

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task NoJson_Is400WithThePosition(string name)
    {
        foreach (var body in new[] { "hello", "{\n  \"a\": tru", "{\"a\":1}{\"b\":2}", "{\"a\":1,}", "\u0000", "", "   " })
        {
            var reply = await PostAsync(name, body);
            var message = Dialects.Of(name).Envelope(400, reply.AssertStatus(400).Text);
            if (body.Trim().Length > 3) Assert.Matches("(?i)line \\d+|position \\d+|byte \\d+|offset \\d+", message);
        }
        var broken = await PostAsync(name, "{\n  \"a\": tru");
        Assert.Contains("2", Dialects.Of(name).Envelope(400, broken.Text));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task TruncatedJson_Is400(string name)
    {
        var dialect = Dialects.Of(name);
        var body = dialect.Body(SharedRig.Model(dialect), "What is new?", false);
        foreach (var length in new[] { 1, body.Length / 2, body.Length - 1 }) dialect.Envelope(400, (await PostAsync(name, body[..length])).AssertStatus(400).Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task NotAnObject_Is400(string name)
    {
        foreach (var body in new[] { "[]", "\"text\"", "17", "null", "true" }) Dialects.Of(name).Envelope(400, (await PostAsync(name, body)).AssertStatus(400).Text);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public async Task ModelMissingOrOfTheWrongType_Is400NamingIt(string name)
    {
        foreach (var model in new[] { null, "7", "null", "{}", "[\"m-1\"]", "true", "\"\"" })
        {
            var rest = name == "responses" ? "\"input\":\"hi\"" : "\"messages\":[]";
            var body = model is null ? $"{{{rest}}}" : $"{{\"model\":{model},{rest}}}";
            Assert.Contains("model", Dialects.Of(name).Envelope(400, (await PostAsync(name, body)).AssertStatus(400).Text));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task TooDeepJson_Is400(string name)
    {
        foreach (var depth in new[] { 300, 100_000 })
        {
            var body = Dialects.Of(name).Body(SharedRig.Model(Dialects.Of(name)), "hi", false).TrimEnd('}') + ",\"x\":" + JsonMaker.Nest(depth) + "}";
            if (name == "gemini") body = "{\"contents\":[],\"x\":" + JsonMaker.Nest(depth) + "}";
            Dialects.Of(name).Envelope(400, (await PostAsync(name, body)).AssertStatus(400).Text);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task UnknownModel_Is404(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        var reply = (await rig.Proxy.SendAsync(dialect, "claude-haiku-4-5-20251001", true, s_key)).AssertStatus(404);
        Assert.Contains("claude-haiku-4-5-20251001", dialect.Envelope(404, reply.Text));
        Assert.Equal("false", reply.Header("x-should-retry"));
        if (name is "openai" or "responses") Assert.Equal("model_not_found", JsonLook.Text(reply.Text, "error", "code"));
    }

    [Theory]
    [InlineData("/v1/messages/nothing", "anthropic")]
    [InlineData("/v1/chat/nothing", "openai")]
    [InlineData("/v1/responses/resp_1/nothing", "responses")]
    [InlineData("/v1/embeddings", "openai")]
    [InlineData("/v1/completions", "openai")]
    [InlineData("/nothing/at/all", "openai")]
    [InlineData("/v1beta/models/m-gemini:nothing", "gemini")]
    [InlineData("/v1beta/models/m-gemini", "gemini")]
    [InlineData("/v1beta/nothing", "gemini")]
    [InlineData("//nothing", "openai")]
    [InlineData("/%ff%00/../..", "openai")]
    public async Task WrongPath_Is404InTheEnvelopeOfItsOwner(string path, string name)
    {
        var rig = await shared.ReadyAsync();
        using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
        await raw.SendAsync(RawConnection.Post(path, "{}", s_key));
        var reply = await raw.ReadAsync(TimeSpan.FromSeconds(10));
        Assert.NotNull(reply);
        // GET /v1beta/models/{m} exists, a POST to it is the wrong method; a path with a NUL may be refused by the server itself.
        if (path.Contains("%00", StringComparison.Ordinal) && reply.Status == 400) return;
        var status = path == "/v1beta/models/m-gemini" && reply.Status == 405 ? 405 : 404;
        Assert.Equal(status, reply.Status);
        if (status == 404) Dialects.Of(name).Envelope(404, reply.Body);
        if (status == 404) Assert.Equal("false", reply.Headers.GetValueOrDefault("x-should-retry"));
    }

    [Theory]
    [InlineData("GET", "/v1/messages", "POST")]
    [InlineData("PUT", "/v1/chat/completions", "POST")]
    [InlineData("DELETE", "/v1/messages/count_tokens", "POST")]
    [InlineData("GET", "/v1beta/models/m-gemini:generateContent", "POST")]
    [InlineData("POST", "/v1/models", "GET")]
    [InlineData("POST", "/health", "GET")]
    [InlineData("GET", "/reset-model", "POST")]
    [InlineData("POST", "/unavailable-models", "GET")]
    [InlineData("PATCH", "/v1/responses", "POST")]
    public async Task WrongMethod_Is405WithAllow(string method, string path, string allowed)
    {
        var rig = await shared.ReadyAsync();
        var reply = (await rig.Proxy.RequestAsync(new HttpMethod(method), path, s_key)).AssertStatus(405);
        Assert.Contains(allowed, reply.Header("Allow"));
        Assert.True(JsonLook.IsJson(reply.Text), reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task TooLarge_Is413(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        var big = dialect.Body(SharedRig.Model(dialect), new string('x', 1_500_000), false);
        AssertTooLarge(name, await PostAsync(name, big));
        using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
        await raw.SendAsync($"POST {dialect.Path("m", false)} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {ClientKey}\r\nContent-Length: 99999999999\r\n\r\n");
        var reply = await raw.ReadAsync(TimeSpan.FromSeconds(10));
        Assert.True(reply?.Status is 413 or 400, $"{reply?.Status}");
        using var chunked = await RawConnection.OpenAsync(rig.Proxy.Port);
        await chunked.SendAsync($"POST {dialect.Path("m", false)} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {ClientKey}\r\nTransfer-Encoding: chunked\r\n\r\n");
        try
        {
            for (var i = 0; i < 40; i++) await chunked.SendAsync("10000\r\n" + new string('x', 0x10000) + "\r\n");
        }
        catch (System.Net.Sockets.SocketException)
        {
            // It may hang up on what it will not read.
        }
        if (await chunked.ReadAsync(TimeSpan.FromSeconds(10)) is { } late) Assert.True(late.Status is 413 or 400, $"{late.Status}");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Bomb_Is413(string coding)
    {
        var bomb = Compression.Of(coding, Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 100_000_000)));
        Assert.True(bomb.Length < 900_000, "the packed size must pass the limit");
        foreach (var dialect in Dialects.List) AssertTooLarge(dialect.Name, await PostAsync(dialect.Name, bomb, ("Content-Encoding", coding)));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task CorruptCompression_Is400(string coding)
    {
        foreach (var dialect in Dialects.List)
        {
            var whole = Compression.Of(coding, Encoding.UTF8.GetBytes(dialect.Body(SharedRig.Model(dialect), new string('y', 500), false)));
            dialect.Envelope(400, (await PostAsync(dialect.Name, "no compression at all"u8.ToArray(), ("Content-Encoding", coding))).AssertStatus(400).Text);
            dialect.Envelope(400, (await PostAsync(dialect.Name, whole[..(whole.Length / 2)], ("Content-Encoding", coding))).AssertStatus(400).Text);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task UnknownCoding_Is415(string name)
    {
        foreach (var coding in new[] { "compress", "x-mystery", "gzip, x-mystery" })
        {
            var reply = (await PostAsync(name, Dialects.Of(name).Body(SharedRig.Model(Dialects.Of(name)), "hi", false), ("Content-Encoding", coding))).AssertStatus(415);
            Assert.True(JsonLook.At(reply.Text, "error") is not null, reply.Text);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task WrongOrMissingKey_IsRefusedWithoutAHint(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        var (wrong, missing) = name == "gemini" ? (400, 403) : (401, 401);
        foreach (var headers in new (string, string)[][] { [("Authorization", "Bearer sk-fake-wrong")], [("x-api-key", "sk-fake-client-kez")], [("x-goog-api-key", ClientKey + "x")], [("x-api-key", "")], [] })
        {
            var reply = await rig.Proxy.SendAsync(dialect, SharedRig.Model(dialect), true, headers);
            var status = headers is [] or [(_, "")] && reply.Status == missing ? missing : wrong;
            var message = dialect.Envelope(status, reply.AssertStatus(status).Text);
            Assert.DoesNotContain("sk-fake", message);
            Assert.Equal("false", reply.Header("x-should-retry"));
            if (name == "gemini" && status == 400) Assert.Contains("API_KEY_INVALID", reply.Text);
            if (name is "openai" or "responses") Assert.Equal("invalid_api_key", JsonLook.Text(reply.Text, "error", "code"));
        }
        // Other endpoints ask for the key as well.
        foreach (var path in new[] { "/v1/models", "/v1beta/models", "/v1/models/m-1" }) Assert.True((await rig.Proxy.GetAsync(path)).Status is 401 or 403, path);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ForeignOrigin_Is403(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        foreach (var origin in new[] { "https://evil.example", "null", "http://127.0.0.1.evil.example", $"http://127.0.0.1:{rig.Proxy.Port + 1}" })
        {
            var reply = (await rig.Proxy.SendAsync(dialect, SharedRig.Model(dialect), true, s_key, ("Origin", origin))).AssertStatus(403);
            dialect.Envelope(403, reply.Text);
            Assert.Equal("false", reply.Header("x-should-retry"));
            Assert.Null(reply.Header("Access-Control-Allow-Origin"));
        }
        (await rig.Proxy.SendAsync(dialect, SharedRig.Model(dialect), true, s_key, ("Origin", $"http://127.0.0.1:{rig.Proxy.Port}"))).AssertStatus(200);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task HeaderBomb_Is431InTheEnvelope(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
        await raw.SendAsync(RawConnection.Post(dialect.Path(SharedRig.Model(dialect), false), dialect.Body(SharedRig.Model(dialect), "hi", false), s_key, ("x-bomb", new string('b', 70_000))));
        var reply = await raw.ReadAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(431, reply?.Status);
        Assert.NotNull(JsonLook.Text(reply!.Body, "error", "message"));
        using var many = await RawConnection.OpenAsync(rig.Proxy.Port);
        await many.SendAsync(RawConnection.Post(
            dialect.Path(SharedRig.Model(dialect), false), dialect.Body(SharedRig.Model(dialect), "hi", false), [s_key, .. Enumerable.Range(0, 700).Select(i => ($"x-bomb-{i}", new string('b', 100)))]));
        Assert.Equal(431, (await many.ReadAsync(TimeSpan.FromSeconds(10)))?.Status);
        using var fits = await RawConnection.OpenAsync(rig.Proxy.Port);
        await fits.SendAsync(RawConnection.Post(dialect.Path(SharedRig.Model(dialect), false), dialect.Body(SharedRig.Model(dialect), "hi", false), s_key, ("x-codex-turn-metadata", new string('b', 32_000))));
        Assert.Equal(200, (await fits.ReadAsync(TimeSpan.FromSeconds(10)))?.Status);
    }

    private async Task<LiveReply> PostAsync(string name, string body, params (string, string)[] headers) => await PostAsync(name, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>Posts with the right key and checks that no upstream heard of it and the proxy lives on.</summary>
    private async Task<LiveReply> PostAsync(string name, byte[] body, params (string, string)[] headers)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        var reply = await rig.Proxy.PostAsync(dialect.Path(SharedRig.Model(dialect), false), body, [s_key, .. dialect.ClientHeaders, .. headers]);
        Assert.All(rig.Upstreams, upstream => Assert.Equal(0, upstream.Count));
        await rig.Proxy.AssertAliveAsync();
        return reply;
    }

    private static void AssertTooLarge(string name, LiveReply reply)
    {
        // A Gemini client is told 400 or 413: its error table has no 413.
        if (name == "gemini" && reply.Status == 400) Assert.Equal("INVALID_ARGUMENT", JsonLook.Text(reply.Text, "error", "status"));
        else Assert.NotNull(JsonLook.Text(reply.AssertStatus(413).Text, "error", "message"));
        if (name == "anthropic") Dialects.Anthropic.Envelope(413, reply.Text);
        Assert.Equal("false", reply.Header("x-should-retry"));
    }

    /// <summary>One proxy with a client key and a body limit of 1 MB before one upstream of each protocol, all serving the same name.</summary>
    public sealed class KeyedRig : IAsyncLifetime
    {
        private ProxyProcess? _proxy;

        public FakeUpstream[] Upstreams { get; private set; } = [];

        public ProxyProcess Proxy => _proxy!;

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public async Task<KeyedRig> ReadyAsync()
        {
            AiproxyBinary.Require();
            if (_proxy is null)
            {
                Upstreams = [.. Dialects.List.Select(dialect => new FakeUpstream(FakeAnswer.Silence()))];
                for (var i = 0; i < Upstreams.Length; i++) Upstreams[i].Answer(SharedRig.Plain(Dialects.List[i]));
                _proxy = await ProxyProcess.StartAsync(Yaml.File(
                    $"api-key: {ClientKey}\nmax_request_body: 1MB\n" + Yaml.NoCircuits,
                    [.. Upstreams.Select((upstream, i) => Yaml.Upstream(Dialects.List[i].Name, Dialects.List[i], upstream.Url, $"available_models: {SharedRig.Model(Dialects.List[i])}"))]));
            }
            foreach (var upstream in Upstreams) upstream.Forget();
            return this;
        }

        public async ValueTask DisposeAsync()
        {
            if (_proxy is not null) await _proxy.DisposeAsync();
            foreach (var upstream in Upstreams) await upstream.DisposeAsync();
        }
    }
}
