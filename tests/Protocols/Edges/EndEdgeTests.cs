using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>How answers end: reasons, usage, failures, errors.</summary>
public sealed class EndEdgeTests
{
    private const string Role = "\"role\":\"assistant\",\"content\":\"\"";
    private const string Created = """{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""";
    private const string Said = """{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"one"}""";

    private static readonly string[] Clients = ["anthropic", "openai", "responses", "gemini"];

    /// <summary>The error's type or status as a client of that protocol reads it.</summary>
    private static string ErrorOf(string client, string told) => client switch
    {
        "anthropic" => Sse.Events(told, "error").Single().Text("error.type"),
        "openai" => Sse.Events(told)[^1].Text("error.type"),
        "responses" => Sse.Events(told, "response.failed").Single().Text("response.error.code"),
        _ => RequestTexts.Json(told[told.LastIndexOf("{\"error\"", StringComparison.Ordinal)..]).Text("error.status"),
    };

    [Fact]
    public void E22_CutArgumentsWithoutALimit_AreRawForOpenAIAndEndAsCutOrFailElsewhere()
    {
        string sse = Sse.Chat(Role, Sse.Call(0, "a", "f", "{\"x\":"), Sse.Finish("tool_calls"));
        Assert.Equal("max_tokens", Sse.StopReason(Stream("openai", sse, "anthropic")));
        Assert.Equal("{\"x\":", Sse.Events(Stream("openai", sse, "responses"), "response.function_call_arguments.done").Single().Text("arguments"));
        Assert.Equal("INTERNAL", ErrorOf("gemini", StreamOrThrow("openai", sse, "gemini")));
        Assert.Throws<ProtocolException>(() => Joined("openai", sse, "anthropic"));
        string chat = Stream("anthropic", Sse.Messages("tool_use", Sse.ToolBlock(0, "a", "f", "{\"x\":")), "openai");
        Assert.Equal("{\"x\":", string.Concat(Sse.Deltas(chat).Where(delta => delta.Has("tool_calls")).Select(delta => delta.Text("tool_calls.0.function.arguments"))));
    }

    [Fact]
    public void E22_CutArgumentsAtALimit_AreLeftOutWhereTheyMustBeAnObject()
    {
        string sse = Sse.Chat(Role, "\"content\":\"hi\"", Sse.Call(0, "a", "f", "{\"x\":"), Sse.Finish("length"));
        JsonElement whole = Joined("openai", sse, "anthropic");
        Assert.Equal((1, "max_tokens"), (whole.At("content").GetArrayLength(), whole.Text("stop_reason")));
        string gemini = Stream("openai", sse, "gemini");
        Assert.DoesNotContain("functionCall", gemini);
        Assert.Contains("MAX_TOKENS", gemini);
        Assert.Equal("length", Joined("anthropic", Sse.Messages("max_tokens", Sse.ToolBlock(0, "a", "f", "{\"x\":")), "openai").Text("choices.0.finish_reason"));
    }

    [Fact]
    public void E58_BlockedPrompt_IsARefusalAndNeverAnEmptySuccess()
    {
        const string Body = """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"m"}""";
        JsonElement message = Whole("gemini", Body, "anthropic");
        Assert.Equal(("refusal", 0), (message.Text("stop_reason"), message.At("content").GetArrayLength()));
        Assert.Equal("content_filter", Whole("gemini", Body, "openai").Text("choices.0.finish_reason"));
        JsonElement response = Whole("gemini", Body, "responses");
        Assert.Equal(("incomplete", "content_filter"), (response.Text("status"), response.Text("incomplete_details.reason")));
        string sse = Sse.Data(Body);
        Assert.Equal("refusal", Sse.StopReason(Stream("gemini", sse, "anthropic")));
        Assert.Equal("content_filter", Sse.FinishReason(Stream("gemini", sse, "openai")));
        Assert.Single(Sse.Events(Stream("gemini", sse, "responses"), "response.incomplete"));
    }

