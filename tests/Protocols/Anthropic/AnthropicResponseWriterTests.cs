using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

public sealed class AnthropicResponseWriterTests
{
    private static readonly AnthropicProtocol Protocol = new();

    private static string Stream(Action<IResponseWriter> calls)
    {
        string sse = Wire.Write(Protocol, Wire.Options(), calls);
        AnthropicGrammar.Check(sse);
        return sse;
    }

    private static SinkRecorder Streamed(Action<IResponseWriter> calls) => Wire.Read(Protocol, Stream(calls));

    private static JsonElement Whole(Action<IResponseWriter> calls, ChatRequest? request = null) =>
        JsonDocument.Parse(Wire.Write(Protocol, Wire.Options(stream: false, request: request), calls)).RootElement;

    [Fact]
    public void Transcript_ReadAndWritten_KeepsEverything()
    {
        string fixture = Wire.Fixture("anthropic/weather.sse");
        SinkRecorder first = Wire.Read(Protocol, fixture);
        SinkRecorder second = Streamed(writer => Wire.Read(Protocol, fixture, writer));

        Assert.Equal("client-model", second.Model);
        Assert.Equal("msg_01Demo", second.Id);
        Assert.Equal(first.Lines.Skip(1), second.Lines.Skip(1));
        Assert.Equal(first.Total, second.Total);
    }

    [Fact]
    public void Transcript_CollectedWhole_IsTheSameMessage()
    {
        JsonElement message = Whole(writer => Wire.Read(Protocol, Wire.Fixture("anthropic/weather.sse"), writer));

        Assert.Equal("tool_use", message.GetProperty("stop_reason").GetString());
        Assert.Equal("""{"type":"thinking","thinking":"The user wants the weather. I should call the tool.","signature":"EqQBCgIYAhIkc2lnLWRlbW8="}""", message.GetProperty("content")[0].GetRawText());
        Assert.Equal("""{"type":"text","text":"Let me check Oslo.","citations":null}""", message.GetProperty("content")[1].GetRawText());
        Assert.Equal("""{"type":"tool_use","id":"toolu_01Demo","name":"get_weather","input":{"city": "Oslo", "unit": "c"},"caller":{"type":"direct"}}""", message.GetProperty("content")[2].GetRawText());
        Assert.Equal(58, message.GetProperty("usage").GetProperty("output_tokens").GetInt64());
        foreach (string member in (string[])["id", "type", "role", "model", "container", "diagnostics", "stop_sequence", "stop_details"]) Assert.True(message.TryGetProperty(member, out _), member);
    }

