namespace Aiproxy.Tests.EndToEnd;

/// <summary>Headers pass as open lists in both directions, but for credentials, cookies and what belongs to one hop.</summary>
public sealed class HeaderTests
{
    private const string ClientKey = "sk-fake-client-key";

    public static TheoryData<string, bool> NamesAndModes => Dialects.NamesAndModes;

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task RequestHeaders_ReachUpstreamOfSameProtocol(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect);
        (string, string)[] headers = name switch
        {
            "anthropic" =>
            [
                ("anthropic-x", "y"), ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14, made-up-2099-01-01"),
                ("x-claude-code-session-id", "0b6e8a1c-fake"), ("x-claude-code-agent-id", "agent-fake"), ("anthropic-workspace-id", "ws-fake"),
            ],
            "gemini" => [("x-goog-user-project", "project-fake"), ("x-goog-request-params", "a=b"), ("x-goog-api-client", "google-genai-sdk/3.1.0 gl-node/22")],
            _ =>
            [
                ("openai-beta", "made-up=v9"), ("openai-x", "y"), ("idempotency-key", "idem-1"),
                ("session-id", "s-fake"), ("thread-id", "t-fake"), ("originator", "codex_exec"), ("x-client-request-id", "c-fake"),
                ("x-codex-window-id", "w-fake"), ("x-codex-turn-metadata", "{\"a\":\"b\"}"), ("x-codex-beta-features", "remote_compaction_v2"),
            ],
        };
        (await rig.SendAsync(stream, [("Authorization", "Bearer " + ClientKey), .. headers])).AssertStatus(200);
        var request = rig.Upstream.Last;
        Assert.All(headers, header => Assert.True(header.Item2 == request.Header(header.Item1), $"{header.Item1}: {request.Header(header.Item1)}"));
        foreach (var (header, value) in dialect.ClientHeaders) Assert.Equal(value, request.Header(header));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    public async Task AccountOfTheClient_DoesNotGoWithAKeyOfOurs(string name)
    {
        await using var rig = await StartAsync(Dialects.Of(name));
        (await rig.SendAsync(false, ("Authorization", "Bearer " + ClientKey), ("OpenAI-Organization", "org-fake"), ("OpenAI-Project", "proj-fake"))).AssertStatus(200);
        Assert.Null(rig.Upstream.Last.Header("openai-organization"));
        Assert.Null(rig.Upstream.Last.Header("openai-project"));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task CredentialsAndHopHeaders_StayHere(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect);
        await rig.SendAsync(
            stream,
            ("x-api-key", ClientKey), ("Authorization", "Bearer " + ClientKey), ("x-goog-api-key", ClientKey), ("api-key", ClientKey), ("Cookie", "session=sk-fake-cookie"),
            ("Connection", "x-mine"), ("x-mine", "1"), ("Keep-Alive", "timeout=5"), ("TE", "trailers"), ("Proxy-Authorization", "Basic sk-fake-proxy"));
        var request = rig.Upstream.Last;
        Assert.DoesNotContain(ClientKey, request.Everything);
        Assert.DoesNotContain("sk-fake-cookie", request.Everything);
        Assert.DoesNotContain("sk-fake-proxy", request.Everything);
        Assert.All<string>(["Cookie", "Keep-Alive", "TE", "Proxy-Authorization", "x-mine", "api-key"], header => Assert.Null(request.Header(header)));
        Assert.Equal(dialect.Credential.Prefix + "sk-fake-u1", request.Header(dialect.Credential.Header));
        var other = dialect.Credential.Header == "Authorization" ? "x-api-key" : "Authorization";
        Assert.True(request.Header(other) is null or "Bearer sk-fake-u1", other);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task KeyInQuery_IsNotForwarded(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect);
        var path = dialect.Path(Rig.Model, stream: true);
        var reply = await rig.Proxy.PostAsync($"{path}{(path.Contains('?') ? '&' : '?')}key={ClientKey}&beta=true", dialect.Body(Rig.Model, "hi", true), dialect.ClientHeaders);
        reply.AssertStatus(200);
        Assert.DoesNotContain(ClientKey, rig.Upstream.Last.Everything);
        Assert.DoesNotContain(ClientKey, string.Join('\n', rig.Proxy.Log.Lines));
        if (name == "anthropic") Assert.Equal("/v1/messages?beta=true", rig.Upstream.Last.Target);
        if (name == "gemini") Assert.Contains("alt=sse", rig.Upstream.Last.Target);
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task UpstreamAuthority_IsItsOwn(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect);
        (await rig.SendAsync(stream, ("x-api-key", ClientKey), ("User-Agent", "claude-cli/2.1.328"), ("Accept-Encoding", "zstd, br"))).AssertStatus(200);
        var request = rig.Upstream.Last;
        Assert.StartsWith("aiproxy/", request.Header("User-Agent"));
        Assert.Equal(new Uri(rig.Upstream.Url).Authority, request.Header("Host"));
        Assert.DoesNotContain("zstd", request.Header("Accept-Encoding") ?? "");
        Assert.StartsWith("application/json", request.Header("Content-Type"));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task ConfiguredHeaders_WinButNotOverCredentials(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect,
            Answer(dialect),
            more: $"user_agent: mine/1\nhttp_headers: {{X-Extra: extra-value, {dialect.Credential.Header}: sk-fake-wrong, anthropic-version: '2099-01-01'}}");
        (await rig.SendAsync(stream)).AssertStatus(200);
        Assert.Equal("extra-value", rig.Upstream.Last.Header("X-Extra"));
        Assert.Equal("mine/1", rig.Upstream.Last.Header("User-Agent"));
        Assert.Equal(dialect.Credential.Prefix + "sk-fake-u1", rig.Upstream.Last.Header(dialect.Credential.Header));
        Assert.Equal("2099-01-01", rig.Upstream.Last.Header("anthropic-version"));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task ResponseHeaders_ComeBack(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        (string Name, string Value)[] open =
        [
            ("request-id", "req_up"), ("x-request-id", "xreq_up"), ("anthropic-ratelimit-requests-remaining", "7"), ("anthropic-organization-id", "org-up"),
            ("x-ratelimit-remaining-tokens", "99"), ("x-codex-turn-state", "state"), ("openai-processing-ms", "12"), ("openai-version", "2020-10-01"),
            ("server-timing", "gfet4t7; dur=10"), ("x-gemini-service-tier", "standard"),
        ];
        (string Name, string Value)[] closed = [("Set-Cookie", "up=1"), ("Keep-Alive", "timeout=5"), ("Proxy-Authenticate", "Basic"), ("Connection", "x-hop, keep-alive"), ("x-hop", "1")];
        await using var rig = await StartAsync(dialect, [.. open, .. closed]);
        var reply = (await rig.SendAsync(stream, ("x-api-key", ClientKey))).AssertStatus(200);
        Assert.All(open, header => Assert.True(header.Value == reply.Header(header.Name), $"{header.Name}: {reply.Header(header.Name)}"));
        Assert.All<string>(["Set-Cookie", "Keep-Alive", "Proxy-Authenticate", "x-hop"], header => Assert.Null(reply.Header(header)));
        Assert.Equal("u1", reply.Header("x-aiproxy-upstream"));
        Assert.Equal("1", reply.Header("x-aiproxy-attempts"));
        Assert.False(string.IsNullOrEmpty(reply.Header("x-aiproxy-request-id")));
        Assert.StartsWith(stream ? "text/event-stream" : "application/json", reply.Header("Content-Type"));
        if (stream) Assert.Equal("no-cache", reply.Header("Cache-Control"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ClientRequestId_IsKept(string name)
    {
        await using var rig = await StartAsync(Dialects.Of(name));
        var reply = await rig.SendAsync(false, ("x-api-key", ClientKey), ("x-request-id", "mine-42"));
        Assert.Equal("mine-42", reply.Header("x-aiproxy-request-id"));
        var without = await rig.SendAsync(false, ("x-api-key", ClientKey));
        var again = await rig.SendAsync(false, ("x-api-key", ClientKey));
        Assert.NotEqual(without.Header("x-aiproxy-request-id"), again.Header("x-aiproxy-request-id"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ErrorHeaders_ComeBackWithTheBody(string name)
    {
        var dialect = Dialects.Of(name);
        var body = dialect.ErrorBody(429, "Slow down,  please");
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(429, body, ("retry-after", "17"), ("request-id", "req_429"), ("x-should-retry", "true")));
        var reply = (await rig.SendAsync(false)).AssertStatus(429);
        Assert.Equal(body, reply.Text);
        Assert.Equal("17", reply.Header("retry-after"));
        Assert.Equal("req_429", reply.Header("request-id"));
        Assert.Equal("true", reply.Header("x-should-retry"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task CompressedUpstreamAnswer_ArrivesPlain(string name)
    {
        var dialect = Dialects.Of(name);
        var plain = System.Text.Encoding.UTF8.GetBytes(dialect.Whole("Hello, unpacked"));
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Whole(200, "application/json", Compression.Gzip(plain), ("Content-Encoding", "gzip")));
        var reply = (await rig.SendAsync(false, ("Accept-Encoding", "gzip"))).AssertStatus(200);
        Assert.Null(reply.Header("Content-Encoding"));
        Assert.Equal("Hello, unpacked", dialect.TextOfWhole(reply.Text));
    }

    private static Task<Rig> StartAsync(IDialect dialect, params (string Name, string Value)[] headers) =>
        Rig.StartAsync(dialect, Answer(dialect, headers), $"api-key: {ClientKey}\nlog: {{level: debug}}\n");

    private static FakeAnswer Answer(IDialect dialect, params (string Name, string Value)[] headers) => FakeAnswer.Script(answer => (SharedRig.IsStream(answer.Request)
        ? FakeAnswer.Sse(headers, dialect.Text("Hello there").Frames)
        : FakeAnswer.Json(dialect.Whole("Hello there"), headers)).PlayAsync(answer));
}
