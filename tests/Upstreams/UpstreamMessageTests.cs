using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>The bytes, headers and addresses that an upstream gets.</summary>
public sealed class UpstreamMessageTests
{
    private static readonly UpstreamTable Types = UpstreamTable.Create(TimeProvider.System);

    private static UpstreamTarget Target(string type, string model = "up-model", string? credential = "sk-fake-1", Func<UpstreamConfig, UpstreamConfig>? change = null)
    {
        UpstreamConfig config = TestExchange.Upstream(type, "https://h.invalid/prefix");
        IUpstreamType found = Types.Find(type)!;
        return new(change is null ? config : change(config), found, found.ProtocolFor(TestExchange.Protocols[type], config)!, model, credential is null ? null : new UpstreamCredential(new Secret(credential)), 0);
    }

    private static HttpRequestMessage Make(TestExchange test, UpstreamTarget target) =>
        new UpstreamMessage("aiproxy/test").Create(new WireRequest(test.Exchange, target), target.Config.BaseUrls[0], test.Exchange.Forwards(target)
            ? UpstreamMessage.Forwarded(test.Exchange, target.Model)
            : [new Translation(new ProofCache(TimeProvider.System)).Body(test.Exchange, target, dropsProofs: false)]);

    private static string Header(HttpRequestMessage message, string name) => message.Headers.NonValidated.TryGetValues(name, out var values) ? string.Join(" | ", values) : "-";

    [Theory]
    [InlineData("""{"model":"client-model","x":[1,{"model":"inner"}]}""", """{"model":"up-model","x":[1,{"model":"inner"}]}""")]
    [InlineData("""{"model":"other", "z":1 ,"model" : "client-model"}""", """{"model":"up-model", "z":1 ,"model" : "up-model"}""")]
    [InlineData("""{"model":"up-model","unknown":{"a":1.0e5}}""", """{"model":"up-model","unknown":{"a":1.0e5}}""")]
    [InlineData("{\"model\":\"client\\u002dmodel\"}", """{"model":"up-model"}""")]
    public async Task Forwarded_OnlyTheModelChanges(string body, string sent)
    {
        using var test = new TestExchange("anthropic", body: body);
        Assert.Equal(sent, await Make(test, Target("anthropic")).Content!.ReadAsStringAsync());
    }