    [Fact]
    public void E03_InterleavedCalls_BecomeTwoBlocksInOrder()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.BlockStart(1, BlockKind.ToolCall, "b"u8, "g"u8);
            writer.BlockDelta(0, "\"{\\\"x\\\":\""u8);
            writer.BlockDelta(1, "\"{\\\"y\\\":\""u8);
            writer.BlockDelta(0, "\"1}\""u8);
            writer.BlockDelta(1, "\"2}\""u8);
            writer.BlockEnd(1);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        });
        Assert.Equal([("a", "f", "{\"x\":1}"), ("b", "g", "{\"y\":2}")], sink.Blocks.Select(block => (block.Id, block.Name, block.Text)));
        Assert.Equal(FinishReason.ToolUse, sink.Finished);
    }

    [Fact]
    public void E06_PlainEndAfterCalls_IsToolUse()
    {
        SinkRecorder sink = Streamed(writer => Call(writer, "{}", FinishReason.EndTurn));
        Assert.Equal(FinishReason.ToolUse, sink.Finished);
    }

    [Fact]
    public void ToolUseWithoutCall_IsEndTurn()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.Finish(FinishReason.ToolUse);
        });
        Assert.Equal(FinishReason.EndTurn, sink.Finished);
        Assert.Empty(sink.Blocks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("  ")]
    [InlineData("{}")]
    public void E21_NoArguments_AreAnEmptyObject(string arguments)
    {
        SinkRecorder sink = Streamed(writer => Call(writer, arguments, FinishReason.ToolUse));
        Assert.Contains(sink.Blocks[0].Text, (string[])["", "{}"]);
        Assert.Equal(FinishReason.ToolUse, sink.Finished);
        Assert.Equal("{}", Whole(writer => Call(writer, arguments, FinishReason.ToolUse)).GetProperty("content")[0].GetProperty("input").GetRawText());
    }

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("[1]")]
    [InlineData("nonsense")]
    public void E22_UnparsableArguments_StreamFinishesAsCut_WholeFails(string arguments)
    {
        Assert.Equal(FinishReason.MaxTokens, Streamed(writer => Call(writer, arguments, FinishReason.ToolUse)).Finished);

        Assert.Equal(ErrorKind.ServerError, Assert.Throws<ProtocolException>(() => Whole(writer => Call(writer, arguments, FinishReason.ToolUse))).Error.Kind);

        JsonElement cut = Whole(writer => Call(writer, arguments, FinishReason.MaxTokens));
        Assert.Equal(0, cut.GetProperty("content").GetArrayLength());
        Assert.Equal("max_tokens", cut.GetProperty("stop_reason").GetString());
    }

    [Fact]
    public void E24_BigIntegers_KeepTheirDigits() =>
        Assert.Equal("""{"id":9007199254740993}""", Whole(writer => Call(writer, """{"id":9007199254740993}""", FinishReason.ToolUse)).GetProperty("content")[0].GetProperty("input").GetRawText());

    [Fact]
    public void E27_ThoughtSignatureOnACall_GetsACarrierBlockBeforeIt()
    {
        void Calls(IResponseWriter writer)
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Text);
            writer.BlockDelta(0, "\"hi\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.ToolCall, default, "f"u8);
            writer.BlockSeal(1, SealKind.Thought, "\"c2ln\""u8);
            writer.BlockDelta(1, "\"{}\""u8);
            writer.BlockEnd(1);
            writer.Finish(FinishReason.EndTurn);
        }
        SinkRecorder sink = Streamed(Calls);
        Assert.Equal([BlockKind.Text, BlockKind.Thinking, BlockKind.ToolCall], sink.Blocks.Select(block => block.Kind));
        Assert.Equal(new Seal(SealKind.Thought, "gemini", "c2ln"), SealEnvelope.Unwrap(sink.Blocks[1].Seal["Thinking ".Length..])!.Value.Seal);
        Assert.Equal($"toolu_{Wire.Seed}0", sink.Blocks[2].Id);
        JsonElement content = Whole(Calls).GetProperty("content");
        Assert.Equal(("thinking", "tool_use"), (content[1].GetProperty("type").GetString(), content[2].GetProperty("type").GetString()));
    }

    [Fact]
    public void ThinkingWithoutProof_GetsTheConstantEnvelope()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Thinking);
            writer.BlockDelta(0, "\"hm\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.Equal($"Thinking {SealEnvelope.Nothing}", sink.Blocks[0].Seal);
    }

    [Fact]
    public void EncryptedReasoningWithoutText_IsKeptAsAnEmptyThinkingBlock()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Thinking);
            writer.BlockSeal(0, SealKind.Encrypted, "\"enc\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.Equal("enc", SealEnvelope.Unwrap(sink.Blocks[0].Seal["Thinking ".Length..])!.Value.Seal.Value);
    }

    [Fact]
    public void Redacted_IsItsOwnBlockType()
    {
        string sse = Stream(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Thinking);
            writer.BlockSeal(0, SealKind.Redacted, "\"data\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.Contains("""{"type":"redacted_thinking","data":"data"}""", sse, StringComparison.Ordinal);
    }

    [Fact]
    public void HiddenThinking_KeepsOnlyTheProof()
    {
        var request = new ChatRequest { Model = "m", Turns = [], Reasoning = new ReasoningRequest { Visible = false } };
        JsonElement message = Whole(writer => Wire.Read(Protocol, Wire.Fixture("anthropic/weather.sse"), writer), request);
        Assert.Equal("""{"type":"thinking","thinking":"","signature":"EqQBCgIYAhIkc2lnLWRlbW8="}""", message.GetProperty("content")[0].GetRawText());
    }

    [Fact]
    public void SpokenRefusal_IsTextAndRefusal()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Refusal);
            writer.BlockDelta(0, "\"no\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.Equal(("no", FinishReason.Refusal), (sink.Text(BlockKind.Text), sink.Finished));
    }

    [Fact]
    public void E58_RefusalWithoutContent_IsARefusalWithEmptyContent()
    {
        JsonElement message = Whole(writer =>
        {
            writer.Start(default, default);
            writer.Finish(FinishReason.Refusal);
        });
        Assert.Equal(("refusal", 0), (message.GetProperty("stop_reason").GetString(), message.GetProperty("content").GetArrayLength()));
        Assert.Equal("refusal", message.GetProperty("stop_details").GetProperty("type").GetString());
    }

    [Fact]
    public void StopSequence_IsNamed()
    {
        JsonElement message = Whole(writer =>
        {
            writer.Start(default, default);
            writer.Finish(FinishReason.StopSequence, "\"E\\nD\""u8);
        });
        Assert.Equal("E\nD", message.GetProperty("stop_sequence").GetString());
    }

    [Fact]
    public void FailBeforeStart_MakesTheStartAndTellsTheError()
    {
        string sse = Stream(writer => writer.Fail(new ProxyError(ErrorKind.Overloaded, "busy")));
        Assert.Equal(["message_start", "error"], Wire.Events(sse).Select(item => item.Event));
    }

    [Fact]
    public void FailInABlock_LeavesItOpen()
    {
        string sse = Stream(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Text);
            writer.BlockDelta(0, "\"half\""u8);
            writer.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
            writer.Finish(FinishReason.EndTurn);
            writer.Keepalive();
        });
        Assert.DoesNotContain("content_block_stop", sse, StringComparison.Ordinal);
        Assert.EndsWith("""{"type":"error","error":{"type":"api_error","message":"cut"}}""" + "\n\n", sse, StringComparison.Ordinal);
    }

    [Fact]
    public void Keepalive_IsAPingAnywhere()
    {
        string sse = Stream(writer =>
        {
            writer.Keepalive();
            writer.Start("chatcmpl-1"u8, default);
            writer.Keepalive();
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.Equal(["ping", "message_start", "ping", "message_delta", "message_stop"], Wire.Events(sse).Select(item => item.Event));
        Assert.Contains($"msg_{Wire.Seed}", sse, StringComparison.Ordinal);
    }

    [Fact]
    public void CustomCall_IsWrappedAsAnObject()
    {
        SinkRecorder sink = Streamed(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.CustomToolCall, "c"u8, "apply_patch"u8);
            writer.BlockDelta(0, "\"*** Begin\\n\\\"x\\\"\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        });
        Assert.Equal("*** Begin\n\"x\"", JsonDocument.Parse(sink.Blocks[0].Text).RootElement.GetProperty("input").GetString());
    }

    [Fact]
    public void RandomCalls_AlwaysMakeAGrammaticalStream()
    {
        var random = new Random(11);
        for (int round = 0; round < 500; round++)
        {
            Stream(writer => RandomAnswer.Play(writer, random));
            try
            {
                JsonDocument.Parse(Wire.Write(Protocol, Wire.Options(stream: false), writer => RandomAnswer.Play(writer, random))).Dispose();
            }
            catch (ProtocolException broken)
            {
                Assert.Equal(ErrorKind.ServerError, broken.Error.Kind);
            }
        }
    }

    private static void Call(IResponseWriter writer, string arguments, FinishReason reason)
    {
        writer.Start(default, default);
        writer.BlockStart(0, BlockKind.ToolCall, "toolu_1"u8, "f"u8);
        foreach (char letter in arguments) writer.BlockDelta(0, RawJson.Encode(letter.ToString()));
        writer.BlockEnd(0);
        writer.Finish(reason);
    }
}
