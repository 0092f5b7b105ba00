using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.ClaudeCode;

namespace Aiproxy.Tests.Upstreams.ClaudeCode;

public sealed class ClaudeCodeTests
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}""";
    private const string Token = "sk-ant-oat01-FAKE";

    private static readonly UpstreamCredential SignIn = new(new Secret(Token), new Credential { Id = "claude.json", Type = "claudecode", AccessToken = Token });

    private readonly ScriptedHandler _upstream = new();

    private Task<Attempt> Send(TestExchange test, string model = "claude-sonnet-4-6", Func<UpstreamConfig, UpstreamConfig>? change = null) =>
        new ScriptedTransport(new ClaudeCodeUpstream(), _upstream).SendAsync(test, SignIn, model, change);

    private static string Error(string message, string type = "invalid_request_error") => $$$"""{"type":"error","error":{"type":"{{{type}}}","message":{{{JsonSerializer.Serialize(message)}}}}}""";

    [Fact]
    public async Task Request_CarriesTheBearerAndNoKey()
    {
        using var test = new TestExchange(stream: false);
        _upstream.Answers(200, Good);
        Attempt attempt = await Send(test, change: config => config with { HttpHeaders = new Dictionary<string, string> { ["x-api-key"] = "sk-fake-key" } });
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Dictionary<string, string> headers = _upstream.Headers[0];
        Assert.Equal("Bearer " + Token, headers["authorization"]);
        Assert.False(headers.ContainsKey("x-api-key"));
        Assert.Equal("oauth-2025-04-20", headers["anthropic-beta"]);
        Assert.Equal("2023-06-01", headers["anthropic-version"]);
        Assert.Equal("aiproxy/test", headers["user-agent"]);
        Assert.Equal(Good, test.Client.Text);
    }

    [Fact]
    public async Task Betas_AreMergedOnceInOrder_AndLeaveTheBody()
    {
        using var test = new TestExchange(stream: false, body: """{"model":"m","max_tokens":9,"betas":["b-2","a-1","c-3"],"messages":[{"role":"user","content":"hi"}]}""");
        test.Headers.Add(new("anthropic-beta", "a-1, b-2"));
        _upstream.Answers(200, Good);
        await Send(test, change: config => config with { Quirks = new Dictionary<string, string> { ["extra_betas"] = "d-4,a-1" } });
        Assert.Equal("a-1,b-2,c-3,d-4,oauth-2025-04-20", _upstream.Headers[0]["anthropic-beta"]);
        Assert.Equal("""{"model":"claude-sonnet-4-6","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""", _upstream.Bodies[0]);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task TranslatedRequest_StartsFromTheUsualBetas(string protocol)
    {
        using var test = new TestExchange(protocol, stream: false);
        _upstream.Answers(200, Good);
        await Send(test);
        Assert.Equal("claude-code-20250219,oauth-2025-04-20,interleaved-thinking-2025-05-14", _upstream.Headers[0]["anthropic-beta"]);
    }

    [Fact]
    public async Task OwnTool_GoesThroughByteForByte()
    {
        const string Body = """{ "model" : "claude-sonnet-4-6" , "max_tokens":9,"stream":false,"system":"mine", "messages":[ {"role":"user","content":"h\u00e9"} ]}""";
        using var test = new TestExchange(stream: false, body: Body);
        test.ToolHeaders.Add(new("User-Agent", "claude-cli/2.1.0 (external, cli)"));
        test.ToolHeaders.Add(new("x-app", "cli"));
        _upstream.Answers(200, Good);
        await Send(test, change: static config => config with { SystemPrefix = true });
        Assert.Equal(Body, _upstream.Bodies[0]);
        Assert.StartsWith("claude-cli/2.1.0", _upstream.Headers[0]["user-agent"]);
        Assert.Equal("cli", _upstream.Headers[0]["x-app"]);
    }

    [Fact]
    public async Task OtherTool_KeepsItsNameToItself()
    {
        using var test = new TestExchange(stream: false);
        test.ToolHeaders.Add(new("User-Agent", "editor/1.0"));
        test.ToolHeaders.Add(new("x-app", "editor"));
        _upstream.Answers(200, Good);
        await Send(test);
        Assert.Equal("aiproxy/test", _upstream.Headers[0]["user-agent"]);
        Assert.False(_upstream.Headers[0].ContainsKey("x-app"));
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[]}""", """[{"type":"text","text":"PREFIX"}]""")]
    [InlineData("""{"model":"m","system":"mine","messages":[]}""", """[{"type":"text","text":"PREFIX"},{"type":"text","text":"mine"}]""")]
    [InlineData("""{"model":"m","system":"","messages":[]}""", """[{"type":"text","text":"PREFIX"}]""")]
    [InlineData("""{"model":"m","system":[],"messages":[]}""", """[{"type":"text","text":"PREFIX"}]""")]
    [InlineData("""{"model":"m","system":[{"type":"text","text":"a"}],"messages":[]}""", """[{"type":"text","text":"PREFIX"},{"type":"text","text":"a"}]""")]
    [InlineData("""{"model":"m","system":[{"type":"text","text":"PREFIX"},{"type":"text","text":"a"}],"messages":[]}""", """[{"type":"text","text":"PREFIX"},{"type":"text","text":"a"}]""")]
    public async Task SystemPrefix_IsTheFirstBlock(string body, string system)
    {
        using var test = new TestExchange(stream: false, body: body.Replace("PREFIX", ClaudeCodeFacts.SystemPrefix));
        _upstream.Answers(200, Good);
        await Send(test, change: static config => config with { SystemPrefix = true });
        using JsonDocument sent = JsonDocument.Parse(_upstream.Bodies[0]);
        Assert.Equal(system.Replace("PREFIX", ClaudeCodeFacts.SystemPrefix), sent.RootElement.GetProperty("system").GetRawText());
    }

    [Fact]
    public async Task SystemPrefix_IsOffByDefault_AndHoldsForTranslatedRequests()
    {
        using var plain = new TestExchange("openai", stream: false);
        _upstream.Answers(200, Good).Answers(200, Good);
        await Send(plain);
        Assert.DoesNotContain("Claude Code", _upstream.Bodies[0]);
        using var prefixed = new TestExchange("openai", stream: false);
        await Send(prefixed, change: static config => config with { SystemPrefix = true });
        Assert.Contains("\"system\":[{\"type\":\"text\",\"text\":\"" + ClaudeCodeFacts.SystemPrefix, _upstream.Bodies[1]);
    }

    [Fact]
    public async Task ByteOrderMark_IsNoFault()
    {
        using var test = new TestExchange(stream: false, body: "\uFEFF{\"model\":\"m\",\"betas\":[\"b-1\"],\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        _upstream.Answers(200, Good);
        Attempt attempt = await Send(test, change: static config => config with { SystemPrefix = true });
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.StartsWith("{\"system\":[{", _upstream.Bodies[0]);
        Assert.Contains("b-1", _upstream.Headers[0]["anthropic-beta"]);
    }

    [Fact]
    public async Task LongContextName_BecomesAFlag()
    {
        using var test = new TestExchange(stream: false);
        _upstream.Answers(200, Good);
        await Send(test, "claude-sonnet-4-6[1m]");
        Assert.Contains("\"model\":\"claude-sonnet-4-6\"", _upstream.Bodies[0]);
        Assert.Contains("context-1m-2025-08-07", _upstream.Headers[0]["anthropic-beta"]);
    }

    [Fact]
    public async Task UnknownFlag_IsLeftOutOnce()
    {
        using var test = new TestExchange(stream: false);
        test.Headers.Add(new("anthropic-beta", "made-up-1,known-2"));
        _upstream.Answers(400, Error("Unexpected value(s) `made-up-1` for the `anthropic-beta` header. Please consult our documentation.")).Answers(200, Good);
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Equal("known-2,oauth-2025-04-20", _upstream.Headers[1]["anthropic-beta"]);
    }

    [Fact]
    public async Task SameRefusalAgain_IsTheAnswer()
    {
        using var test = new TestExchange(stream: false);
        string refusal = Error("Unexpected value(s) `made-up-1` for the `anthropic-beta` header.");
        _upstream.Answers(400, refusal).Answers(400, refusal);
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Refused, attempt.Outcome.Kind);
        Assert.Equal(0, _upstream.Left);
    }

    [Fact]
    public async Task ForeignSignature_IsRetriedOnceWithoutThinking()
    {
        const string Body = """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"FAKE"},{"type":"text","text":"b"}]},{"role":"assistant","content":[{"type":"redacted_thinking","data":"FAKE"}]},{"role":"user","content":"c"}]}""";
        using var test = new TestExchange(stream: false, body: Body);
        _upstream.Answers(400, Error("messages.1.content.0: Invalid `signature` in `thinking` block")).Answers(200, Good);
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Equal("""{"model":"claude-sonnet-4-6","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}""", _upstream.Bodies[1]);
    }

    [Fact]
    public async Task CountTokens_AsksWithItsFlag()
    {
        using var test = new TestExchange(stream: false, operation: Aiproxy.Protocols.Operation.CountTokens);
        _upstream.Answers(200, """{"input_tokens":7}""");
        await Send(test);
        Assert.Equal("/v1/messages/count_tokens", _upstream.Addresses[0].AbsolutePath);
        Assert.Contains("token-counting-2024-11-01", _upstream.Headers[0]["anthropic-beta"]);
        Assert.Equal("""{"input_tokens":7}""", test.Client.Text);
    }

    [Theory]
    [InlineData(401, "OAuth token has expired.", OutcomeKind.CredentialRefused, Scope.Credential, true, false)]
    [InlineData(401, "OAuth authentication is currently not supported.", OutcomeKind.CredentialRefused, Scope.Credential, true, false)]
    [InlineData(403, "OAuth token has been revoked", OutcomeKind.CredentialRefused, Scope.Credential, false, true)]
    [InlineData(403, "OAuth authentication is currently not allowed for this organization", OutcomeKind.CredentialRefused, Scope.Credential, false, true)]
    [InlineData(400, "This credential is only authorized for use with Claude Code and cannot be used for other API requests.", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(400, "system: This credential is only authorized for use with Claude Code and cannot be used for other API requests.", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(403, "OAuth token does not meet scope requirement user:inference", OutcomeKind.CredentialRefused, Scope.Credential, false, true)]
    [InlineData(400, "This account may not be used with third-party apps.", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(429, "Extra usage is required for this model", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(404, "model: claude-none", OutcomeKind.Failed, Scope.Model, false, false)]
    [InlineData(429, "Usage credits are required for fast mode", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(529, "Overloaded", OutcomeKind.Failed, Scope.Model, false, false)]
    public async Task Refusal_IsJudged(int status, string message, OutcomeKind kind, Scope scope, bool isStale, bool isOff)
    {
        using var test = new TestExchange();
        _upstream.Answers(status, Error(message));
        Outcome outcome = (await Send(test)).Outcome;
        Assert.Equal((kind, scope, isStale, isOff), (outcome.Kind, outcome.Scope, outcome.IsStaleToken, outcome.SignInFault is not null));
        Assert.DoesNotContain(Token, outcome.Error!.Message);
    }

    [Theory]
    [InlineData(Scope.Credential, 7200, "5h-status=rejected", "5h-reset=+7200", "7d-status=allowed", "7d-reset=+90000")]
    [InlineData(Scope.Credential, 90000, "5h-status=rejected", "5h-reset=+7200", "7d-status=rejected", "7d-reset=+90000")]
    [InlineData(Scope.Credential, 300, "status=rejected", "reset=+300", "representative-claim=five_hour")]
    [InlineData(Scope.CredentialModel, 86400, "status=rejected", "7d_oi-status=rejected", "7d_oi-reset=+86400", "5h-status=allowed")]
    [InlineData(Scope.CredentialModel, 86400, "status=rejected", "7d_oi-status=rejected", "7d_oi-reset=+86400", "7d_opus-status=rejected", "7d_opus-reset=+300")]
    [InlineData(Scope.CredentialModel, 60, "7d_oi-status=rejected")]
    [InlineData(Scope.CredentialModel, 500, "status=rejected", "reset=+500", "representative-claim=seven_day_opus")]
    [InlineData(Scope.Credential, 60, "5h-status=rejected")]
    [InlineData(Scope.CredentialModel, 5, "5h-status=allowed")]
    [InlineData(Scope.CredentialModel, 5)]
    public async Task Limit_RestsWhatItNames(Scope scope, int seconds, params string[] headers)
    {
        using var test = new TestExchange();
        DateTimeOffset now = test.Clock.GetUtcNow();
        (string, string)[] told =
        [
            .. headers.Select(header => header.Split('=')).Select(pair =>
                ("anthropic-ratelimit-unified-" + pair[0], pair[1].StartsWith('+') ? (now.ToUnixTimeSeconds() + int.Parse(pair[1])).ToString() : pair[1])),
        ];
        _upstream.Answers(429, Error("This request would exceed your account's rate limit.", "rate_limit_error"), "application/json", told);
        Outcome outcome = (await Send(test)).Outcome;
        Assert.Equal((OutcomeKind.Limited, scope), (outcome.Kind, outcome.Scope));
        Assert.Equal(seconds, (outcome.RetryAt!.Value - now).TotalSeconds, 1.0);
    }

    [Fact]
    public void QuotaHeaders_AreReadAsPercent()
    {
        DateTimeOffset now = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);
        AccountQuota quota = new ClaudeCodeAccount().QuotaOf(
            [
                new("anthropic-ratelimit-unified-5h-utilization", "0.25"), new("anthropic-ratelimit-unified-5h-reset", "1790003600"),
                new("anthropic-ratelimit-unified-7d-status", "allowed"), new("anthropic-ratelimit-unified-overage-status", "rejected"), new("x", "y"),
            ], now)!;
        Assert.Equal([new QuotaWindow("5h", 25, now.AddHours(1)), new QuotaWindow("7d", null, null)], quota.Windows);
        Assert.Null(new ClaudeCodeAccount().QuotaOf([new("retry-after", "5")], now));
    }

    [Fact]
    public async Task UsageAndModels_AreReadDefensively()
    {
        var account = new ClaudeCodeAccount();
        UpstreamConfig config = TestExchange.Upstream("claudecode", "https://h.invalid/");
        using var client = new HttpMessageInvoker(_upstream);
        _upstream.Answers(200, """{"five_hour":{"utilization":17.0,"resets_at":"2099-08-01T15:00:00.000000+00:00"},"seven_day_opus":null,"extra_usage":{"is_enabled":false,"utilization":null},"limits":[]}""");
        AccountQuota? quota = await account.QuotaAsync(config, SignIn, client.SendAsync, DateTimeOffset.Parse("2099-08-01T14:00:00Z"), CancellationToken.None);
        Assert.Equal([new QuotaWindow("five_hour", 17, DateTimeOffset.Parse("2099-08-01T15:00:00Z"))], quota!.Windows);
        Assert.Equal("https://h.invalid/api/oauth/usage", _upstream.Addresses[0].AbsoluteUri);

        _upstream.Answers(200, """{"data":[{"id":"claude-a"},{"id":5},"x",{"id":"claude-b"}]}""");
        Assert.Equal(["claude-a", "claude-b"], (await account.ModelsAsync(config, SignIn, client.SendAsync, CancellationToken.None))!);
        _upstream.Answers(200, "<html>");
        await Assert.ThrowsAsync<HttpRequestException>(async () => await account.ModelsAsync(config, SignIn, client.SendAsync, CancellationToken.None));
    }
}
