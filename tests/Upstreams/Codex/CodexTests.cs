using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Codex;

namespace Aiproxy.Tests.Upstreams.Codex;

public sealed class CodexTests
{
    private static readonly UpstreamCredential SignIn = new(
        new Secret("eyJ.FAKE.sig"), new Credential { Id = "codex.json", Type = "codex", AccessToken = "eyJ.FAKE.sig", AccountId = "acc-1", IsFedRamp = true });

    private static readonly string LongName = "mcp__a-b.c:" + new string('n', 80);

    private readonly ScriptedHandler _upstream = new();

    private Task<Attempt> Send(TestExchange test, Func<UpstreamConfig, UpstreamConfig>? change = null) =>
        new ScriptedTransport(new CodexUpstream(), _upstream).SendAsync(test, SignIn, "gpt-5.5", change);

    private static string Events(params string[] events) => string.Concat(events.Select(static data => "data: " + data + "\n\n"));

    private static string Answer(string completedOutput = "[]", string name = "f") => Events(
        """{"type":"codex.rate_limits","rate_limits":{}}""",
        """{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","model":"gpt-5.5","status":"in_progress","output":[]}}""",
        """{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"NAME","arguments":"","status":"in_progress"}}""".Replace("NAME", name),
        """{"type":"response.function_call_arguments.delta","sequence_number":2,"output_index":0,"item_id":"fc_1","delta":"{\"a\":1}"}""",
        """{"type":"response.function_call_arguments.done","sequence_number":3,"output_index":0,"item_id":"fc_1","name":"NAME","arguments":"{\"a\":1}"}""".Replace("NAME", name),
        """{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"NAME","arguments":"{\"a\":1}","status":"completed"}}""".Replace("NAME", name),
        """{"type":"response.completed","sequence_number":5,"response":{"id":"resp_1","object":"response","model":"gpt-5.5","status":"completed","output":OUTPUT,"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":14}}}""".Replace("OUTPUT", completedOutput));

    private JsonElement Sent(int index = 0)
    {
        JsonElement body = JsonDocument.Parse(_upstream.Bodies[index]).RootElement;
        Assert.Null(CodexRules.Refusal(body));
        return body;
    }

