using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

public sealed class OpenAIResponsesResponseWriterTests
{
    private static string Write(WriterOptions options, Action<IResponseWriter> act)
    {
        var output = new ArrayBufferWriter<byte>();
        act(new OpenAIResponsesProtocol().CreateWriter(output, options));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static JsonElement Check(string stream) => ResponsesGrammar.Check(stream);

    private static void Answer(IResponseWriter writer)
    {
        writer.Start("msg_up"u8, default);
        writer.BlockStart(0, BlockKind.Thinking);
        writer.BlockDelta(0, "\"hm\""u8);
        writer.BlockSeal(0, SealKind.Encrypted, "\"proof\""u8);
        writer.BlockEnd(0);
        writer.BlockStart(1, BlockKind.Text);
        writer.BlockDelta(1, "\"a\""u8);
        writer.BlockEnd(1);
        writer.BlockStart(2, BlockKind.Refusal);
        writer.BlockDelta(2, "\"no\""u8);
        writer.BlockEnd(2);
        writer.BlockStart(3, BlockKind.ToolCall, "c1"u8, "f"u8);
        writer.BlockStart(4, BlockKind.ToolCall, ""u8, "g"u8);
        writer.BlockDelta(3, "\"{\\\"x\\\":\""u8);
        writer.BlockDelta(4, "\"{\\\"id\\\":9007199254740993}\""u8);
        writer.BlockDelta(3, "\"1}\""u8);
        writer.BlockEnd(3);
        writer.BlockEnd(4);
        writer.BlockStart(5, BlockKind.Text);
        writer.BlockDelta(5, "\"b\""u8);
        writer.BlockStart(6, BlockKind.Text);
        writer.BlockEnd(5);
        writer.BlockEnd(6);
        writer.Usage(new TokenUsage { Input = 41, CacheRead = 1200, Output = 58, Reasoning = 20 });
        writer.Finish(FinishReason.EndTurn);
    }

    [Fact]
    public void Stream_ObeysTheGrammar_E69_TextAfterCallIsANewItem()
    {
        string stream = Write(OpenAITranscript.Options(true), Answer);
        JsonElement response = Check(stream);
        Assert.Equal(["reasoning", "message", "function_call", "function_call", "message"], response.GetProperty("output").EnumerateArray().Select(static item => item.GetProperty("type").GetString()));
        Assert.Equal("resp_msg_up", response.GetProperty("id").GetString());
        Assert.Equal("completed", response.GetProperty("status").GetString());
        Assert.Equal(2, response.GetProperty("output")[1].GetProperty("content").GetArrayLength());
        Assert.Equal("proof", response.GetProperty("output")[0].GetProperty("encrypted_content").GetString());
        Assert.Equal((1241, 58, 1299), (response.GetProperty("usage").GetProperty("input_tokens").GetInt64(), response.GetProperty("usage").GetProperty("output_tokens").GetInt64(), response.GetProperty("usage").GetProperty("total_tokens").GetInt64()));
        Assert.Contains("event: response.reasoning_summary_part.added\n", stream);
        Assert.Contains("event: response.function_call_arguments.done\n", stream);
        Assert.Contains("event: response.refusal.done\n", stream);
    }

    [Fact]
    public void Whole_HasTheSameOutput()
    {
        JsonElement whole = JsonDocument.Parse(Write(OpenAITranscript.Options(false), Answer)).RootElement;
        Assert.Equal(Check(Write(OpenAITranscript.Options(true), Answer)).GetProperty("output").GetRawText(), whole.GetProperty("output").GetRawText());
        foreach (string member in new[] { "id", "object", "created_at", "status", "background", "completed_at", "error", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls", "metadata",
            "model", "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage" })
            Assert.True(whole.TryGetProperty(member, out _), member);
    }

    [Theory]
    [InlineData(FinishReason.EndTurn, "50")]
    [InlineData(FinishReason.ToolUse, "50")]
    [InlineData(FinishReason.MaxTokens, "null")]
    [InlineData(FinishReason.Refusal, "null")]
    public void CompletedAt_IsTheTimeOfACompletedEnd(FinishReason reason, string expected)
    {
        var clock = new FakeClock(DateTimeOffset.FromUnixTimeSeconds(50));
        foreach (bool stream in new[] { true, false })
        {
            string written = Write(OpenAITranscript.Options(stream) with { Clock = clock, Created = 40 }, writer => { writer.Start(default, default); writer.Finish(reason); });
            JsonElement response = stream ? Check(written) : JsonDocument.Parse(written).RootElement;
            Assert.Equal((expected, 40), (response.GetProperty("completed_at").GetRawText(), response.GetProperty("created_at").GetInt32()));
        }
        // A clock that was put back does not end an answer before it began.
        string late = Write(OpenAITranscript.Options(false) with { Clock = clock, Created = 60 }, writer => { writer.Start(default, default); writer.Finish(FinishReason.EndTurn); });
        Assert.Equal(60, JsonDocument.Parse(late).RootElement.GetProperty("completed_at").GetInt32());
    }

    [Fact]
    public void Example_SurvivesReaderAndWriter()
    {
        var first = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIResponsesResponseReader(first), OpenAITranscript.Load("responses/stream.sse"));
        foreach (bool stream in new[] { true, false })
        {
            string written = Write(OpenAITranscript.Options(stream), static writer => OpenAITranscript.Feed(new OpenAIResponsesResponseReader(writer), OpenAITranscript.Load("responses/stream.sse")));
            if (stream) Check(written);
            var second = new OpenAIRecorder();
            var reader = new OpenAIResponsesResponseReader(second);
            if (stream) OpenAITranscript.Feed(reader, written);
            else reader.ReadWhole(Encoding.UTF8.GetBytes(written));
            Assert.Equal(first.Log.Replace("gpt-6.1-sol", "my-model"), second.Log);
            Assert.Equal(first.Total, second.Total);
        }
    }

