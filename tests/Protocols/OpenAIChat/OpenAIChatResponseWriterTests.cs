using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

public sealed class OpenAIChatResponseWriterTests
{
    private static readonly OpenAIChatProtocol s_protocol = new();

    private static string Write(WriterOptions options, Action<IResponseWriter> act)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = s_protocol.CreateWriter(output, options);
        act(writer);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static List<JsonElement> Chunks(string stream) =>
        [.. OpenAITranscript.Split(stream).Where(static one => one.Data != "[DONE]").Select(static one => JsonDocument.Parse(one.Data).RootElement)];

    private static void Answer(IResponseWriter writer)
    {
        writer.Start("id-1"u8, "upstream-model"u8);
        writer.BlockStart(0, BlockKind.Thinking);
        writer.BlockDelta(0, "\"hm\""u8);
        writer.BlockEnd(0);
        writer.BlockStart(1, BlockKind.Text);
        writer.BlockDelta(1, "\"Hi \\u00e9\\n\""u8);
        writer.BlockEnd(1);
        writer.BlockStart(4, BlockKind.ToolCall, ""u8, "f"u8);
        writer.BlockStart(5, BlockKind.ToolCall, "call_b"u8, "g"u8);
        writer.BlockDelta(5, "\"{\\\"id\\\":9007199254740993}\""u8);
        writer.BlockEnd(4);
        writer.BlockEnd(5);
        writer.Usage(new TokenUsage { Input = 41, CacheRead = 1200, CacheWrite = 0, Output = 58, Reasoning = 20 });
        writer.Finish(FinishReason.EndTurn);
        writer.BlockDelta(1, "\"late\""u8);
        writer.Fail(new ProxyError(ErrorKind.ServerError, "late"));
    }

    [Fact]
    public void ClientWithFunctions_GetsItsCallUnderFunctionCall()
    {
        ChatRequest request = s_protocol.ReadRequest(JsonDocument.Parse("""{"messages":[],"functions":[{"name":"f"},{"name":"g"}]}""").RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = true });
        Assert.Equal((bool?)false, request.ParallelTools);
        List<JsonElement> choices = [.. Chunks(Write(OpenAITranscript.Options(stream: true) with { Request = request }, Calls)).Select(static chunk => chunk.GetProperty("choices")).Where(static list => list.GetArrayLength() > 0).Select(static list => list[0])];
        Assert.Equal(["{\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}", "{\"function_call\":{\"arguments\":\"{\\\"a\\\":\"}}", "{\"function_call\":{\"arguments\":\"1}\"}}", "{}"],
            choices.Skip(1).Select(static choice => choice.GetProperty("delta").GetRawText()));
        Assert.Equal("function_call", choices[^1].GetProperty("finish_reason").GetString());

        JsonElement whole = JsonDocument.Parse(Write(OpenAITranscript.Options(stream: false) with { Request = request }, Calls)).RootElement.GetProperty("choices")[0];
        Assert.Equal("function_call", whole.GetProperty("finish_reason").GetString());
        Assert.Equal("""{"name":"f","arguments":"{\"a\":1}"}""", whole.GetProperty("message").GetProperty("function_call").GetRawText());
        Assert.False(whole.GetProperty("message").TryGetProperty("tool_calls", out _));

        static void Calls(IResponseWriter writer)
        {
            writer.Start("id-1"u8, "m"u8);
            writer.BlockStart(0, BlockKind.ToolCall, "call_a"u8, "f"u8);
            writer.BlockSeal(0, SealKind.Thought, "\"c2ln\""u8);
            writer.BlockDelta(0, "\"{\\\"a\\\":\""u8);
            writer.BlockDelta(0, "\"1}\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.ToolCall, "call_b"u8, "g"u8);
            writer.BlockEnd(1);
            writer.Finish(FinishReason.ToolUse);
        }
    }