    [Fact]
    public void E58_RefusalBeforeAnyContent_BlamesThePromptTowardsGemini()
    {
        const string Nothing = """{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":9,"completion_tokens":0}}""";
        const string Stopped = """{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"so far"},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}""";
        foreach (JsonElement answer in (JsonElement[])[Whole("openai", Nothing, "gemini"), Sse.Events(Stream("openai", Sse.Data(Nothing.Replace("message", "delta"), "[DONE]"), "gemini")).Single()])
        {
            Assert.Equal(("SAFETY", "9"), (answer.Text("promptFeedback.blockReason"), answer.At("usageMetadata.promptTokenCount").GetRawText()));
            Assert.False(answer.Has("candidates"));
        }
        Assert.Equal("SAFETY", Whole("openai", Stopped, "gemini").Text("candidates.0.finishReason"));
        Assert.Equal("SAFETY", Sse.Events(Stream("openai", Sse.Data(Stopped.Replace("message", "delta"), "[DONE]"), "gemini"))[^1].Text("candidates.0.finishReason"));
    }

    [Theory]
    [InlineData("""{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: print(f(1))"}]}""")]
    [InlineData("""{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}""")]
    public void E59_MalformedFunctionCall_IsAFailureThatMayBeTriedAgain(string body)
    {
        SinkRecorder recorder = Record("gemini", Sse.Data(body));
        Assert.DoesNotContain(recorder.Blocks, block => block.Kind == BlockKind.ToolCall);
        Assert.Equal(ErrorKind.ServerError, recorder.Error!.Kind);
        foreach (string client in Clients[..3])
        {
            string told = Stream("gemini", Sse.Data(body), client, end: StreamEnd.Failed);
            Assert.DoesNotContain("end_turn", told);
            Assert.DoesNotContain("\"f\"", told);
        }
    }

    [Theory]
    [InlineData("server_error", "api_error", "server_error", "INTERNAL")]
    [InlineData("rate_limit_exceeded", "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED")]
    public void E60_ResponseFailed_IsAnErrorForEachClient(string code, string anthropic, string openai, string gemini)
    {
        string failed = "{\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":\"" + code + "\",\"message\":\"broken\"},\"output\":[]}}";
        string sse = Sse.Named(Created, Said, failed);
        Assert.Equal(anthropic, ErrorOf("anthropic", Stream("responses", sse, "anthropic", end: StreamEnd.Failed)));
        Assert.Equal(openai, ErrorOf("openai", Stream("responses", sse, "openai", end: StreamEnd.Failed)));
        Assert.Equal(gemini, ErrorOf("gemini", Stream("responses", sse, "gemini", end: StreamEnd.Failed)));
        Assert.Empty(Record("responses", Sse.Named(Created, failed)).Blocks);
    }

    [Theory]
    [InlineData("max_output_tokens", "max_tokens", "length", "MAX_TOKENS")]
    [InlineData("content_filter", "refusal", "content_filter", "SAFETY")]
    public void E61_Incomplete_EndsByItsReason(string reason, string anthropic, string openai, string gemini)
    {
        string sse = Sse.Named(Created, Said, "{\"type\":\"response.incomplete\",\"response\":{\"id\":\"resp_1\",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"" + reason + "\"},\"output\":[]}}");
        Assert.Equal(anthropic, Sse.StopReason(Stream("responses", sse, "anthropic")));
        Assert.Equal(openai, Sse.FinishReason(Stream("responses", sse, "openai")));
        Assert.Contains($"\"finishReason\":\"{gemini}\"", Stream("responses", sse, "gemini"));
    }