    [Fact]
    public void ChatExample_TranslatesBothWays()
    {
        string responses = Write(OpenAITranscript.Options(true), static writer => OpenAITranscript.Feed(new OpenAIChatResponseReader(writer), OpenAITranscript.Load("openai/stream.sse")));
        Check(responses);
        var output = new ArrayBufferWriter<byte>();
        OpenAITranscript.Feed(new OpenAIResponsesResponseReader(new OpenAIChatProtocol().CreateWriter(output, OpenAITranscript.Options(true))), responses);
        var sink = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIChatResponseReader(sink), Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal("start resp_chatcmpl-Demo my-model | 0 Thinking | 0 +The user wants the weather. I should call the tool. | 0 end | 1 Text | 1 +Let me check Oslo. | 1 end | " +
            "2 ToolCall call_Demo get_weather | 2 +{\"city\": \"Oslo\", \"unit\": \"c\"} | 2 end | finish ToolUse", sink.Log);
    }

    [Fact]
    public void FailBeforeStart_MakesTheStart()
    {
        string stream = Write(OpenAITranscript.Options(true), static writer =>
        {
            writer.Keepalive();
            writer.Fail(new ProxyError(ErrorKind.ContextTooLong, "long"));
            writer.Keepalive();
        });
        Assert.StartsWith(": keepalive\n\nevent: response.created\n", stream);
        JsonElement response = Check(stream);
        Assert.Equal(("failed", "context_length_exceeded"), (response.GetProperty("status").GetString(), response.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public void FailInsideAnItem_LeavesItOpenAndOut()
    {
        string stream = Write(OpenAITranscript.Options(true), static writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Text);
            writer.BlockDelta(0, "\"a\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.BlockDelta(1, "\"{\""u8);
            writer.Keepalive();
            writer.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
        });
        JsonElement response = Check(stream);
        Assert.Equal("message", Assert.Single(response.GetProperty("output").EnumerateArray()).GetProperty("type").GetString());
        Assert.Contains("event: keepalive\n", stream);
        Assert.DoesNotContain("event: error", stream);
    }

    [Theory]
    [InlineData(FinishReason.MaxTokens, "incomplete", "max_output_tokens")]
    [InlineData(FinishReason.Refusal, "incomplete", "content_filter")]
    [InlineData(FinishReason.StopSequence, "completed", null)]
    public void Finish_TellsStatus(FinishReason reason, string status, string? why)
    {
        JsonElement response = Check(Write(OpenAITranscript.Options(true), writer => writer.Finish(reason)));
        Assert.Equal(status, response.GetProperty("status").GetString());
        JsonElement details = response.GetProperty("incomplete_details");
        Assert.Equal(why, details.ValueKind == JsonValueKind.Null ? null : details.GetProperty("reason").GetString());
    }

    [Fact]
    public void E22_CutArguments_StayRawAndIncomplete()
    {
        JsonElement item = Check(Write(OpenAITranscript.Options(true), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.BlockDelta(0, "\"{\\\"x\\\":\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.MaxTokens);
        })).GetProperty("output")[0];
        Assert.Equal(("incomplete", "{\"x\":"), (item.GetProperty("status").GetString(), item.GetProperty("arguments").GetString()));
    }

    [Fact]
    public void E52_NamespaceTool_ComesBackWithNamespaceAndName()
    {
        var request = new ChatRequest { Model = "m", Turns = [], Tools = [new ToolDefinition(ToolKind.Function, "search") { Namespace = "docs" }] };
        JsonElement item = Check(Write(OpenAITranscript.Options(true, request), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "c"u8, "docs__search"u8);
            writer.Finish(FinishReason.ToolUse);
        })).GetProperty("output")[0];
        Assert.Equal(("docs", "search", "{}"), (item.GetProperty("namespace").GetString(), item.GetProperty("name").GetString(), item.GetProperty("arguments").GetString()));
    }

    [Fact]
    public void E51_WrappedCustomTool_ComesBackAsRawText()
    {
        var request = new ChatRequest { Model = "m", Turns = [], Tools = [new ToolDefinition(ToolKind.Custom, "apply_patch")] };
        string stream = Write(OpenAITranscript.Options(true, request), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "c"u8, "apply_patch"u8);
            writer.BlockDelta(0, "\"{\\\"input\\\":\\\"a\\\\nb\\\"}\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        });
        JsonElement item = Check(stream).GetProperty("output")[0];
        Assert.Equal(("custom_tool_call", "a\nb"), (item.GetProperty("type").GetString(), item.GetProperty("input").GetString()));
        Assert.Contains("event: response.custom_tool_call_input.delta\n", stream);
    }

    [Fact]
    public void SealOnACall_IsAReasoningItemBeforeIt()
    {
        JsonElement output = Check(Write(OpenAITranscript.Options(true), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.BlockSeal(0, SealKind.Thought, "\"sig\""u8);
            writer.BlockDelta(0, "\"{}\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        })).GetProperty("output");
        Assert.Equal(("reasoning", SealEnvelope.Wrap(new Seal(SealKind.Thought, "", "sig")), "function_call"), (output[0].GetProperty("type").GetString(), output[0].GetProperty("encrypted_content").GetString(), output[1].GetProperty("type").GetString()));
        Assert.Equal(0, output[0].GetProperty("summary").GetArrayLength());
    }

    [Theory]
    [InlineData(SealKind.Thinking, "why \u00e9")]
    [InlineData(SealKind.Redacted, "")]
    [InlineData(SealKind.Thought, "")]
    [InlineData(SealKind.Encrypted, "why")]
    public void Proof_ComesBackFromTheClient(SealKind kind, string thinking)
    {
        JsonElement output = Check(Write(OpenAITranscript.Options(true), writer =>
        {
            writer.BlockStart(0, BlockKind.Thinking);
            if (thinking.Length > 0) writer.BlockDelta(0, RawJson.Encode(thinking));
            writer.BlockSeal(0, kind, "\"proof\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.Finish(FinishReason.ToolUse);
        })).GetProperty("output");
        using JsonDocument body = JsonDocument.Parse($"{{\"input\":{output.GetRawText()}}}");
        ChatRequest request = new OpenAIResponsesProtocol().ReadRequest(body.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });
        var part = (ThinkingPart)request.Turns[0].Parts[0];
        Assert.Equal((kind, "proof", thinking, kind == SealKind.Redacted), (part.Seal!.Kind, part.Seal.Value, part.Text.ToString(), part.IsRedacted));
    }

    [Fact]
    public void ReasoningNotAskedFor_IsOnlyShownAsItsSeal()
    {
        var request = new ChatRequest { Model = "m", Turns = [], Reasoning = new ReasoningRequest { Visible = false } };
        JsonElement output = Check(Write(OpenAITranscript.Options(true, request), static writer =>
        {
            writer.BlockStart(0, BlockKind.Thinking);
            writer.BlockDelta(0, "\"secret\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.Thinking);
            writer.BlockSeal(1, SealKind.Encrypted, "\"enc\""u8);
            writer.BlockEnd(1);
            writer.Finish(FinishReason.EndTurn);
        })).GetProperty("output");
        Assert.Equal("enc", Assert.Single(output.EnumerateArray()).GetProperty("encrypted_content").GetString());
    }

    [Fact]
    public void Echo_RepeatsTheRequest()
    {
        using JsonDocument body = JsonDocument.Parse("""
            {"model":"m","input":"hi","instructions":"Be brief.","max_output_tokens":99,"temperature":0.30,"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false},{"type":"web_search"}],
             "tool_choice":{"type":"function","name":"f"},"reasoning":{"effort":"high","summary":"auto"},"parallel_tool_calls":false,"prompt_cache_key":"k","text":{"format":{"type":"json_object"}}}
            """);
        var protocol = new OpenAIResponsesProtocol();
        ChatRequest request = protocol.ReadRequest(body.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = true });
        JsonElement echo = Check(Write(OpenAITranscript.Options(true, request), static writer => writer.Finish(FinishReason.EndTurn)));
        Assert.Equal("Be brief.", echo.GetProperty("instructions").GetString());
        Assert.Equal("0.30", echo.GetProperty("temperature").GetRawText());
        Assert.Equal(99, echo.GetProperty("max_output_tokens").GetInt64());
        Assert.Equal("""[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false},{"type":"web_search"}]""", echo.GetProperty("tools").GetRawText());
        Assert.Equal("""{"type":"function","name":"f"}""", echo.GetProperty("tool_choice").GetRawText());
        Assert.Equal("""{"effort":"high","summary":"auto"}""", echo.GetProperty("reasoning").GetRawText());
        Assert.Equal("json_object", echo.GetProperty("text").GetProperty("format").GetProperty("type").GetString());
        Assert.False(echo.GetProperty("parallel_tool_calls").GetBoolean());
        Assert.False(echo.GetProperty("store").GetBoolean());
    }
}