    [Fact]
    public void Stream_HasTheOfficialShape()
    {
        string stream = Write(OpenAITranscript.Options(stream: true), Answer);
        Assert.EndsWith("data: [DONE]\n\n", stream);
        List<JsonElement> chunks = Chunks(stream);
        Assert.All(chunks, static chunk => Assert.Equal(("id-1", "chat.completion.chunk", 1795000000, "my-model"),
            (chunk.GetProperty("id").GetString(), chunk.GetProperty("object").GetString(), chunk.GetProperty("created").GetInt64(), chunk.GetProperty("model").GetString())));
        Assert.Equal("assistant", chunks[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.Equal(["hm"], Deltas(chunks, "reasoning_content"));
        Assert.Equal(["", "Hi é\n"], Deltas(chunks, "content"));
        Assert.Equal(1, chunks.Count(static chunk => chunk.GetProperty("choices") is { } choices && choices.GetArrayLength() == 1 && choices[0].GetProperty("finish_reason").ValueKind == JsonValueKind.String));
        Assert.Equal("tool_calls", chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        JsonElement usage = chunks[^1].GetProperty("usage");
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        Assert.Equal((1241, 58, 1299), (usage.GetProperty("prompt_tokens").GetInt64(), usage.GetProperty("completion_tokens").GetInt64(), usage.GetProperty("total_tokens").GetInt64()));
        Assert.All(chunks.SkipLast(1), static chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
    }

    private static List<string?> Deltas(List<JsonElement> chunks, string name) =>
        [.. chunks.Where(static chunk => chunk.GetProperty("choices").GetArrayLength() > 0).Select(static chunk => chunk.GetProperty("choices")[0].GetProperty("delta"))
            .Where(delta => delta.TryGetProperty(name, out _)).Select(delta => delta.GetProperty(name).GetString())];

    [Fact]
    public void Signature_StandsInTheFirstChunkOfItsCall()
    {
        List<JsonElement> entries = Entries(Write(OpenAITranscript.Options(stream: true), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.BlockSeal(0, SealKind.Thought, "\"sig\""u8);
            writer.BlockDelta(0, "\"{}\""u8);
            writer.BlockEnd(0);
            writer.BlockStart(1, BlockKind.ToolCall, "b"u8, "f"u8);
            writer.BlockDelta(1, "\"{}\""u8);
            writer.BlockSeal(1, SealKind.Thought, "\"late\""u8);
            writer.BlockEnd(1);
            writer.BlockStart(2, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.Finish(FinishReason.ToolUse);
        }));
        Assert.Equal(["0 a f  sig", "0   {} ", "1 b f  ", "1   {} ", "1    late", "2 c f  ", "2   {} "], entries.Select(static entry =>
        {
            JsonElement function = entry.GetProperty("function");
            string signature = entry.TryGetProperty("extra_content", out JsonElement extra) ? extra.GetProperty("google").GetProperty("thought_signature").GetString()! : "";
            return $"{entry.GetProperty("index")} {Optional(entry, "id")} {Optional(function, "name")} {Optional(function, "arguments")} {signature}";
        }));
    }

    [Fact]
    public void Keepalive_LetsABegunCallOut()
    {
        string stream = Write(OpenAITranscript.Options(stream: true), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.Keepalive();
        });
        Assert.Equal("a", Assert.Single(Entries(stream[..stream.IndexOf(':' + " keepalive", StringComparison.Ordinal)])).GetProperty("id").GetString());
    }

    private static List<JsonElement> Entries(string stream) =>
        [.. Chunks(stream).Where(static chunk => chunk.GetProperty("choices").GetArrayLength() > 0).Select(static chunk => chunk.GetProperty("choices")[0].GetProperty("delta"))
            .Where(static delta => delta.TryGetProperty("tool_calls", out _)).SelectMany(static delta => delta.GetProperty("tool_calls").EnumerateArray())];

    private static string? Optional(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() : "";

    [Fact]
    public void E70_ToolIndices_AreDenseWithIdsOfTheirOwn()
    {
        var sink = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIChatResponseReader(sink), Write(OpenAITranscript.Options(stream: true), Answer));
        Assert.Contains("ToolCall call_Seed0123456789abcdefABCD0 f", sink.Log);
        Assert.Contains("ToolCall call_b g", sink.Log);
        Assert.Contains("{}", sink.Texts.Values);
        Assert.Contains("{\"id\":9007199254740993}", sink.Texts.Values);
        Assert.Equal(FinishReason.ToolUse, sink.Reason);
        Assert.Equal(["0", "1", "1", "0"], System.Text.RegularExpressions.Regex.Matches(Write(OpenAITranscript.Options(stream: true), Answer), "\"tool_calls\":\\[\\{\"index\":(\\d)").Select(static match => match.Groups[1].Value));
    }

    [Fact]
    public void Whole_SaysTheSame()
    {
        JsonElement body = JsonDocument.Parse(Write(OpenAITranscript.Options(stream: false), Answer)).RootElement;
        JsonElement message = body.GetProperty("choices")[0].GetProperty("message");
        Assert.Equal("chat.completion", body.GetProperty("object").GetString());
        Assert.Equal("Hi é\n", message.GetProperty("content").GetString());
        Assert.Equal("hm", message.GetProperty("reasoning_content").GetString());
        Assert.Equal("{}", message.GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString());
        Assert.Equal("{\"id\":9007199254740993}", message.GetProperty("tool_calls")[1].GetProperty("function").GetProperty("arguments").GetString());
        Assert.Equal("tool_calls", body.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(20, body.GetProperty("usage").GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt64());
    }

    [Fact]
    public void NoUsageWanted_NoUsageChunkAndNoMember()
    {
        string stream = Write(OpenAITranscript.Options(stream: true, includeUsage: false), Answer);
        Assert.DoesNotContain("usage", stream);
        Assert.EndsWith("data: [DONE]\n\n", stream);
    }

    [Fact]
    public void FailBeforeStart_IsOneErrorChunk() =>
        Assert.Equal("data: {\"error\":{\"message\":\"m. Please try again in 7s.\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}\n\n",
            Write(OpenAITranscript.Options(stream: true), static writer => writer.Fail(new ProxyError(ErrorKind.RateLimit, "m") { RetryAfter = TimeSpan.FromSeconds(7) })));

    [Fact]
    public void E62_FailAfterText_HasNoDone()
    {
        string stream = Write(OpenAITranscript.Options(stream: true), static writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.Text);
            writer.BlockDelta(0, "\"a\""u8);
            writer.Keepalive();
            writer.Fail(new ProxyError(ErrorKind.Overloaded, "busy"));
            writer.Keepalive();
        });
        Assert.DoesNotContain("[DONE]", stream);
        Assert.Contains("\n\n: keepalive\n\ndata: {\"error\"", stream);
        Assert.EndsWith("}}\n\n", stream);
        Assert.Contains("chatcmpl-Seed0123456789abcdefABCD", stream);
    }

    [Fact]
    public void FailWhole_IsTheErrorEnvelope() =>
        Assert.Equal("context_length_exceeded", JsonDocument.Parse(Write(OpenAITranscript.Options(stream: false), static writer => writer.Fail(new ProxyError(ErrorKind.ContextTooLong, "long"))))
            .RootElement.GetProperty("error").GetProperty("code").GetString());

    [Theory]
    [InlineData(FinishReason.MaxTokens, "length")]
    [InlineData(FinishReason.ContextOverflow, "length")]
    [InlineData(FinishReason.Refusal, "content_filter")]
    [InlineData(FinishReason.StopSequence, "stop")]
    [InlineData(FinishReason.ToolUse, "tool_calls")]
    public void E07_ReasonsThatSayMore_StayWithCalls(FinishReason reason, string word) =>
        Assert.Contains($"\"finish_reason\":\"{word}\"", Write(OpenAITranscript.Options(stream: true), writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.BlockDelta(0, "\"{\\\"x\\\":\""u8);
            writer.BlockEnd(0);
            writer.Finish(reason);
        }));

    [Fact]
    public void RepeatedId_GetsAnotherOne()
    {
        string stream = Write(OpenAITranscript.Options(stream: true), static writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.BlockStart(1, BlockKind.ToolCall, "a"u8, "f"u8);
            writer.Finish(FinishReason.ToolUse);
        });
        Assert.Equal(1, stream.Split("\"id\":\"a\"").Length - 1);
        Assert.Contains("\"id\":\"call_Seed0123456789abcdefABCD1\"", stream);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void E51_WrappedCustomTool_ComesBackAsFreeText(bool stream)
    {
        var request = new ChatRequest { Model = "m", Turns = [], Tools = [new ToolDefinition(ToolKind.Custom, "apply_patch")] };
        string written = Write(OpenAITranscript.Options(stream, request), static writer =>
        {
            writer.Start(default, default);
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, "apply_patch"u8);
            writer.BlockDelta(0, "\"{\\\"input\\\":\\\"line 1\""u8);
            writer.BlockDelta(0, "\"\\\\nline 2\\\"}\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        });
        var sink = new OpenAIRecorder();
        var reader = new OpenAIChatResponseReader(sink);
        if (stream) OpenAITranscript.Feed(reader, written);
        else reader.ReadWhole(Encoding.UTF8.GetBytes(written));
        Assert.Contains("CustomToolCall a apply_patch | 0 +line 1\nline 2 | 0 end", sink.Log);
    }

    [Fact]
    public void E49_AliasedName_ComesBackAsTheClientsName()
    {
        string name = "mcp__" + new string('x', 83);
        var request = new ChatRequest { Model = "m", Turns = [], Tools = [new ToolDefinition(ToolKind.Function, name)] };
        string alias = ToolNames.For(name, 64);
        Assert.Equal(64, alias.Length);
        string written = Write(OpenAITranscript.Options(true, request), writer =>
        {
            writer.BlockStart(0, BlockKind.ToolCall, "a"u8, Encoding.UTF8.GetBytes(alias));
            writer.Finish(FinishReason.ToolUse);
        });
        Assert.Contains($"\"name\":\"{name}\"", written);
    }

    [Fact]
    public void Example_SurvivesReaderAndWriter()
    {
        var first = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIChatResponseReader(first), OpenAITranscript.Load("openai/stream.sse"));
        foreach (bool stream in new[] { true, false })
        {
            string written = Write(OpenAITranscript.Options(stream), static writer => OpenAITranscript.Feed(new OpenAIChatResponseReader(writer), OpenAITranscript.Load("openai/stream.sse")));
            var second = new OpenAIRecorder();
            var reader = new OpenAIChatResponseReader(second);
            if (stream) OpenAITranscript.Feed(reader, written);
            else reader.ReadWhole(Encoding.UTF8.GetBytes(written));
            Assert.Equal(first.Log.Replace("gpt-6.1-sol", "my-model"), second.Log);
            Assert.Equal(first.Total, second.Total);
        }
    }

    [Fact]
    public void SignatureOfACall_ComesWithAFunction()
    {
        string stream = Write(OpenAITranscript.Options(stream: true), static writer =>
        {
            writer.Start("id-1"u8, "m"u8);
            writer.BlockStart(0, BlockKind.ToolCall, "c"u8, "f"u8);
            writer.BlockDelta(0, "\"{}\""u8);
            writer.BlockSeal(0, SealKind.Thought, "\"sig\""u8);
            writer.BlockEnd(0);
            writer.Finish(FinishReason.ToolUse);
        });
        List<JsonElement> calls = [.. Chunks(stream).SelectMany(static chunk => chunk.GetProperty("choices").EnumerateArray())
            .Select(static choice => choice.GetProperty("delta")).Where(static delta => delta.TryGetProperty("tool_calls", out _)).Select(static delta => delta.GetProperty("tool_calls")[0])];
        Assert.All(calls, static call => Assert.Equal((0, JsonValueKind.Object), (call.GetProperty("index").GetInt32(), call.GetProperty("function").ValueKind)));
        Assert.Equal("sig", Assert.Single(calls, static call => call.TryGetProperty("extra_content", out _)).GetProperty("extra_content").GetProperty("google").GetProperty("thought_signature").GetString());
        Assert.Equal("{}", string.Concat(calls.Select(static call => call.GetProperty("function").GetProperty("arguments").GetString())));
    }
}