    [Theory]
    [InlineData("anthropic", true)]
    [InlineData("openai", true)]
    [InlineData("responses", true)]
    [InlineData("gemini", true)]
    [InlineData("anthropic", false)]
    [InlineData("openai", false)]
    [InlineData("responses", false)]
    [InlineData("gemini", false)]
    public async Task EveryClient_IsServedUnderTheRules(string protocol, bool stream)
    {
        using var test = new TestExchange(protocol, stream);
        _upstream.Answers(200, Answer(), "text/event-stream");
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Sent();
        Assert.Equal("https://upstream.invalid/responses".Replace("https", "http"), _upstream.Addresses[0].AbsoluteUri);
        Assert.DoesNotContain("codex.rate_limits", test.Client.Text);
        Assert.Contains(protocol == "gemini" ? "functionCall" : "call_1", test.Client.Text);
        if (stream) test.Check(forwarded: protocol == "responses");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForwardedAnswer_IsKeptWithItsItems(bool stream)
    {
        byte[]? kept = null;
        using var test = new TestExchange("responses", stream, keep: answer => kept = answer.ToArray());
        _upstream.Answers(200, Answer(), "text/event-stream");
        await Send(test);
        JsonElement response = JsonDocument.Parse(kept!).RootElement;
        Assert.Equal("resp_1", response.GetProperty("id").GetString());
        Assert.Equal("call_1", response.GetProperty("output")[0].GetProperty("call_id").GetString());
    }

    /// <summary>A turn is kept with what it was an answer to, however long the answer took.</summary>
    [Fact]
    public async Task AnswerThatIsKept_HoldsItsRequestToTheEnd()
    {
        bool hasRequest = false;
        TestExchange? asked = null;
        using var test = asked = new TestExchange("responses", stream: true, keep: _ => hasRequest = !asked!.Exchange.Body.IsEmpty);
        var answer = new System.IO.Pipelines.Pipe();
        _upstream.AnswersWith(200, answer.Reader.AsStream(), "text/event-stream");
        Task<Attempt> sending = Send(test);
        int end = Answer().IndexOf("data: {\"type\":\"response.completed\"", StringComparison.Ordinal);
        await answer.Writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Answer()[..end]));
        while (!test.Client.Text.Contains("call_1") && !sending.IsCompleted) await Task.Yield();
        await answer.Writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Answer()[end..]));
        await answer.Writer.CompleteAsync();
        Assert.Equal((OutcomeKind.Success, true), ((await sending).Outcome.Kind, hasRequest));
    }

    [Fact]
    public async Task AnswerThatCannotBeKept_IsStillToldWhole()
    {
        using var test = new TestExchange("responses", stream: true, keep: _ => throw new JsonException("no JSON"));
        _upstream.Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Contains("response.completed", test.Client.Text);
        test.Check(forwarded: true);
    }

    [Fact]
    public async Task BrokenAnswer_IsNotKept()
    {
        bool isKept = false;
        using var test = new TestExchange("responses", stream: true, keep: _ => isKept = true);
        _upstream.Answers(200, Answer().Split("data: {\"type\":\"response.completed\"")[0], "text/event-stream");
        await Send(test);
        Assert.False(isKept);
    }

    [Fact]
    public async Task Headers_NameTheAccountAndOurselves()
    {
        using var test = new TestExchange("responses");
        test.Headers.Add(new("session_id", "s-1"));
        test.ToolHeaders.Add(new("User-Agent", "editor/1.0"));
        _upstream.Answers(200, Answer(), "text/event-stream");
        await Send(test);
        Dictionary<string, string> headers = _upstream.Headers[0];
        Assert.Equal("Bearer eyJ.FAKE.sig", headers["authorization"]);
        Assert.Equal("acc-1", headers["chatgpt-account-id"]);
        Assert.Equal("true", headers["x-openai-fedramp"]);
        Assert.Equal("aiproxy", headers["originator"]);
        Assert.Equal("aiproxy/test", headers["user-agent"]);
        Assert.Equal("text/event-stream", headers["accept"]);
        Assert.Equal("s-1", Sent().GetProperty("prompt_cache_key").GetString());
    }

    [Fact]
    public async Task OwnTool_KeepsItsName()
    {
        using var test = new TestExchange("responses");
        test.Headers.Add(new("originator", "codex_cli_rs"));
        test.ToolHeaders.Add(new("User-Agent", "codex_cli_rs/0.169.0"));
        _upstream.Answers(200, Answer(), "text/event-stream").Answers(200, Answer(), "text/event-stream");
        await Send(test);
        Assert.Equal(("codex_cli_rs", "codex_cli_rs/0.169.0"), (_upstream.Headers[0]["originator"], _upstream.Headers[0]["user-agent"]));

        using var nameless = new TestExchange("responses");
        nameless.ToolHeaders.Add(new("User-Agent", "codex_cli_rs/0.169.0"));
        await Send(nameless);
        Assert.Equal(("aiproxy", "codex_cli_rs/0.169.0"), (_upstream.Headers[1]["originator"], _upstream.Headers[1]["user-agent"]));

        _upstream.Answers(200, Answer(), "text/event-stream");
        using var again = new TestExchange("responses");
        await Send(again, config => config with { UserAgent = "mine/1", Quirks = new Dictionary<string, string> { ["originator"] = "mine" } });
        Assert.Equal(("mine", "mine/1"), (_upstream.Headers[2]["originator"], _upstream.Headers[2]["user-agent"]));
    }

    [Fact]
    public async Task ForwardedBody_ComesUnderEveryRule()
    {
        string body = """
            {"model":"m","stream":true,"store":true,"temperature":0.5,"max_output_tokens":100,"metadata":{"a":"b"},"user":"u","truncation":"auto","service_tier":"flex","parallel_tool_calls":true,
             "include":["file_search_call.results"],"previous_response_id":null,"tool_choice":{"type":"function","name":"LONG"},
             "tools":[{"type":"function","name":"LONG","parameters":{"type":"object","properties":{"id":{"type":"string"},"name":{"type":"string"}}}},{"type":"web_search_preview_2025_03_11"}],
             "input":[{"type":"message","id":"msg_1","role":"system","content":[{"type":"input_text","text":"s","prompt_cache_breakpoint":{}}]},{"type":"item_reference","id":"rs_1"},
              {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAAFAKE"},
              {"type":"function_call","id":"fc_1","call_id":"CALL","name":"LONG","arguments":"{\"id\":\"x\",\"role\":\"system\"}"},{"type":"function_call_output","call_id":"CALL","output":"ok"},
              {"role":"user","content":"hi"}]}
            """.Replace("LONG", LongName).Replace("CALL", "call_" + new string('9', 90));
        using var test = new TestExchange("responses", body: body);
        _upstream.Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);

        JsonElement sent = Sent();
        string cut = sent.GetProperty("tools")[0].GetProperty("name").GetString()!;
        Assert.Equal(64, cut.Length);
        Assert.Equal(cut, sent.GetProperty("tool_choice").GetProperty("name").GetString());
        JsonElement input = sent.GetProperty("input");
        Assert.Equal(["message", "reasoning", "function_call", "function_call_output", ""], input.EnumerateArray().Select(item => item.TryGetProperty("type", out JsonElement type) ? type.GetString() : ""));
        Assert.Equal("developer", input[0].GetProperty("role").GetString());
        Assert.Equal("gAAAFAKE", input[1].GetProperty("encrypted_content").GetString());
        Assert.Equal(cut, input[2].GetProperty("name").GetString());
        Assert.Equal("""{"id":"x","role":"system"}""", input[2].GetProperty("arguments").GetString());
        Assert.Equal(input[2].GetProperty("call_id").GetString(), input[3].GetProperty("call_id").GetString());
        // Names of properties are no parameters of ours.
        Assert.Equal("""{"type":"object","properties":{"id":{"type":"string"},"name":{"type":"string"}}}""", sent.GetProperty("tools")[0].GetProperty("parameters").GetRawText());
        Assert.Equal(["file_search_call.results", "reasoning.encrypted_content"], sent.GetProperty("include").EnumerateArray().Select(item => item.GetString()));
    }

    [Theory]
    [InlineData("\"service_tier\":\"priority\"", "service_tier", "\"priority\"")]
    [InlineData("\"service_tier\":\"fast\"", "service_tier", "\"priority\"")]
    [InlineData("\"service_tier\":\"flex\"", "service_tier", null)]
    [InlineData("\"instructions\":null", "instructions", "\"\"")]
    [InlineData("\"instructions\":\"be brief\"", "instructions", "\"be brief\"")]
    [InlineData("\"parallel_tool_calls\":true", "parallel_tool_calls", null)]
    [InlineData("\"parallel_tool_calls\":true,\"tools\":[]", "parallel_tool_calls", null)]
    [InlineData("\"parallel_tool_calls\":true,\"tools\":[{\"type\":\"web_search\"}]", "parallel_tool_calls", "true")]
    [InlineData("\"tool_choice\":\"auto\"", "tool_choice", "\"auto\"")]
    [InlineData("\"tool_choice\":{\"type\":\"web_search_preview\"}", "tool_choice", "{\"type\":\"web_search\"}")]
    [InlineData("\"include\":[\"a\",\"a\",5]", "include", "[\"a\",\"reasoning.encrypted_content\"]")]
    [InlineData("\"prompt_cache_key\":\"k\"", "prompt_cache_key", "\"k\"")]
    [InlineData("\"prompt_cache_key\":null", "prompt_cache_key", "\"s-1\"")]
    public async Task ForwardedMember_ComesUnderItsRule(string member, string name, string? sent)
    {
        using var test = new TestExchange("responses", body: """{"model":"m","stream":true,"input":"hi",""" + member + "}");
        test.Headers.Add(new("session_id", "s-1"));
        _upstream.Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Equal(sent, Sent().TryGetProperty(name, out JsonElement value) ? value.GetRawText() : null);
    }

    [Fact]
    public async Task LongNames_AreCutTheSameWay_WhereverTheyStand()
    {
        string body = """
            {"model":"m","stream":true,"input":"hi","tools":[{"type":"namespace","name":"ns","tools":[{"type":"function","name":"LONG"}]},{"type":"function","name":"SAME"}],
             "tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"LONG"},{"type":"function","name":"SAME"}]}}
            """.Replace("LONG", LongName).Replace("SAME", new string('s', 64));
        using var test = new TestExchange("responses", body: body);
        _upstream.Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        JsonElement tools = Sent().GetProperty("tools"), allowed = Sent().GetProperty("tool_choice").GetProperty("tools");
        string cut = tools[0].GetProperty("tools")[0].GetProperty("name").GetString()!;
        Assert.Equal((64, "mcp__a-b_c_n"), (cut.Length, cut[..12]));
        Assert.Equal([cut, new string('s', 64)], allowed.EnumerateArray().Select(tool => tool.GetProperty("name").GetString()));
        Assert.Equal(new string('s', 64), tools[1].GetProperty("name").GetString());
    }

    [Fact]
    public async Task EmptyOutput_IsFilledInTheOrderOfTheItems()
    {
        static string Item(string id) => "{\"type\":\"message\",\"id\":\"" + id + "\",\"content\":[]}";
        _upstream.Answers(200, Events(
            """{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}""",
            """{"type":"response.output_item.done","output_index":1,"item":""" + Item("b") + "}",
            """{"type":"response.output_item.done","output_index":0,"item":""" + Item("a") + "}",
            """{"type":"response.output_item.done","item":""" + Item("c") + "}",
            """{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"""), "text/event-stream");
        using var test = new TestExchange("responses", stream: false);
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Equal(["a", "b", "c"], JsonDocument.Parse(test.Client.Text).RootElement.GetProperty("output").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task ShortenedName_IsTheClientsAgain()
    {
        string body = """{"model":"m","stream":true,"tools":[{"type":"function","name":"LONG"}],"input":"hi"}""".Replace("LONG", LongName);
        using var probe = new TestExchange("responses", body: body);
        _upstream.Answers(200, Answer(), "text/event-stream");
        await Send(probe);
        string cut = Sent().GetProperty("tools")[0].GetProperty("name").GetString()!;

        foreach (bool stream in (bool[])[true, false])
        {
            using var test = new TestExchange("responses", stream, body: body.Replace("\"stream\":true", stream ? "\"stream\":true" : "\"stream\":false"));
            _upstream.Answers(200, Answer("""[{"type":"function_call","id":"fc_1","call_id":"call_1","name":"NAME","arguments":"{}","status":"completed"}]""".Replace("NAME", cut), cut), "text/event-stream");
            await Send(test);
            Assert.DoesNotContain(cut, test.Client.Text);
            Assert.Contains(LongName, test.Client.Text);
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""[{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}","status":"completed"}]""")]
    public async Task EmptyOutput_IsFilledFromTheItems(string output)
    {
        using var test = new TestExchange("responses", stream: false);
        _upstream.Answers(200, Answer(output), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        JsonElement whole = JsonDocument.Parse(test.Client.Text).RootElement;
        Assert.Equal("completed", whole.GetProperty("status").GetString());
        Assert.Equal("call_1", Assert.Single(whole.GetProperty("output").EnumerateArray()).GetProperty("call_id").GetString());

        using var streamed = new TestExchange("responses");
        _upstream.Answers(200, Answer(output), "text/event-stream");
        await Send(streamed);
        Assert.Contains("\"status\":\"completed\",\"output\":[{\"type\":\"function_call\"", streamed.Client.Text);
    }

    [Fact]
    public async Task ByteOrderMark_IsNoFault()
    {
        using var test = new TestExchange("responses", body: "\uFEFF{\"model\":\"m\",\"stream\":true,\"input\":\"hi\"}");
        _upstream.Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Equal("hi", Sent().GetProperty("input")[0].GetProperty("content")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task CutStream_IsNoAnswer()
    {
        using var test = new TestExchange("responses", stream: false);
        string answer = Answer();
        _upstream.Answers(200, answer[..answer.LastIndexOf("data:", StringComparison.Ordinal)], "text/event-stream");
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Failed, attempt.Outcome.Kind);
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public async Task UnknownReference_IsNotIgnored()
    {
        using var test = new TestExchange("responses", body: """{"model":"m","stream":true,"input":"hi","previous_response_id":"resp_foreign"}""");
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.CannotSay, attempt.Outcome.Kind);
        Assert.Equal(("previous_response_id", "previous_response_not_found"), (attempt.Outcome.Error!.Param, attempt.Outcome.Error!.Code));
    }

    [Fact]
    public async Task UnsupportedParameter_IsLeftOutOnce_AndRemembered()
    {
        var type = new CodexUpstream();
        string body = """{"model":"m","stream":true,"input":"hi","brand_new":1}""";
        using var test = new TestExchange("responses", body: body);
        _upstream.Answers(400, """{"detail":"Unsupported parameter: brand_new"}""").Answers(200, Answer(), "text/event-stream").Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await new ScriptedTransport(type, _upstream).SendAsync(test, SignIn)).Outcome.Kind);
        Assert.Contains("brand_new", _upstream.Bodies[0]);
        Assert.DoesNotContain("brand_new", _upstream.Bodies[1]);
        using var later = new TestExchange("responses", body: body);
        await new ScriptedTransport(type, _upstream).SendAsync(later, SignIn);
        Assert.DoesNotContain("brand_new", _upstream.Bodies[2]);
    }

    [Theory]
    [InlineData("""{"detail":"Input is not valid"}""", false)]
    [InlineData("""[{"detail":"Input is not valid"}]""", false)]
    [InlineData("""{"error":{"message":"Input is not valid","type":"invalid_request_error","param":null,"code":null}}""", true)]
    public async Task Refusal_IsRelayedAsItIs_InTheProtocolsWordsOnly(string body, bool isRelayed)
    {
        using var test = new TestExchange("responses");
        _upstream.Answers(400, body);
        Attempt attempt = await Send(test);
        Assert.Equal(isRelayed, attempt.Raw is not null);
        Assert.Contains("Input is not valid", attempt.Outcome.Error!.Message);
    }

    [Fact]
    public async Task ForeignReasoning_IsDroppedOnce()
    {
        using var test = new TestExchange("responses", body: """{"model":"m","stream":true,"input":[{"type":"reasoning","summary":[],"encrypted_content":"FAKE"},{"role":"user","content":"hi"}]}""");
        _upstream.Answers(400, """{"error":{"message":"The encrypted content could not be verified.","type":"invalid_request_error","code":"invalid_encrypted_content"}}""").Answers(200, Answer(), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Equal("[{\"role\":\"user\",\"content\":\"hi\"}]", Sent(1).GetProperty("input").GetRawText());
    }

    [Theory]
    [InlineData(401, """{"detail":"Unauthorized"}""", OutcomeKind.CredentialRefused, Scope.Credential, true)]
    [InlineData(402, """{"error":{"message":"no credit","code":"insufficient_quota"}}""", OutcomeKind.Limited, Scope.Credential, false)]
    [InlineData(403, """{"detail":"Workspace not entitled"}""", OutcomeKind.CredentialRefused, Scope.Credential, false)]
    [InlineData(403, "<html>Attention Required! | Cloudflare</html>", OutcomeKind.Failed, Scope.Model, false)]
    [InlineData(404, """{"error":{"message":"no","code":"model_not_found"}}""", OutcomeKind.Failed, Scope.Model, false)]
    [InlineData(400, """{"detail":"The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account."}""", OutcomeKind.Failed, Scope.Model, false)]
    [InlineData(429, """{"error":{"message":"The usage limit has been reached","type":"usage_limit_reached","code":"usage_limit_reached","plan_type":"plus","resets_in_seconds":3600}}""", OutcomeKind.Limited, Scope.Credential, false)]
    [InlineData(429, """{"error":{"message":"no codex","code":"usage_not_included"}}""", OutcomeKind.Limited, Scope.Credential, false)]
    [InlineData(429, """{"error":{"message":"Selected model is at capacity. Please try a different model."}}""", OutcomeKind.Limited, Scope.Model, false)]
    [InlineData(503, """{"error":{"message":"busy","code":"server_is_overloaded"}}""", OutcomeKind.Failed, Scope.Model, false)]
    [InlineData(400, """{"error":{"message":"too long","code":"context_length_exceeded"}}""", OutcomeKind.Refused, Scope.Request, false)]
    [InlineData(400, """{"error":{"message":"no","code":"cyber_policy"}}""", OutcomeKind.Refused, Scope.Request, false)]
    [InlineData(400, """{"error":{"message":"no","code":"context_too_large"}}""", OutcomeKind.Refused, Scope.Request, false)]
    [InlineData(429, """{"detail":"slow"}""", OutcomeKind.Limited, Scope.Credential, false)]
    [InlineData(403, """{"error":{"message":"no codex","code":"usage_not_included"}}""", OutcomeKind.CredentialRefused, Scope.Credential, false)]
    [InlineData(400, """{"error":{"message":"no codex","code":"usage_not_included"}}""", OutcomeKind.Limited, Scope.Credential, false)]
    public async Task Refusal_IsJudged(int status, string body, OutcomeKind kind, Scope scope, bool isStale)
    {
        using var test = new TestExchange();
        _upstream.Answers(status, body, body[0] == '<' ? "text/html" : "application/json");
        Outcome outcome = (await Send(test)).Outcome;
        Assert.Equal((kind, scope, isStale), (outcome.Kind, outcome.Scope, outcome.IsStaleToken));
    }

    [Theory]
    [InlineData(429, """{"detail":"slow"}""", ErrorKind.RateLimit)]
    [InlineData(402, """{"detail":"pay"}""", ErrorKind.Quota)]
    [InlineData(400, """{"error":{"message":"x","code":"usage_limit_reached"}}""", ErrorKind.RateLimit)]
    [InlineData(400, """{"error":{"message":"x","code":"context_too_large"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"x","code":"invalid_prompt"}}""", ErrorKind.ContentPolicy)]
    [InlineData(400, """{"error":{"message":"x","code":"usage_not_included"}}""", ErrorKind.Quota)]
    [InlineData(500, """{"error":{"message":"x","code":"slow_down"}}""", ErrorKind.Overloaded)]
    public async Task Refusal_IsOfTheKindOfItsCode(int status, string body, ErrorKind kind)
    {
        using var test = new TestExchange();
        _upstream.Answers(status, body);
        Assert.Equal(kind, (await Send(test)).Outcome.Error!.Kind);
    }

    [Theory]
    [InlineData("""{"detail":"slow"}""", 60)]
    [InlineData("""{"error":{"message":"slow","code":"rate_limit_exceeded"}}""", 20)]
    [InlineData("""{"error":{"message":"Please try again in a moment"}}""", 20)]
    public async Task LimitWithoutATime_RestsAMinuteAtMost(string body, int seconds)
    {
        using var test = new TestExchange();
        _upstream.Answers(429, body);
        Assert.Equal(test.Clock.GetUtcNow().AddSeconds(seconds), (await Send(test)).Outcome.RetryAt);
    }

    [Fact]
    public async Task UsedUpWindow_RestsUntilItOpens()
    {
        using var test = new TestExchange();
        DateTimeOffset opens = test.Clock.GetUtcNow().AddHours(3);
        _upstream.Answers(429, """{"error":{"message":"The usage limit has been reached","code":"usage_limit_reached","resets_at":AT}}""".Replace("AT", opens.ToUnixTimeSeconds().ToString()));
        Outcome outcome = (await Send(test)).Outcome;
        Assert.Equal(opens.ToUnixTimeSeconds(), outcome.RetryAt!.Value.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task FirstEventIsAnError_AnotherMayTry()
    {
        using var test = new TestExchange("responses");
        _upstream.Answers(200, Events("""{"type":"error","error":{"message":"The usage limit has been reached","code":"usage_limit_reached","resets_in_seconds":60}}"""), "text/event-stream");
        Attempt attempt = await Send(test);
        Assert.Equal((OutcomeKind.Limited, Scope.Credential), (attempt.Outcome.Kind, attempt.Outcome.Scope));
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public async Task Quota_IsReadFromHeadersAndFromItsCall()
    {
        var account = new CodexAccount();
        DateTimeOffset now = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);
        AccountQuota quota = account.QuotaOf(
            [new("x-codex-primary-used-percent", "12.5"), new("x-codex-primary-window-minutes", "300"), new("x-codex-primary-reset-at", "1790000900"), new("X-Codex-Secondary-Used-Percent", "40")], now)!;
        Assert.Equal([new QuotaWindow("5h", 12.5, now.AddSeconds(900)), new QuotaWindow("secondary", 40, null)], quota.Windows);
        Assert.Null(account.QuotaOf([new("x-codex-primary-used-percent", "NaN")], now));

        using var client = new HttpMessageInvoker(_upstream);
        UpstreamConfig config = TestExchange.Upstream("codex", "https://h.invalid/backend-api/codex");
        _upstream.Answers(200, """{"plan_type":"plus","rate_limit":{"primary_window":{"used_percent":12,"limit_window_seconds":18000,"reset_at":1790000000},"secondary_window":null},"credits":null}""");
        quota = (await account.QuotaAsync(config, SignIn, client.SendAsync, now, CancellationToken.None))!;
        Assert.Equal(("plus", "https://h.invalid/backend-api/wham/usage"), (quota.Plan, _upstream.Addresses[0].AbsoluteUri));
        Assert.Equal([new QuotaWindow("5h", 12, now)], quota.Windows);

        _upstream.Answers(200, """{"models":[{"slug":"gpt-a","visibility":"list"},{"slug":"gpt-b","visibility":"hide"},{"x":1},{"slug":"gpt-c"}]}""");
        Assert.Equal(["gpt-a", "gpt-c"], (await account.ModelsAsync(config, SignIn, client.SendAsync, CancellationToken.None))!);
    }
}
