using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols;

/// <summary>A form of answer that the model cannot be told: the request's tool, and the answer's call.</summary>
public sealed class JsonResponseTests
{
    private const string Old = "claude-sonnet-4-20250514";

    private const string Schema = """{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}""";

    private static ChatRequest Asking(string model, string schema = Schema) => Request(model) with { Output = new OutputFormat(Json(schema)) { Path = "response_format.json_schema" } };

    [Theory]
    [InlineData("claude-sonnet-4-5")]
    [InlineData("claude-opus-4-1-20250805")]
    [InlineData("claude-sonnet-5-5")]
    public void ModelThatKnowsSchemas_IsToldIt(string model)
    {
        JsonElement body = Write(new AnthropicProtocol(), Asking(model));
        Assert.Equal("json_schema", body.GetProperty("output_config").GetProperty("format").GetProperty("type").GetString());
        Assert.False(body.TryGetProperty("tools", out _));
    }

    [Theory]
    [InlineData(Old)]
    [InlineData("claude-3-7-sonnet-latest")]
    [InlineData("kimi-k2")]
    public void OtherModel_GetsATool_ThatItMustCall_AndNoThinking(string model)
    {
        JsonElement body = Write(new AnthropicProtocol(), Asking(model) with { Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High } });
        Assert.Equal("""{"type":"tool","name":"json_response"}""", body.GetProperty("tool_choice").GetRawText());
        Assert.Equal("json_response", body.GetProperty("tools")[0].GetProperty("name").GetString());
        Assert.Equal("integer", body.GetProperty("tools")[0].GetProperty("input_schema").GetProperty("properties").GetProperty("a").GetProperty("type").GetString());
        Assert.False(body.TryGetProperty("output_config", out _));
        Assert.False(body.TryGetProperty("thinking", out _));
    }

    [Fact]
    public void BesideTools_OneOfAllMustBeCalled_UnlessNoneOrOneIsDemanded()
    {
        ChatRequest request = Asking(Old) with { Tools = [Tool("f")] };
        JsonElement free = Write(new AnthropicProtocol(), request);
        Assert.Equal(("""{"type":"any"}""", 2), (free.GetProperty("tool_choice").GetRawText(), free.GetProperty("tools").GetArrayLength()));
        JsonElement none = Write(new AnthropicProtocol(), request with { ToolChoice = new ToolChoice(ToolChoiceMode.None, []) });
        Assert.Equal("""{"type":"tool","name":"json_response"}""", none.GetProperty("tool_choice").GetRawText());
        JsonElement demanded = Write(new AnthropicProtocol(), request with { ToolChoice = new ToolChoice(ToolChoiceMode.Any, ["f"]) });
        Assert.Equal(("""{"type":"tool","name":"f"}""", 1), (demanded.GetProperty("tool_choice").GetRawText(), demanded.GetProperty("tools").GetArrayLength()));
    }

    [Fact]
    public void ModelThatTakesNoDemand_IsRefusedWithThePath_OrInstructed()
    {
        var models = new ModelTable([("strange", new ModelFacts { HasForcedChoice = false })]);
        ProxyError refusal = Refused(new AnthropicProtocol(new AnthropicTraits { Models = models }), Asking("strange"));
        Assert.Equal((ErrorKind.Unsupported, "response_format.json_schema"), (refusal.Kind, refusal.Param));
        JsonElement body = Write(new AnthropicProtocol(new AnthropicTraits { Models = models, InstructsForcedChoice = true }), Asking("strange"));
        Assert.Equal("auto", body.GetProperty("tool_choice").GetProperty("type").GetString());
        Assert.Contains("json_response", body.GetProperty("system")[0].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", true)]
    [InlineData("""{"type":["string","null"]}""", true)]
    [InlineData("""{"enum":["a"]}""", false)]
    [InlineData(Schema, false)]
    public void FormThatIsNoObject_IsOneMemberOfTheTool(string schema, bool isWrapped)
    {
        JsonElement input = Write(new AnthropicProtocol(), Asking(Old, schema)).GetProperty("tools")[0].GetProperty("input_schema");
        Assert.Equal("object", input.GetProperty("type").GetString());
        Assert.Equal(isWrapped, input.GetProperty("properties").TryGetProperty("value", out _));
    }

    private static SinkRecorder Play(ChatRequest request, Action<IResponseSink> calls)
    {
        SinkRecorder recorder = new();
        calls(new JsonResponse(recorder, request));
        return recorder;
    }

    [Fact]
    public void Call_StreamsOnAsText_AndTheAnswerEndsPlainly()
    {
        SinkRecorder told = Play(Asking(Old), sink =>
        {
            sink.Start("m"u8, default);
            sink.BlockStart(0, BlockKind.ToolCall, "t"u8, "json_response"u8);
            sink.BlockDelta(0, "\"{\\\"a\\\":\""u8);
            sink.BlockDelta(0, "\"1}\""u8);
            sink.BlockEnd(0);
            sink.Finish(FinishReason.ToolUse);
        });
        Assert.Equal(["start m ", "block 0 Text", "delta 0 \"{\\\"a\\\":\"", "delta 0 \"1}\"", "end 0", "finish EndTurn"], told.Lines);
    }

    [Fact]
    public void OtherCallsAndReasons_Stay()
    {
        SinkRecorder told = Play(Asking(Old) with { Tools = [Tool("json_response")] }, sink =>
        {
            sink.Start("m"u8, default);
            sink.BlockStart(0, BlockKind.ToolCall, "t"u8, "json_response"u8);
            sink.BlockEnd(0);
            sink.BlockStart(1, BlockKind.ToolCall, "u"u8, "json_response_2"u8);
            sink.BlockEnd(1);
            sink.Finish(FinishReason.ToolUse);
        });
        Assert.Equal([BlockKind.ToolCall, BlockKind.Text], told.Blocks.Select(block => block.Kind));
        Assert.Equal(FinishReason.ToolUse, told.Finished);
        Assert.Equal(FinishReason.MaxTokens, Play(Asking(Old), sink =>
        {
            sink.Start("m"u8, default);
            sink.BlockStart(0, BlockKind.ToolCall, "t"u8, "json_response"u8);
            sink.BlockDelta(0, "\"{\\\"a\""u8);
            sink.BlockEnd(0);
            sink.Finish(FinishReason.MaxTokens);
        }).Finished);
    }

    [Theory]
    [InlineData("{\"value\": [1, \"é\\n\"]}", "[1, \"é\\n\"]")]
    [InlineData("{\"value\":\"a\",\"x\":1}", "\"a\"")]
    [InlineData("{\"other\":1}", "{\"other\":1}")]
    [InlineData("{\"value\":[1,", "{\"value\":[1,")]
    [InlineData("", "")]
    public void WrappedValue_IsTakenOutAtItsEnd(string arguments, string answer)
    {
        SinkRecorder told = Play(Asking(Old, """{"type":"array"}"""), sink =>
        {
            sink.Start("m"u8, default);
            sink.BlockStart(0, BlockKind.ToolCall, "t"u8, "json_response"u8);
            foreach (char letter in arguments) sink.BlockDelta(0, RawJson.Encode(letter.ToString()));
            sink.BlockEnd(0);
            sink.Finish(FinishReason.ToolUse);
        });
        Assert.Equal(answer, told.Text(BlockKind.Text));
    }
}