    [Fact]
    public void E62_OverloadedInTheMiddle_IsAnErrorChunkWithoutDone()
    {
        string whole = Sse.Messages("end_turn", Sse.TextBlock(0, "hi"));
        string sse = whole[..whole.IndexOf("event: message_delta", StringComparison.Ordinal)]
            + Sse.Named("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""");
        string chat = Stream("anthropic", sse, "openai", end: StreamEnd.Failed);
        Assert.DoesNotContain("[DONE]", chat);
        Assert.Equal("hi", Sse.ChatText(chat));
        Assert.Equal(("server_error", "overloaded"), (Sse.Events(chat)[^1].Text("error.type"), Sse.Events(chat)[^1].Text("error.code")));
        Assert.Equal("server_error", ErrorOf("responses", Stream("anthropic", sse, "responses", end: StreamEnd.Failed)));
        Assert.Equal("UNAVAILABLE", ErrorOf("gemini", Stream("anthropic", sse, "gemini", end: StreamEnd.Failed)));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E63_CleanEndInTheMiddleOfAWord_IsAnErrorForTheClient(string client)
    {
        string told = Stream("openai", Sse.Cut(Role, "\"content\":\"Hel\""), client, end: StreamEnd.Failed);
        Assert.Contains("Hel", told);
    }

    [Fact]
    public void E63_DoneWithoutAReason_FinishesAndAReasonWithoutDoneToo()
    {
        Assert.Equal("end_turn", Sse.StopReason(Stream("openai", Sse.Chat(Role, "\"content\":\"hi\""), "anthropic")));
        Assert.Equal("tool_use", Sse.StopReason(Stream("openai", Sse.Chat(Role, Sse.Call(0, "a", "f", "{}")), "anthropic")));
        Assert.Equal("end_turn", Sse.StopReason(Stream("openai", Sse.Cut(Role, "\"content\":\"hi\"", Sse.Finish("stop")), "anthropic")));
        string noStop = Sse.Messages("end_turn", Sse.TextBlock(0, "hi"));
        Assert.Equal("stop", Sse.FinishReason(Stream("anthropic", noStop[..noStop.IndexOf("event: message_stop", StringComparison.Ordinal)], "openai")));
    }

    [Fact]
    public void E65_MessageDeltaWithoutInputTokens_KeepsThoseOfTheStart()
    {
        string sse = Sse.Messages("end_turn", Sse.TextBlock(0, "hi"));
        JsonElement chat = Sse.Events(Stream("anthropic", sse, "openai"))[^1].At("usage");
        Assert.Equal((1241, 58, 1299, 1200), (chat.At("prompt_tokens").GetInt32(), chat.At("completion_tokens").GetInt32(), chat.At("total_tokens").GetInt32(),
            chat.At("prompt_tokens_details.cached_tokens").GetInt32()));
        JsonElement response = Sse.Events(Stream("anthropic", sse, "responses"), "response.completed").Single().At("response.usage");
        Assert.Equal((1241, 58, 1299), (response.At("input_tokens").GetInt32(), response.At("output_tokens").GetInt32(), response.At("total_tokens").GetInt32()));
        JsonElement gemini = Sse.Events(Stream("anthropic", sse, "gemini"))[^1].At("usageMetadata");
        Assert.Equal((1241, 1200, 58), (gemini.At("promptTokenCount").GetInt32(), gemini.At("cachedContentTokenCount").GetInt32(), gemini.At("candidatesTokenCount").GetInt32()));
    }

    [Theory]
    [InlineData(1241, 1200, 41, 1200)]
    [InlineData(100, 1200, 0, 100)]
    public void E66_CachedTokens_AreTakenOffAndNeverMoreThanThePrompt(int prompt, int cached, int input, int read)
    {
        string chat = Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop"), Sse.Usage("{\"prompt_tokens\":" + prompt + ",\"completion_tokens\":58,\"prompt_tokens_details\":{\"cached_tokens\":" + cached + "}}"));
        string gemini = Sse.Data("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":" + prompt + ",\"cachedContentTokenCount\":" + cached + ",\"candidatesTokenCount\":58}}");
        foreach ((string upstream, string sse) in (ReadOnlySpan<(string, string)>)[("openai", chat), ("gemini", gemini)])
        {
            JsonElement usage = Sse.Events(Stream(upstream, sse, "anthropic"), "message_delta").Single().At("usage");
            Assert.Equal((input, read), (usage.At("input_tokens").GetInt32(), usage.At("cache_read_input_tokens").GetInt32()));
        }
    }

    [Theory]
    [InlineData("gemini")]
    [InlineData("openai")]
    public void E67_ErrorInAnArray_IsUnwrapped(string upstream)
    {
        const string Body = """[{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED"}}]""";
        (int status, JsonElement told) = Error(upstream, 429, Body, "anthropic");
        Assert.Equal((429, "rate_limit_error"), (status, told.Text("error.type")));
        Assert.Contains("exhausted", told.Text("error.message"));
        var recorder = new SinkRecorder();
        Speech.Of(upstream).Upstream.CreateReader(recorder).ReadWhole(System.Text.Encoding.UTF8.GetBytes(Body));
        Assert.Equal(ErrorKind.RateLimit, recorder.Error!.Kind);
    }

