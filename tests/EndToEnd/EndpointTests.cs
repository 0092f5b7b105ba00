using System.Text;

namespace Aiproxy.Tests.EndToEnd;

public sealed class EndpointTests(SharedRig shared) : IClassFixture<SharedRig>
{
    public static TheoryData<string> Names => Dialects.Names;

    [Theory]
    [InlineData("anthropic", "/messages")]
    [InlineData("anthropic", "/v1/v1/messages")]
    [InlineData("anthropic", "/v1/messages?beta=true")]
    [InlineData("openai", "/chat/completions")]
    [InlineData("openai", "/v1/v1/chat/completions")]
    [InlineData("openai", "/v1/chat/completions?x=1")]
    [InlineData("responses", "/responses")]
    [InlineData("responses", "/v1/v1/responses")]
    public async Task Alias_IsServed(string name, string path)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        foreach (var stream in new[] { false, true })
        {
            (await rig.Proxy.PostAsync(path, dialect.Body(SharedRig.Model(dialect), "hi", stream), dialect.ClientHeaders)).AssertStatus(200);
            Assert.Equal(dialect.Path("", stream), rig[dialect].Last.Target.Split('?')[0]);
        }
    }

    [Theory]
    [InlineData("/v1/models/{0}:generateContent")]
    [InlineData("/v1beta/models/{0}:generateContent")]
    [InlineData("/v1beta/models/{0}:streamGenerateContent?alt=sse")]
    [InlineData("/v1/models/{0}:streamGenerateContent?alt=sse")]
    [InlineData("/v1beta/models/{0}:streamGenerateContent")]
    public async Task GeminiVersions_AreServed(string path)
    {
        var rig = await shared.ReadyAsync();
        var gemini = Dialects.Gemini;
        if (!path.Contains("alt=sse", StringComparison.Ordinal) && path.Contains("stream", StringComparison.Ordinal))
            rig[gemini].Answer(request => request.Target.Contains("alt=sse", StringComparison.Ordinal)
                ? FakeAnswer.Sse(gemini.Text("One two").Frames)
                : FakeAnswer.Whole(200, "application/json", Encoding.UTF8.GetBytes(string.Concat(GeminiDialect.Array("One two")))));
        var reply = (await rig.Proxy.PostAsync(string.Format(path, SharedRig.MappedModel(gemini)), gemini.Body("", "hi", false))).AssertStatus(200);
        Assert.Equal(SharedRig.UpstreamModel(gemini), gemini.ModelOf(rig[gemini].Last));
        if (!path.Contains("alt=sse", StringComparison.Ordinal)) Assert.True(JsonLook.IsJson(reply.Text), reply.Text);
    }

    [Fact]
    public async Task Hello_Is200WithoutKey()
    {
        var rig = await shared.ReadyAsync();
        foreach (var path in new[] { "/api/hello", "/v1/api/hello" })
        {
            var reply = (await rig.Proxy.RequestAsync(HttpMethod.Head, path)).AssertStatus(200);
            Assert.Equal("", reply.Text);
        }
    }

    [Fact]
    public async Task WebSocketUpgrade_Is426AtOnce()
    {
        var rig = await shared.ReadyAsync();
        foreach (var path in new[] { "/v1/responses", "/responses" })
        {
            using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
            await raw.SendAsync($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOpenAI-Beta: responses_websockets=2026-02-06\r\n\r\n");
            var reply = await raw.ReadAsync(TimeSpan.FromSeconds(5));
            Assert.Equal(426, reply?.Status);
            Assert.NotNull(JsonLook.Text(reply!.Body, "error", "message"));
        }
    }

    [Fact]
    public async Task E80_Models_HaveThreeShapes()
    {
        var rig = await shared.ReadyAsync();
        var served = Dialects.List.Select(SharedRig.Model).ToArray();
        foreach (var path in new[] { "/v1/models", "/models", "/v1/models?limit=1000", "/v1/v1/models" })
        {
            var openai = (await rig.Proxy.GetAsync(path, ("Authorization", "Bearer sk-fake-x"))).AssertStatus(200).Text;
            Assert.Equal("list", JsonLook.Text(openai, "object"));
            Assert.All(served, model => Assert.Contains(model, Ids(openai, "data", "id")));
            Assert.Equal("model", JsonLook.Text(openai, "data", 0, "object"));
            Assert.NotNull(JsonLook.Number(openai, "data", 0, "created"));
            Assert.NotNull(JsonLook.Text(openai, "data", 0, "owned_by"));
        }
        var anthropic = (await rig.Proxy.GetAsync("/v1/models?limit=1000", ("anthropic-version", "2023-06-01"), ("x-api-key", "sk-fake-x"))).AssertStatus(200).Text;
        Assert.All(served, model => Assert.Contains(model, Ids(anthropic, "data", "id")));
        Assert.Equal("model", JsonLook.Text(anthropic, "data", 0, "type"));
        Assert.NotNull(JsonLook.Text(anthropic, "data", 0, "display_name"));
        Assert.NotNull(JsonLook.Text(anthropic, "data", 0, "created_at"));
        Assert.Equal(JsonLook.Text(anthropic, "data", 0, "id"), JsonLook.Text(anthropic, "first_id"));
        Assert.Equal(System.Text.Json.JsonValueKind.False, JsonLook.At(anthropic, "has_more")?.ValueKind);
        foreach (var (path, headers) in new (string, (string, string)[])[]
        {
            ("/v1beta/models", []), ("/v1/models", [("x-goog-api-key", "sk-fake-x")]), ("/v1/models", [("x-goog-api-client", "google-genai-sdk/3.1.0")]), ("/v1/models?key=sk-fake-x", []),
        })
        {
            var gemini = (await rig.Proxy.GetAsync(path, headers)).AssertStatus(200).Text;
            Assert.All(served, model => Assert.Contains("models/" + model, Ids(gemini, "models", "name")));
            Assert.NotNull(JsonLook.At(gemini, "models", 0, "supportedGenerationMethods"));
        }
        var names = (await rig.Proxy.GetAsync("/models?format=names")).AssertStatus(200).Text;
        Assert.All(served, model => Assert.Contains(model, JsonLook.At(names)!.Value.EnumerateArray().Select(name => name.GetString())));
        Assert.All(rig.Proxy.Log.Lines, line => Assert.DoesNotContain("sk-fake-x", line));
        foreach (var dialect in Dialects.List) Assert.Equal(0, rig[dialect].Count);
    }

    [Fact]
    public async Task SingleModel_IsFoundOr404()
    {
        var rig = await shared.ReadyAsync();
        Assert.Equal("m-openai", JsonLook.Text((await rig.Proxy.GetAsync("/v1/models/m-openai")).AssertStatus(200).Text, "id"));
        Assert.Equal("model", JsonLook.Text((await rig.Proxy.GetAsync("/v1/models/m-anthropic", ("anthropic-version", "2023-06-01"))).AssertStatus(200).Text, "type"));
        Assert.Equal("models/m-gemini", JsonLook.Text((await rig.Proxy.GetAsync("/v1beta/models/m-gemini")).AssertStatus(200).Text, "name"));
        Dialects.Chat.Envelope(404, (await rig.Proxy.GetAsync("/v1/models/nothing")).AssertStatus(404).Text);
        Dialects.Anthropic.Envelope(404, (await rig.Proxy.GetAsync("/v1/models/nothing", ("anthropic-version", "2023-06-01"))).AssertStatus(404).Text);
        Dialects.Gemini.Envelope(404, (await rig.Proxy.GetAsync("/v1beta/models/nothing")).AssertStatus(404).Text);
    }

    [Fact]
    public async Task UpstreamThatNamesNoModels_ListsItsOwn()
    {
        var dialect = Dialects.Chat;
        await using var upstream = new FakeUpstream(FakeAnswer.Silence());
        upstream.ListAnswer = FakeAnswer.Json("""{"object":"list","data":[{"id":"their-one","object":"model","created":1,"owned_by":"x"},{"id":"their-two","object":"model","created":1,"owned_by":"x"}]}""");
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("u1", dialect, upstream.Url)));
        await Eventually.TrueAsync(
            async () => (await proxy.GetAsync("/v1/models")).AssertStatus(200).Text.Contains("their-two", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => "the list never came");
        var asked = upstream.Listings.Count;
        for (var i = 0; i < 20; i++) (await proxy.GetAsync("/v1/models")).AssertStatus(200);
        Assert.Equal(asked, upstream.Listings.Count);
        Assert.Equal("/v1/models", upstream.Listings[0].Target.Split('?')[0]);
        Assert.Equal("Bearer sk-fake-u1", upstream.Listings[0].Header("Authorization"));
    }

    [Fact]
    public async Task ModelWithOpenCircuit_LeavesTheList()
    {
        var dialect = Dialects.Chat;
        await using var rig = await Rig.StartAsync(
            dialect, FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), "circuit_breaker: {failures: 1, recovery: 30m, first_probe: 30m}\n", "available_models: [m-1, m-2]");
        Assert.Contains("m-1", (await rig.Proxy.GetAsync("/v1/models")).Text);
        await rig.SendAsync(false);
        var list = (await rig.Proxy.GetAsync("/v1/models")).Text;
        Assert.DoesNotContain("\"m-1\"", list);
        Assert.Contains("\"m-2\"", list);
    }

    [Theory]
    [InlineData("anthropic", "/v1/messages/count_tokens", "{\"input_tokens\":31}")]
    [InlineData("anthropic", "/messages/count_tokens", "{\"input_tokens\":31}")]
    [InlineData("anthropic", "/v1/messages/count_tokens?beta=true", "{\"input_tokens\":31}")]
    [InlineData("gemini", "/v1beta/models/m-gemini:countTokens", "{\"totalTokens\":31}")]
    [InlineData("responses", "/v1/responses/input_tokens", "{\"object\":\"response.input_tokens\",\"input_tokens\":31}")]
    [InlineData("responses", "/v1/responses/compact", "{\"id\":\"resp_c\",\"object\":\"response.compaction\",\"created_at\":1,\"output\":[],\"usage\":null}")]
    public async Task SideCall_IsForwarded(string name, string path, string answer)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        rig[dialect].Answer(FakeAnswer.Json(answer));
        var body = dialect.Body(SharedRig.Model(dialect), "hi", false);
        var reply = (await rig.Proxy.PostAsync(path, body, dialect.ClientHeaders)).AssertStatus(200);
        Assert.Equal(answer, reply.Text);
        Assert.Equal(body, rig[dialect].Last.Text);
        Assert.Null(reply.Header("x-aiproxy-estimated"));
        Assert.EndsWith(path.Split('?')[0].Split('/')[^1], rig[dialect].Last.Target.Split('?')[0]);
        Assert.Equal(dialect.Name, reply.Header("x-aiproxy-upstream"));
    }

    [Theory]
    [InlineData("anthropic", "/v1/messages/count_tokens")]
    [InlineData("gemini", "/v1beta/models/m-gemini:countTokens")]
    [InlineData("responses", "/v1/responses/input_tokens")]
    public async Task CountWithoutAnUpstreamThatCan_IsEstimatedAndSaysSo(string name, string path)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        rig[dialect].Answer(FakeAnswer.Json(404, dialect.ErrorBody(404, "no such call")));
        var body = dialect.Body(SharedRig.Model(dialect), string.Join(' ', Enumerable.Repeat("word", 400)), false);
        var reply = (await rig.Proxy.PostAsync(path, body, dialect.ClientHeaders)).AssertStatus(200);
        Assert.Equal("true", reply.Header("x-aiproxy-estimated"));
        Assert.InRange(JsonLook.Number(reply.Text, name == "gemini" ? "totalTokens" : "input_tokens") ?? 0, 300, 2000);
    }

    [Fact]
    public async Task Health_AnswersWithoutKeyAndTellsReadiness()
    {
        var dialect = Dialects.Chat;
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")),
            "api-key: sk-fake-client\ncircuit_breaker: {failures: 1, recovery: 30m, first_probe: 30m}\n",
            "available_models: m-1");
        Assert.Equal("ok", JsonLook.Text((await rig.Proxy.GetAsync("/health")).AssertStatus(200).Text, "status"));
        (await rig.Proxy.GetAsync("/health?ready")).AssertStatus(200);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task CompressedRequestBody_IsUnpacked(string coding)
    {
        var rig = await shared.ReadyAsync();
        foreach (var dialect in Dialects.List)
        {
            var body = dialect.Body(SharedRig.MappedModel(dialect), new string('w', 100_000), false);
            var packed = Compression.Of(coding, Encoding.UTF8.GetBytes(body));
            (await rig.Proxy.PostAsync(dialect.Path(SharedRig.MappedModel(dialect), false), packed, [.. dialect.ClientHeaders, ("Content-Encoding", coding)])).AssertStatus(200);
            Assert.Null(rig[dialect].Last.Header("Content-Encoding"));
            Assert.Equal(body.Replace(SharedRig.MappedModel(dialect), SharedRig.UpstreamModel(dialect), StringComparison.Ordinal), rig[dialect].Last.Text);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task ConfiguredCompression_PacksTheBodyForTheUpstream(string coding)
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), more: $"request_compression: {coding}");
        (await rig.SendAsync(false)).AssertStatus(200);
        Assert.Equal(coding, rig.Upstream.Last.Header("Content-Encoding"));
        using var packed = new MemoryStream(rig.Upstream.Last.Body);
        await using Stream stream = coding == "gzip"
            ? new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Decompress)
            : new System.IO.Compression.BrotliStream(packed, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(stream);
        Assert.Equal(dialect.Body(Rig.Model, "What is new?", false), await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task Root_TellsWhatThisIs()
    {
        var rig = await shared.ReadyAsync();
        var reply = (await rig.Proxy.GetAsync("/", ("Accept", "application/json"))).AssertStatus(200);
        Assert.True(JsonLook.IsJson(reply.Text), reply.Text);
    }

    private static IEnumerable<string?> Ids(string json, string list, string member) =>
        JsonLook.At(json, list) is { } array ? array.EnumerateArray().Select(entry => entry.GetProperty(member).GetString()) : [];
}
