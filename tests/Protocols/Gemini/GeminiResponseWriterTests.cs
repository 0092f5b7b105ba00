using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiResponseWriterTests
{
    private static readonly GeminiProtocol Protocol = new();

    private static string Stream(Action<IResponseWriter> calls, bool array = false) => Wire.Write(Protocol, Wire.Options(array: array), calls);

    private static SinkRecorder Streamed(Action<IResponseWriter> calls) => Wire.Read(Protocol, Stream(calls));

    private static JsonElement Whole(Action<IResponseWriter> calls, ChatRequest? request = null) =>
        JsonDocument.Parse(Wire.Write(Protocol, Wire.Options(stream: false, request: request), calls)).RootElement;

    private static JsonElement Parts(JsonElement answer) => answer.GetProperty("candidates")[0].GetProperty("content").GetProperty("parts");

    [Fact]
    public void Transcript_ReadAndWritten_KeepsEverything()
    {
        string fixture = Wire.Fixture("gemini/weather.sse");
        SinkRecorder first = Wire.Read(Protocol, fixture);
        SinkRecorder second = Streamed(writer => Wire.Read(Protocol, fixture, writer));

        Assert.Equal(("respDemo", "client-model"), (second.Id, second.Model));
        Assert.Equal(first.Blocks.Select(block => (block.Kind, block.Id, block.Name, block.Text, block.Seal)), second.Blocks.Select(block => (block.Kind, block.Id, block.Name, block.Text, block.Seal)));
        Assert.Equal((first.Finished, first.Total), (second.Finished, second.Total));
    }

    [Fact]
    public void Stream_HasDataLinesOnlyAndOneFinish()
    {
        string sse = Stream(writer => Wire.Read(Protocol, Wire.Fixture("gemini/weather.sse"), writer));
        string[] blocks = sse.Split("\r\n\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.EndsWith("\r\n\r\n", sse, StringComparison.Ordinal);
        Assert.All(blocks, block => Assert.StartsWith("data: {", block, StringComparison.Ordinal));
        Assert.Equal([false, false, false, false, true], blocks.Select(block => block.Contains("finishReason", StringComparison.Ordinal)));
        Assert.Contains("""{"text":""}""", blocks[^1], StringComparison.Ordinal);
        Assert.Contains("\"totalTokenCount\":1299", blocks[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Transcript_CollectedWhole_HasOneObject()
    {
        JsonElement answer = Whole(writer => Wire.Read(Protocol, Wire.Fixture("gemini/weather.sse"), writer));
        Assert.Equal(3, Parts(answer).GetArrayLength());
        Assert.Equal("Let me check Oslo.", Parts(answer)[1].GetProperty("text").GetString());
        Assert.Equal("RXFRQmRlbW8=", Parts(answer)[2].GetProperty("thoughtSignature").GetString());
        Assert.Equal("""{"promptTokenCount":1241,"cachedContentTokenCount":1200,"candidatesTokenCount":38,"thoughtsTokenCount":20,"totalTokenCount":1299}""", answer.GetProperty("usageMetadata").GetRawText());
    }

    [Fact]
    public void AnthropicTranscript_CarriesItsProofOnTheCall()
    {
        void Calls(IResponseWriter writer) => Wire.Read(new AnthropicProtocol(), Wire.Fixture("anthropic/weather.sse"), writer);
        JsonElement call = Parts(Whole(Calls))[2];
        (Seal seal, string? text) = SealEnvelope.Unwrap(call.GetProperty("thoughtSignature").GetString()!)!.Value;
        Assert.Equal(new Seal(SealKind.Thinking, "anthropic", "EqQBCgIYAhIkc2lnLWRlbW8="), seal);
        Assert.Equal("The user wants the weather. I should call the tool.", text);
        Assert.Equal(Wire.Read(Protocol, Stream(Calls)).Blocks[^1].Seal["Thought ".Length..], call.GetProperty("thoughtSignature").GetString());
    }

    [Fact]
    public void ProofWithoutACall_EndsOnAnEmptyText()
    {
        void Calls(IResponseWriter writer)
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Thinking);
            writer.BlockSeal(0, SealKind.Redacted, "\"one\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.Thinking);
            writer.BlockSeal(1, SealKind.Encrypted, "\"two\""u8);
            writer.BlockEnd(1);
            writer.Finish(FinishReason.EndTurn);
        }
        string[] values = ["one", "two"];
        Assert.Equal(values, Streamed(Calls).Blocks.Select(block => SealEnvelope.Unwrap(block.Seal["Thought ".Length..])!.Value.Seal.Value));
        Assert.Equal(values, Parts(Whole(Calls)).EnumerateArray().Select(part => SealEnvelope.Unwrap(part.GetProperty("thoughtSignature").GetString()!)!.Value.Seal.Value));
    }

    [Fact]
    public void Thoughts_AreToldOnlyWhereAsked()
    {
        void Calls(IResponseWriter writer) => Wire.Read(Protocol, Wire.Fixture("gemini/weather.sse"), writer);
        var silent = new ChatRequest { Model = "m", Turns = [] };
        var asked = silent with { Reasoning = new ReasoningRequest { Visible = true } };
        Assert.Equal(2, Parts(Whole(Calls, silent)).GetArrayLength());
        Assert.Equal(3, Parts(Whole(Calls, asked)).GetArrayLength());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    public void E21_NoArguments_AreAnEmptyObject(string arguments) =>
        Assert.Equal("{}", Parts(Whole(writer => Call(writer, arguments, FinishReason.ToolUse)))[0].GetProperty("functionCall").GetProperty("args").GetRawText());

    [Fact]
    public void ArgumentsOverSeveralLines_StayOneDataLine()
    {
        string sse = Stream(writer => Call(writer, "{\n  \"a\": \"x\\ny\"\r\n}", FinishReason.ToolUse));
        SinkRecorder sink = Wire.Read(Protocol, sse);
        Assert.Equal("x\ny", JsonDocument.Parse(sink.Blocks[0].Text).RootElement.GetProperty("a").GetString());
        Assert.DoesNotContain("\n  \"a\"", sse, StringComparison.Ordinal);
    }

    [Fact]
    public void E22_UnparsableArguments_FailOrAreLeftOutWhereALimitCutThem()
    {
        Assert.Equal(ErrorKind.ServerError, StreamedFailure(writer => Call(writer, "{\"a\":", FinishReason.ToolUse)));
        SinkRecorder cut = Streamed(writer => Call(writer, "{\"a\":", FinishReason.MaxTokens));
        Assert.Equal((FinishReason.MaxTokens, 0), (cut.Finished, cut.Blocks.Count));
        Assert.Equal(ErrorKind.ServerError, Assert.Throws<ProtocolException>(() => Whole(writer => Call(writer, "[", FinishReason.ToolUse))).Error.Kind);
    }

    [Fact]
    public void CallWithoutId_HasNone()
    {
        JsonElement call = Parts(Whole(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.ToolCall, default, "f"u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        }))[0].GetProperty("functionCall");
        Assert.False(call.TryGetProperty("id", out _));
    }

    [Fact]
    public void FailInAStream_IsABareObject()
    {
        string sse = Stream(writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Text);
            writer.BlockDelta(0, "\"a\""u8);
            writer.Fail(new ProxyError(ErrorKind.Overloaded, "busy"));
            writer.Finish(FinishReason.EndTurn);
        });
        Assert.EndsWith("\r\n\r\n{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}", sse, StringComparison.Ordinal);
        Assert.DoesNotContain("finishReason", sse, StringComparison.Ordinal);
    }

    [Fact]
    public void E68_ArrayFraming_IsValidJsonAlsoAfterAFailure()
    {
        var random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            string array = Stream(writer =>
            {
                writer.Keepalive();
                RandomAnswer.Play(writer, random);
            }, array: true);
            using JsonDocument document = JsonDocument.Parse(array);
            Assert.Equal(JsonValueKind.Array, document.RootElement.ValueKind);
        }
    }

    [Fact]
    public void RandomCalls_GiveOneEnd()
    {
        var random = new Random(4);
        for (int round = 0; round < 500; round++)
        {
            string sse = Stream(writer => RandomAnswer.Play(writer, random));
            string[] blocks = sse.Split("\r\n\r\n", StringSplitOptions.RemoveEmptyEntries);
            Assert.All(blocks[..^1], block => Assert.DoesNotContain("finishReason", block, StringComparison.Ordinal));
            Assert.True(blocks[^1].Contains("finishReason", StringComparison.Ordinal) || blocks is [var only] && only.Contains("blockReason", StringComparison.Ordinal) || blocks[^1].StartsWith("{\"error\"", StringComparison.Ordinal));
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

    private static ErrorKind? StreamedFailure(Action<IResponseWriter> calls)
    {
        string sse = Stream(calls);
        var sink = new SinkRecorder();
        IResponseReader reader = Protocol.CreateReader(sink);
        reader.ReadWhole(System.Text.Encoding.UTF8.GetBytes(sse[sse.IndexOf("{\"error\"", StringComparison.Ordinal)..]));
        return sink.Error?.Kind;
    }

    private static void Call(IResponseWriter writer, string arguments, FinishReason reason)
    {
        writer.Start(default, default);
        writer.BlockStart(0, BlockKind.ToolCall, "c1"u8, "f"u8);
        writer.BlockDelta(0, RawJson.Encode(arguments));
        writer.BlockEnd(0);
        writer.Finish(reason);
    }
}
