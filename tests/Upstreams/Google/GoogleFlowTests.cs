using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using static Aiproxy.Tests.Upstreams.Google.GoogleRig;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>Whole attempts: hosts, mends, and what the client gets.</summary>
public sealed class GoogleFlowTests
{
    private const string Daily = "daily-cloudcode-pa.googleapis.com", Production = "cloudcode-pa.googleapis.com";
    private const string Claude = "claude-opus-4-6-thinking";

    private readonly GoogleRig _antigravity = new("antigravity");
    private readonly GoogleRig _cli = new("geminicli");

    private static void Good(GoogleRig rig) => rig.Upstream.Answers(200, Events(Text("hi", "STOP")), "text/event-stream");

    private static string[] Hosts(GoogleRig rig) => [.. rig.Upstream.Addresses.Select(address => address.Host)];

    /// <summary>Time goes on while the attempt waits.</summary>
    private static async Task<Attempt> Run(GoogleRig rig, TestExchange test, string model)
    {
        Task<Attempt> sending = rig.SendAsync(test, model);
        for (int i = 0; i < 400 && await Task.WhenAny(sending, Task.Delay(TimeSpan.FromMilliseconds(10))) != sending; i++) rig.Clock.Advance(TimeSpan.FromMilliseconds(250));
        return await sending;
    }

    private static async Task<(Attempt Attempt, string Text)> Ask(GoogleRig rig, string protocol = "gemini", bool stream = true, string model = "gemini-3-flash", string? body = null, bool array = false)
    {
        using var test = new TestExchange(protocol, stream, array, rig.Clock, model, body, totalSeconds: 600);
        Attempt attempt = await Run(rig, test, model);
        if (stream && attempt.Outcome.Kind == OutcomeKind.Success) test.Check(forwarded: protocol == "gemini");
        return (attempt, test.Client.Text);
    }

    [Fact]
    public async Task FirstHostDown_SecondAnswers()
    {
        _antigravity.Upstream.Fails(new HttpRequestException(HttpRequestError.ConnectionError));
        Good(_antigravity);
        Assert.Equal(OutcomeKind.Success, (await Ask(_antigravity)).Attempt.Outcome.Kind);
        Assert.Equal([Daily, Production], Hosts(_antigravity));
    }