    [Fact]
    public void E68_ArrayFraming_IsJsonEvenWhenTheUpstreamFailsMidway()
    {
        string told = Wire.Write(Speech.Of("gemini").Client, Wire.Options(array: true), writer =>
        {
            var watch = new Watch(writer, new FakeClock());
            Wire.Read(Speech.Of("openai").Upstream, Sse.Cut(Role, "\"content\":\"Hel\""), watch);
            writer.Fail(watch.Failure!);
        });
        JsonElement array = RequestTexts.Json(told);
        Assert.Equal("Hel", array.Text("0.candidates.0.content.parts.0.text"));
        Assert.Equal(503, array.At("-1.error.code").GetInt32());
    }

    [Fact]
    public void E74_AnswerTooLongForWhatThePromptLeaves_IsToldInTheWordingThatLowersTheLimit()
    {
        (int told, JsonElement error) = Error("openai", 400, """{"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 5000 input tokens (32000 > 32768 - 5000).","code":400}}""", "anthropic");
        Assert.Equal(400, told);
        Assert.StartsWith("input length and `max_tokens` exceed context limit: 5000 + 32000 > 32768", error.Text("error.message"));
    }

    [Theory]
    [InlineData("openai", 400, """{"error":{"message":"This model's maximum context length is 200000 tokens. However, your messages resulted in 210000 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}""", true)]
    [InlineData("responses", 400, """{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","code":"context_length_exceeded"}}""", false)]
    [InlineData("gemini", 400, """{"error":{"code":400,"message":"The input token count (210000) exceeds the maximum number of tokens allowed (200000).","status":"INVALID_ARGUMENT"}}""", true)]
    public void E74_ContextOverflow_IsToldInTheWordingThatClaudeCodeKnows(string upstream, int status, string body, bool hasNumbers)
    {
        (int told, JsonElement error) = Error(upstream, status, body, "anthropic");
        Assert.Equal((400, "invalid_request_error"), (told, error.Text("error.type")));
        Assert.StartsWith("prompt is too long", error.Text("error.message"));
        if (hasNumbers) Assert.StartsWith("prompt is too long: 210000 tokens > 200000 maximum", error.Text("error.message"));
        if (upstream != "openai") Assert.Equal("context_length_exceeded", Error(upstream, status, body, "openai").Body.Text("error.code"));
    }

    [Fact]
    public void E77_ThoughtsThatAteTheBudget_AreMaxTokensWithTheirUsage()
    {
        string thoughts = Sse.Gemini("MAX_TOKENS", """{"text":"hm","thought":true}""");
        string told = Stream("gemini", thoughts, "anthropic");
        Assert.Equal(("thinking", "max_tokens"), (Sse.Blocks(told).Single().Text("type"), Sse.StopReason(told)));
        Assert.Equal(58, Sse.Events(told, "message_delta").Single().At("usage.output_tokens").GetInt32());
        const string Nothing = """{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":9,"thoughtsTokenCount":20,"totalTokenCount":29}}""";
        foreach (JsonElement chat in (JsonElement[])[Joined("gemini", thoughts, "openai"), Whole("gemini", Nothing, "openai")])
        {
            Assert.Equal(("", "length"), (chat.Text("choices.0.message.content"), chat.Text("choices.0.finish_reason")));
            Assert.Equal(20, chat.At("usage.completion_tokens_details.reasoning_tokens").GetInt32());
        }
        Assert.Equal("max_tokens", Whole("gemini", Nothing, "anthropic").Text("stop_reason"));
    }

    /// <summary>A writer that finds the answer unusable throws; whoever carries it tells the failure.</summary>
    private static string StreamOrThrow(string upstream, string sse, string client) => Wire.Write(Speech.Of(client).Client, Wire.Options(), writer =>
    {
        try
        {
            Wire.Read(Speech.Of(upstream).Upstream, sse, writer);
        }
        catch (ProtocolException fault)
        {
            writer.Fail(fault.Error);
        }
    });
}