    [Fact]
    public async Task E33_EnvelopeOfAnotherUpstream_IsNotForwarded()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Thought, "", "c2ln"));
        string body = "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"" + envelope + "\"},{\"type\":\"text\",\"text\":\"a\"}]}],\"model\":\"client-model\",\"x\": 1.0}";
        using var test = new TestExchange("anthropic", body: body);
        Assert.Equal("""{"messages":[{"role":"assistant","content":[{"type":"text","text":"a"}]}],"model":"up-model","x": 1.0}""", await Make(test, Target("anthropic")).Content!.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{"model":"models/g","contents":[]}""", "up-model", """{"model":"models/up-model","contents":[]}""")]
    [InlineData("""{"model":"g","contents":[]}""", "up-model", """{"model":"up-model","contents":[]}""")]
    [InlineData("""{"model":"models/up-model"}""", "up-model", """{"model":"models/up-model"}""")]
    [InlineData("""{"model":"models/g"}""", "tunedModels/t", """{"model":"tunedModels/t"}""")]
    public async Task GeminiBody_KeepsTheCollectionInFront(string body, string model, string sent)
    {
        using var test = new TestExchange("gemini", body: body);
        Assert.Equal(sent, await Make(test, Target("gemini", model)).Content!.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("anthropic", true, false, "m", "https://h.invalid/prefix/v1/messages")]
    [InlineData("openai", true, false, "m", "https://h.invalid/prefix/v1/chat/completions")]
    [InlineData("responses", true, false, "m", "https://h.invalid/prefix/v1/responses")]
    [InlineData("gemini", true, false, "m", "https://h.invalid/prefix/v1beta/models/m:streamGenerateContent?alt=sse")]
    [InlineData("gemini", true, true, "m", "https://h.invalid/prefix/v1beta/models/m:streamGenerateContent")]
    [InlineData("gemini", false, false, "m", "https://h.invalid/prefix/v1beta/models/m:generateContent")]
    [InlineData("gemini", false, false, "tunedModels/my-model", "https://h.invalid/prefix/v1beta/tunedModels/my-model:generateContent")]
    [InlineData("gemini", false, false, "a/b c?d", "https://h.invalid/prefix/v1beta/models/a/b%20c%3Fd:generateContent")]
    public void Address_IsBasePathAndCall(string type, bool stream, bool array, string model, string address)
    {
        using var test = new TestExchange(type, stream, array);
        Assert.Equal(address, Make(test, Target(type, model)).RequestUri!.AbsoluteUri);
    }

    [Fact]
    public void TranslatedToAGeminiStream_AsksForEvents()
    {
        RequestHead head = new() { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = true };
        Assert.EndsWith(":streamGenerateContent?alt=sse", Types.Find("gemini")!.Address(new Uri("https://h.invalid"), head, "m", "").AbsoluteUri);
        Assert.EndsWith(":generateContent", Types.Find("gemini")!.Address(new Uri("https://h.invalid"), head with { Stream = false }, "m", "").AbsoluteUri);
    }

    [Theory]
    [InlineData("anthropic", "x-api-key", "sk-fake-1")]
    [InlineData("openai", "Authorization", "Bearer sk-fake-1")]
    [InlineData("responses", "Authorization", "Bearer sk-fake-1")]
    [InlineData("gemini", "x-goog-api-key", "sk-fake-1")]
    public void Credential_GoesAlone_WhateverHttpHeadersSay(string type, string header, string value)
    {
        using var test = new TestExchange(type);
        UpstreamConfig Wrong(UpstreamConfig config) => config with { HttpHeaders = new Dictionary<string, string> { [header] = "sk-fake-wrong" } };
        Assert.Equal(value, Header(Make(test, Target(type, change: Wrong)), header));
        // Without a credential of ours the file's header is all there is.
        Assert.Equal("sk-fake-wrong", Header(Make(test, Target(type, credential: null, change: Wrong)), header));
    }

    [Fact]
    public void HttpHeaders_WinOverOursAndTheClients_AlsoThoseOfTheBody()
    {
        using var test = new TestExchange("anthropic");
        test.Headers.Add(new("anthropic-beta", "client"));
        var headers = new Dictionary<string, string>
        {
            ["User-Agent"] = "mine", ["anthropic-beta"] = "file", ["Content-Type"] = "application/x-mine", ["content-language"] = "de", ["Expires"] = "0", ["X-Any"] = "1", ["Host"] = "front.invalid",
        };
        HttpRequestMessage message = Make(test, Target("anthropic", change: config => config with { HttpHeaders = headers, UserAgent = "other" }));

        Assert.Equal("mine", Header(message, "User-Agent"));
        Assert.Equal("file", Header(message, "anthropic-beta"));
        Assert.Equal("1", Header(message, "X-Any"));
        Assert.Equal("front.invalid", message.Headers.Host);
        Assert.Equal("application/x-mine", message.Content!.Headers.NonValidated["Content-Type"].ToString());
        Assert.Equal("de", message.Content.Headers.NonValidated["Content-Language"].ToString());
    }

    [Fact]
    public void ClientHeaders_GoOnlyToTheSameProtocol()
    {
        using var test = new TestExchange("anthropic");
        test.Headers.Add(new("anthropic-version", "2099-01-01"));
        test.Headers.Add(new("anthropic-beta", "a"));
        test.Headers.Add(new("anthropic-beta", "b"));
        HttpRequestMessage same = Make(test, Target("anthropic"));
        Assert.Equal("2099-01-01", Header(same, "anthropic-version"));
        Assert.Contains("a", Header(same, "anthropic-beta"));
        Assert.Contains("b", Header(same, "anthropic-beta"));

        HttpRequestMessage other = new UpstreamMessage("aiproxy/test").Create(new WireRequest(test.Exchange, Target("openai")), new Uri("https://h.invalid"), [Encoding.UTF8.GetBytes("{}")]);
        Assert.Equal("-", Header(other, "anthropic-beta"));
        Assert.Equal("aiproxy/test", Header(other, "User-Agent"));
    }

    [Theory]
    [InlineData("sk-fake-1", false)]
    [InlineData(null, true)]
    public void AccountOfTheClient_GoesOnlyWhereNoKeyOfOursGoes(string? key, bool goes)
    {
        using var test = new TestExchange("openai");
        test.Headers.Add(new("OpenAI-Organization", "org-fake"));
        test.Headers.Add(new("openai-project", "proj-fake"));
        test.Headers.Add(new("openai-beta", "x"));
        HttpRequestMessage message = Make(test, Target("openai", credential: key));
        Assert.Equal(goes ? ("org-fake", "proj-fake", "x") : ("-", "-", "x"), (Header(message, "openai-organization"), Header(message, "openai-project"), Header(message, "openai-beta")));
    }

    [Fact]
    public void AnthropicVersion_IsSetWhereTheClientNamesNone()
    {
        using var test = new TestExchange("anthropic");
        Assert.Equal(ProviderPaths.AnthropicVersion, Header(Make(test, Target("anthropic")), "anthropic-version"));
    }

    [Theory]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}]}""", "claude-sonnet-4-5", "2026-10-21")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":0.5}""", "claude-sonnet-4-5", "2023-06-01")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"topK":4}}""", "claude-sonnet-4-5", "2023-06-01")]
    [InlineData("responses", """{"model":"m","input":"x","top_p":0.5}""", "claude-opus-4-6", "2023-06-01")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":0.5}""", "claude-sonnet-5-5", "2026-10-21")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":0.5,"reasoning_effort":"high"}""", "claude-opus-4-6", "2026-10-21")]
    public void AnthropicVersion_OfATranslatedRequest_IsTheOldOneOnlyForSampling(string client, string body, string model, string version)
    {
        using var test = new TestExchange(client, stream: false, body: body);
        test.Headers.Add(new("anthropic-version", "2099-01-01"));
        UpstreamTarget target = Target("anthropic", model);
        ReadOnlyMemory<byte> sent = new Translation(new ProofCache(TimeProvider.System)).Body(test.Exchange, target, dropsProofs: false);
        Assert.Equal(version, Header(new UpstreamMessage("aiproxy/test").Create(new WireRequest(test.Exchange, target), new Uri("https://h.invalid"), [sent]), "anthropic-version"));
        var fixedVersion = target with { Config = target.Config with { HttpHeaders = new Dictionary<string, string> { ["anthropic-version"] = "2024-01-01" } } };
        Assert.Equal("2024-01-01", Header(new UpstreamMessage("aiproxy/test").Create(new WireRequest(test.Exchange, fixedVersion), new Uri("https://h.invalid"), [sent]), "anthropic-version"));
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("gzip", "gzip")]
    [InlineData("br", "br")]
    public async Task Packed_SaysSo(string compression, string? encoding)
    {
        using var test = new TestExchange("anthropic", body: """{"model":"client-model","a":1,"model":"client-model"}""");
        HttpRequestMessage message = Make(test, Target("anthropic", change: config => config with { RequestCompression = compression }));
        Assert.Equal(encoding, message.Content!.Headers.ContentEncoding.SingleOrDefault());
        Stream body = await message.Content.ReadAsStreamAsync();
        if (encoding == "gzip") body = new System.IO.Compression.GZipStream(body, System.IO.Compression.CompressionMode.Decompress);
        if (encoding == "br") body = new System.IO.Compression.BrotliStream(body, System.IO.Compression.CompressionMode.Decompress);
        Assert.Equal("""{"model":"up-model","a":1,"model":"up-model"}""", await new StreamReader(body).ReadToEndAsync());
    }

    [Fact]
    public void ModelList_CarriesTheSameHeaders()
    {
        UpstreamConfig config = TestExchange.Upstream("anthropic", tokens: "sk-fake-1") with { HttpHeaders = new Dictionary<string, string> { ["x-api-key"] = "sk-fake-wrong", ["Content-Type"] = "a/b" } };
        var message = new HttpRequestMessage(HttpMethod.Get, "https://h.invalid/v1/models");
        new UpstreamMessage("aiproxy/test").Complete(message, config, Types.Find("anthropic")!, UpstreamCredential.OfKey(config.Tokens[0]));
        Assert.Equal("sk-fake-1", Header(message, "x-api-key"));
        Assert.Equal(ProviderPaths.AnthropicVersion, Header(message, "anthropic-version"));
        Assert.Null(message.Content);
    }
}