    public static TheoryData<int, string, int> Refusals() => new()
    {
        { 404, Error(404, "NOT_FOUND", "no such method"), 2 },
        { 503, Error(503, "UNAVAILABLE", "No capacity available for model x"), 2 },
        { 429, Error(429, "RESOURCE_EXHAUSTED", "no", Info("MODEL_CAPACITY_EXHAUSTED")), 2 },
        { 429, Error(429, "RESOURCE_EXHAUSTED", "no", Info("RATE_LIMIT_EXCEEDED") + "," + Retry("30s")), 2 },
        { 429, Error(429, "RESOURCE_EXHAUSTED", "no", Info("QUOTA_EXHAUSTED")), 1 },
        { 429, Error(429, "RESOURCE_EXHAUSTED", "no", Info("RATE_LIMIT_EXCEEDED") + "," + Retry("600s")), 1 },
        { 400, Error(400, "INVALID_ARGUMENT", "Unknown name \"x\""), 1 },
        { 401, Error(401, "UNAUTHENTICATED", "no"), 1 },
        { 403, Error(403, "PERMISSION_DENIED", "no", Info("VALIDATION_REQUIRED", """{"validation_url":"https://example.com/v"}""")), 1 },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task NextHost_IsAskedOnlyWhereItMayHelp(int status, string body, int asked)
    {
        for (int i = 0; i < asked; i++) _antigravity.Upstream.Answers(status, body);
        Attempt attempt = (await Ask(_antigravity)).Attempt;
        Assert.NotEqual(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Equal(0, _antigravity.Upstream.Left);
        Assert.Equal(asked, _antigravity.Upstream.Bodies.Count);
        if (status == 403) Assert.Equal("https://example.com/v", attempt.Outcome.SignInFault!.Link!.AbsoluteUri);
    }

    [Theory]
    [InlineData("gemini", true)]
    [InlineData("gemini", false)]
    [InlineData("anthropic", true)]
    public async Task RefusalToldInsideTheAnswer_KeepsItsLinkAndItsTimes(string client, bool stream)
    {
        string error = Error(403, "PERMISSION_DENIED", "no", Info("VALIDATION_REQUIRED", """{"validation_url":"https://example.com/v"}"""));
        _cli.Upstream.Answers(200, stream ? "data: " + error.ReplaceLineEndings("") + "\n\n" : error, stream ? "text/event-stream" : "application/json");
        Assert.Equal("https://example.com/v", (await Ask(_cli, client, stream)).Attempt.Outcome.SignInFault?.Link?.AbsoluteUri);

        error = Error(429, "RESOURCE_EXHAUSTED", "no", Info("QUOTA_EXHAUSTED", """{"quotaResetDelay":"7000s"}"""));
        _cli.Upstream.Answers(200, stream ? "data: " + error.ReplaceLineEndings("") + "\n\n" : error, stream ? "text/event-stream" : "application/json");
        Outcome outcome = (await Ask(_cli, client, stream)).Attempt.Outcome;
        Assert.Equal((ErrorKind.Quota, _cli.Clock.Now.AddSeconds(7000)), (outcome.Error!.Kind, outcome.RetryAt));
    }

    [Theory]
    [InlineData("geminicli")]
    [InlineData("antigravity")]
    public async Task ShortLimit_IsWaitedForOnce(string type)
    {
        GoogleRig rig = type == "geminicli" ? _cli : _antigravity;
        rig.Upstream.Answers(429, Error(429, "RESOURCE_EXHAUSTED", "no", Info("RATE_LIMIT_EXCEEDED") + "," + Retry("1.5s")));
        Good(rig);
        DateTimeOffset begun = rig.Clock.Now;
        Assert.Equal(OutcomeKind.Success, (await Ask(rig)).Attempt.Outcome.Kind);
        Assert.True(rig.Clock.Now - begun >= TimeSpan.FromSeconds(2.5));
        Assert.Single(Hosts(rig).Distinct());
    }

    [Fact]
    public async Task LimitWithoutAReason_IsTriedThreeTimes()
    {
        for (int i = 0; i < 3; i++) _antigravity.Upstream.Answers(429, Error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."));
        Attempt attempt = (await Ask(_antigravity)).Attempt;
        Assert.Equal([Daily, Daily, Production], Hosts(_antigravity));
        Assert.Equal((OutcomeKind.Limited, Scope.CredentialModel, 5d), (attempt.Outcome.Kind, attempt.Outcome.Scope, (attempt.Outcome.RetryAt!.Value - _antigravity.Clock.Now).TotalSeconds));
    }

    [Theory]
    [InlineData("data: {\"traceId\":\"t\"}\n\n")]
    [InlineData(": nothing\n\n")]
    public async Task EmptyStream_IsAskedForOnceMore(string empty)
    {
        _antigravity.Upstream.Answers(200, empty, "text/event-stream");
        Good(_antigravity);
        Assert.Equal(OutcomeKind.Success, (await Ask(_antigravity)).Attempt.Outcome.Kind);
        Assert.Equal([Daily, Daily], Hosts(_antigravity));
    }

    [Theory]
    [InlineData("gemini", """{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"s","thoughtSignature":"Zm9yZWlnbg=="},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"Zm9yZWlnbg=="}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}""")]
    [InlineData("openai", """{"model":"m","stream":true,"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"Zm9yZWlnbg=="}}}]},{"role":"tool","tool_call_id":"c1","content":"ok"}]}""")]
    public async Task RefusedSignature_IsDroppedOnce(string protocol, string body)
    {
        foreach (GoogleRig rig in (GoogleRig[])[_cli, _antigravity])
        {
            string refusal = Error(400, "INVALID_ARGUMENT", "Corrupted thought signature.");
            rig.Upstream.Answers(400, refusal).Answers(400, refusal);
            Attempt attempt = (await Ask(rig, protocol, body: body)).Attempt;
            Assert.Equal(OutcomeKind.Refused, attempt.Outcome.Kind);
            Assert.Equal(2, rig.Upstream.Bodies.Count);
            Assert.Contains("Zm9yZWlnbg==", rig.Upstream.Bodies[0]);
            Assert.DoesNotContain("Zm9yZWlnbg==", rig.Upstream.Bodies[1]);
            Assert.Contains("\"functionCall\"", rig.Upstream.Bodies[1]);
            Assert.Contains("skip_thought_signature_validator", rig.Upstream.Bodies[1]);
            rig.Checked();
        }
    }

    [Fact]
    public async Task GeminiClient_GetsTheInnerStream()
    {
        _cli.Upstream.Answers(200, "data: {\"response\":\r\ndata: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"hé\"}]}}],\"unknown\":1}}\r\n\r\n" + Events("""{"traceId":"t"}""", Text("o", "STOP")), "text/event-stream");
        string text = (await Ask(_cli)).Text;
        Assert.Equal(
            "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"hé\"}]}}],\"unknown\":1}\r\n\r\ndata: " + Text("o", "STOP")["{\"response\":".Length..^",\"traceId\":\"t1\"}".Length] + "\r\n\r\n", text);
    }

    [Fact]
    public async Task GeminiClientThatWantsAnArray_GetsOne()
    {
        Good(_cli);
        string text = (await Ask(_cli, array: true)).Text;
        Assert.Equal("hi", JsonDocument.Parse(text).RootElement[0].GetProperty("candidates")[0].GetProperty("content").GetProperty("parts")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task ProviderThatStreamsAnArray_IsUnderstood()
    {
        _cli.Upstream.Answers(200, "[" + Text("a") + ",\r\n" + Text("b", "STOP") + "]");
        (Attempt attempt, string text) = await Ask(_cli);
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Equal(2, text.Split("data: ").Length - 1);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task EveryClient_IsAnswered_WholeAndStreamed(string protocol)
    {
        foreach (bool stream in (bool[])[true, false])
        {
            foreach ((GoogleRig rig, string model) in ((GoogleRig, string)[])[(_cli, "gemini-2.5-pro"), (_antigravity, "gemini-3-flash"), (_antigravity, "gemini-3.1-pro-low"), (_antigravity, "claude-sonnet-4-6")])
            {
                bool streams = stream || model is "gemini-3.1-pro-low" or "claude-sonnet-4-6";
                if (streams) Good(rig);
                else rig.Upstream.Answers(200, Text("hi", "STOP"));
                (Attempt attempt, string text) = await Ask(rig, protocol, stream, model);
                Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
                Assert.Contains("hi", text);
                Assert.DoesNotContain("traceId", text);
                Assert.EndsWith(streams ? ":streamGenerateContent?alt=sse" : ":generateContent", rig.Upstream.Addresses[^1].AbsoluteUri);
                Assert.Equal(streams ? "text/event-stream" : "application/json", rig.Upstream.Headers[^1]["accept"]);
            }
        }
    }

    [Fact]
    public async Task CallWithoutAnId_UnderAnotherReason_IsAToolUse_WithoutPlaceholders()
    {
        const string Body = """{"model":"m","stream":true,"max_tokens":99,"messages":[{"role":"user","content":"a"}],"tools":[{"name":"1st tool","input_schema":{"type":"object"}},{"name":"own","input_schema":{"type":"object","properties":{"reason":{"type":"string"}},"required":["reason"]}}]}""";
        _antigravity.Upstream.Answers(200, Events(
            Parts("""{"functionCall":{"name":"NAME","args":{"reason":"because"}}},{"functionCall":{"name":"own","args":{"reason":"mine"}}}""".Replace("NAME", SentName), "OTHER")), "text/event-stream");
        (Attempt attempt, string text) = await Ask(_antigravity, "anthropic", model: "claude-sonnet-4-6", body: Body);
        _antigravity.Checked();
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Contains("\"stop_reason\":\"tool_use\"", text);
        Assert.Contains("\"name\":\"1st tool\"", text);
        Assert.DoesNotContain("because", text);
        Assert.Contains("mine", text);
        Assert.Matches("\"id\":\"[A-Za-z0-9_-]+\",\"name\":\"1st tool\"", text);
    }

    // As the shared rules for names shorten it.
    private static string SentName => Aiproxy.Protocols.Model.ToolNames.For("1st tool", 64);

    [Fact]
    public async Task ForwardedCall_GetsTheClientsNameBack()
    {
        const string Body = """{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"1st tool"}]}]}""";
        _antigravity.Upstream.Answers(200, Parts("""{"functionCall":{"name":"_1st_tool","args":{"x":1}}}""", "STOP"));
        (_, string text) = await Ask(_antigravity, stream: false, body: Body);
        Assert.Contains("""{"functionCall":{"name":"1st tool","args":{"x":1}}}""", text);
    }

    [Fact]
    public async Task DoubledSignature_ReachesTheClientInAnthropicsForm_AndGoesBackAsItCame()
    {
        string doubled = Convert.ToBase64String("EsignatureFake+/=="u8);
        _antigravity.Upstream.Answers(200, Events(
            """{"response":{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}}""",
            """{"response":{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"DOUBLED"},{"functionCall":{"id":"toolu_vrtx_1","name":"f","args":{"_":true}}}]},"finishReason":"STOP"}]}}""".Replace("DOUBLED", doubled)), "text/event-stream");
        const string Tools = ""","tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}]""";
        (_, string text) = await Ask(_antigravity, "anthropic", model: Claude, body: """{"model":"m","stream":true,"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[{"role":"user","content":"a"}]""" + Tools + "}");
        Assert.Contains("\"signature\":\"EsignatureFake+/==\"", text);

        JsonElement again = await _antigravity.SentAsync("anthropic", Claude,
            """{"model":"m","stream":true,"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"EsignatureFake+/=="},{"type":"tool_use","id":"toolu_vrtx_1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_vrtx_1","content":"ok"}]}]""" + Tools + "}");
        Assert.Equal(doubled, again.GetProperty("request").GetProperty("contents")[1].GetProperty("parts")[0].GetProperty("thoughtSignature").GetString());
        Assert.True(again.GetProperty("request").GetProperty("generationConfig").TryGetProperty("thinkingConfig", out _));
    }

    [Theory]
    [InlineData("""{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"no","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"20s"}]}}""", OutcomeKind.Limited)]
    [InlineData("""[{"error":{"code":500,"status":"INTERNAL","message":"no"}}]""", OutcomeKind.Failed)]
    public async Task ErrorAtTheHeadOfAStream_IsJudgedLikeAnyOther(string data, OutcomeKind kind)
    {
        _cli.Upstream.Answers(200, Events(data), "text/event-stream");
        (Attempt attempt, string text) = await Ask(_cli);
        Assert.Equal((kind, ""), (attempt.Outcome.Kind, text));
    }

    [Fact]
    public async Task Headers_AreOurs_UnlessTheClientIsTheProvidersOwnTool()
    {
        foreach ((string agent, string expected) in ((string, string)[])[("curl/8", "aiproxy/test"), ("GeminiCLI/0.61.0/gemini-3-flash (linux; x64; terminal)", "GeminiCLI/0.61.0/gemini-3-flash (linux; x64; terminal)")])
        {
            using var test = new TestExchange("gemini", clock: _cli.Clock, model: "gemini-3-flash");
            test.ToolHeaders.Add(new("User-Agent", agent));
            test.Headers.Add(new("x-goog-api-client", "google-genai-sdk/1.30.0"));
            test.Headers.Add(new("x-goog-user-project", "theirs"));
            Good(_cli);
            await _cli.SendAsync(test, "gemini-3-flash");
            Dictionary<string, string> headers = _cli.Upstream.Headers[^1];
            Assert.Equal((expected, "Bearer " + Token, "text/event-stream", "application/json"), (headers["user-agent"], headers["authorization"], headers["accept"], headers["content-type"]));
            Assert.False(headers.ContainsKey("x-goog-user-project"));
            Assert.Equal("google-genai-sdk/1.30.0", headers["x-goog-api-client"]);
        }
        _cli.Change = config => config with { UserAgent = "mine/1", HttpHeaders = new Dictionary<string, string> { ["x-goog-user-project"] = "ours" } };
        Good(_cli);
        await Ask(_cli);
        Assert.Equal(("mine/1", "ours"), (_cli.Upstream.Headers[^1]["user-agent"], _cli.Upstream.Headers[^1]["x-goog-user-project"]));
    }

    [Fact]
    public async Task ConfiguredBaseUrls_ReplaceTheList()
    {
        _antigravity.Change = config => config with { BaseUrls = [new Uri("https://one.example"), new Uri("https://two.example/x")] };
        _antigravity.Upstream.Answers(404, Error(404, "NOT_FOUND", "no"));
        Good(_antigravity);
        await Ask(_antigravity);
        Assert.Equal(["https://one.example/v1internal:streamGenerateContent?alt=sse", "https://two.example/x/v1internal:streamGenerateContent?alt=sse"], _antigravity.Upstream.Addresses.Select(address => address.AbsoluteUri));
    }
}
