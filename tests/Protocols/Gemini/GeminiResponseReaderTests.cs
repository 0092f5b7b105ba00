using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiResponseReaderTests
{
    private static readonly GeminiProtocol Protocol = new();
    private static readonly string Weather = Wire.Fixture("gemini/weather.sse");

    private static string Chunk(string parts, string more = "") =>
        "data: {\"candidates\":[{\"content\":{\"parts\":[" + parts + "],\"role\":\"model\"}" + more + "}]}\n\n";

    private const string Stop = ",\"finishReason\":\"STOP\"";

    [Fact]
    public void Transcript_GivesEveryEventInOrder()
    {
        SinkRecorder sink = Wire.Read(Protocol, Weather);

        Assert.Equal(
            [
                "start respDemo gemini-3.8-flash", "usage", "block 0 Thinking", "delta 0 \"The user wants the weather. I should call the tool.\"", "usage", "end 0",
                "block 1 Text", "delta 1 \"Let me check \"", "usage", "delta 1 \"Oslo.\"", "usage", "end 1", "block 2 ToolCall call_Demo get_weather", "seal 2 Thought RXFRQmRlbW8=",
                """delta 2 "{\"city\":\"Oslo\",\"unit\":\"c\"}" """.TrimEnd(), "end 2", "usage", "finish ToolUse",
            ], sink.Lines);
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, Output = 58, Reasoning = 20 }, sink.Total);
    }

    [Fact]
    public void CutBeforeTheFinishReason_NeverFinishes()
    {
        List<(string Event, string Data)> events = Wire.Events(Weather);
        for (int kept = 0; kept <= events.Count; kept++)
        {
            var sink = new SinkRecorder();
            IResponseReader reader = Protocol.CreateReader(sink);
            foreach ((_, string data) in events.Take(kept)) Wire.Push(reader, data);
            reader.Complete();
            Assert.Equal(kept == events.Count, sink.Finished is not null);
        }
    }

    [Fact]
    public void E08_StopInEveryChunk_FinishesOnceAtTheEnd()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"text\":\"a\"}", Stop) + Chunk("{\"text\":\"b\"}", Stop) + Chunk("{\"text\":\"c\"}", Stop));
        Assert.Equal(("abc", FinishReason.EndTurn), (sink.Text(BlockKind.Text), sink.Finished));
        Assert.Single(sink.Blocks);
    }

    [Theory]
    [InlineData("data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n")]
    [InlineData("data: {\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{}}]}\n\n")]
    [InlineData("data: {\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"role\":\"model\",\"parts\":null}}]}\n\n")]
    public void E12_FinishWithoutContent_IsANormalFinish(string last) =>
        Assert.Equal(FinishReason.EndTurn, Wire.Read(Protocol, Chunk("{\"text\":\"a\"}") + last).Finished);

    [Fact]
    public void E13_CallWithoutName_FailsAtTheEnd()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"functionCall\":{\"args\":{}}}") + Chunk("{\"text\":\"\"}", Stop));
        Assert.Equal(ErrorKind.ServerError, sink.Error?.Kind);
    }

    [Fact]
    public void CallWithoutIdAndArgs_HasAnEmptyIdAndNoDelta()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"functionCall\":{\"name\":\"f\"}},{\"functionCall\":{\"name\":\"f\",\"args\":null}}", Stop));
        Assert.Equal([("", "f", ""), ("", "f", "")], sink.Blocks.Select(block => (block.Id, block.Name, block.Text)));
        Assert.Equal(FinishReason.ToolUse, sink.Finished);
    }

    [Fact]
    public void E24_BigIntegers_KeepTheirDigits()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"functionCall\":{\"name\":\"f\",\"args\":{ \"id\": 9007199254740993 }}}", Stop));
        Assert.Equal("{ \"id\": 9007199254740993 }", sink.Blocks[0].Text);
    }

    [Fact]
    public void E28_ParallelCalls_OnlyTheFirstIsSigned()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("""{"functionCall":{"name":"f","args":{}},"thoughtSignature":"czE="},{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}""", Stop));
        Assert.Equal(["Thought czE=", "", ""], sink.Blocks.Select(block => block.Seal));
    }

    [Fact]
    public void PartsThatChangeKind_CloseTheBlock()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("""{"text":"t","thought":true},{"text":"a"},{"text":"b"},{"functionCall":{"name":"f"}},{"text":"c"}""", Stop));
        Assert.Equal(["t", "ab", "", "c"], sink.Blocks.Select(block => block.Text));
    }

    [Fact]
    public void SignedEmptyText_IsABlockOfItsOwn()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"text\":\"a\"}") + Chunk("{\"text\":\"\",\"thoughtSignature\":\"czE=\"}", Stop));
        Assert.Equal([("a", ""), ("", "Thought czE=")], sink.Blocks.Select(block => (block.Text, block.Seal)));
    }

    [Fact]
    public void Claude_InThisProtocol_SignsItsThoughts()
    {
        const string Model = "\"modelVersion\":\"claude-sonnet-4-6\",\"responseId\":\"msg_vrtx_1\"";
        string Part(string part, string more = "") => "data: {\"candidates\":[{\"content\":{\"parts\":[" + part + "]}" + more + "}]," + Model + "}\n\n";
        SinkRecorder sink = Wire.Read(Protocol, Part("""{"text":"a","thought":true}""") + Part("""{"text":"","thoughtSignature":"RXE="}""") + Part("""{"text":"said"}""", Stop));
        Assert.Equal([(BlockKind.Thinking, "a", "Thinking RXE="), (BlockKind.Text, "said", "")], sink.Blocks.Select(block => (block.Kind, block.Text, block.Seal)));
    }

    [Theory]
    [InlineData("""{"text":"a","thought":true,"thoughtSignature":"RXE="},{"text":"said"}""", "Thinking a Thinking RXE=, Text said ")]
    [InlineData("""{"text":"a","thought":true},{"text":"b","thought":true,"thoughtSignature":"RXE="},{"text":"said"}""", "Thinking ab Thinking RXE=, Text said ")]
    [InlineData("""{"text":"said"},{"text":"","thoughtSignature":"RXE="}""", "Text said , Thinking  Thinking RXE=")]
    [InlineData("""{"text":"","thoughtSignature":"RXE="},{"functionCall":{"name":"f"},"thoughtSignature":"RXI="}""", "Thinking  Thinking RXE=, ToolCall  ")]
    [InlineData("""{"text":"said","thoughtSignature":"RXE="}""", "Text said Thought RXE=")]
    public void ClaudesSignature_IsThatOfItsThoughts(string parts, string blocks)
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk(parts, Stop).Replace("}]}\n", "}],\"modelVersion\":\"claude-sonnet-4-6\"}\n", StringComparison.Ordinal));
        Assert.Equal(blocks, string.Join(", ", sink.Blocks.Select(block => $"{block.Kind} {block.Text} {block.Seal}")));
        Assert.NotNull(sink.Finished);
    }

    [Theory]
    [InlineData("""{"promptTokenCount":10,"toolUsePromptTokenCount":5,"candidatesTokenCount":3,"totalTokenCount":18}""", 15, null, 3, null)]
    [InlineData("""{"promptTokenCount":10,"toolUsePromptTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":20}""", 15, null, 5, 2)]
    [InlineData("""{"toolUsePromptTokenCount":5}""", 5, null, null, null)]
    [InlineData("""{"cachedContentTokenCount":4,"promptTokenCount":10,"totalTokenCount":10}""", 6, 4, 0, null)]
    [InlineData("""{"cachedContentTokenCount":4}""", null, 4, null, null)]
    public void Usage_CountsWhatToolsPutIntoThePrompt(string usage, int? input, int? cached, int? output, int? reasoning)
    {
        TokenUsage total = Wire.ReadWhole(Protocol, """{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":""" + usage + "}").Total;
        Assert.Equal(new TokenUsage { Input = input, CacheRead = cached, Output = output, Reasoning = reasoning }, total);
    }

    [Fact]
    public void LateCounters_StandForTheWholeAnswer() =>
        Assert.Equal(new TokenUsage { Input = 8, CacheRead = 2, Output = 7, Reasoning = 4 }, Wire.Read(Protocol,
            Chunk("{\"text\":\"a\"}", "}],\"usageMetadata\":{\"promptTokenCount\":10,\"thoughtsTokenCount\":4,\"totalTokenCount\":14},\"x\":[{\"y\":1")
            + Chunk("{\"text\":\"b\"}", Stop + "}],\"usageMetadata\":{\"candidatesTokenCount\":3,\"cachedContentTokenCount\":2},\"x\":[{\"y\":1")).Total);

    [Fact]
    public void ExceptionFrameWithoutAnError_Fails()
    {
        var sink = new SinkRecorder();
        IResponseReader reader = Protocol.CreateReader(sink);
        reader.Read(new Frame { Data = Encoding.UTF8.GetBytes(Wire.Events(Weather)[0].Data) });
        reader.Read(new Frame { Data = "{\"reason\":\"x\"}"u8, IsException = true });
        Assert.Equal(ErrorKind.ServerError, sink.Error?.Kind);
        reader = Protocol.CreateReader(sink = new SinkRecorder());
        reader.Read(new Frame { Data = "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}"u8, IsException = true });
        reader.Complete();
        Assert.Equal((ErrorKind.RateLimit, 1), (sink.Error?.Kind, sink.Lines.Count(static line => line.StartsWith("fail", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("""[5,{"candidates":[7,{"content":{"parts":[null,{"text":"a"},3,{"text":"b"}]},"finishReason":"STOP"}]},[]]""")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"ab"}]},"finishReason":"STOP"},8]}""")]
    [InlineData("""{"candidates":[null,{"content":{"parts":[{"text":"ab"}]},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"no"}]}}]}""")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"ab"}]},"finishReason":"STOP"}],"promptFeedback":{"blockReason":null,"note":"SAFETY"}}""")]
    public void WhatHasNoPlaceInAList_IsSkipped(string body)
    {
        foreach (SinkRecorder sink in new[] { Wire.ReadWhole(Protocol, body), Wire.Read(Protocol, $"data: {body}\n\n") })
            Assert.Equal(("ab", FinishReason.EndTurn), (sink.Text(BlockKind.Text), sink.Finished));
    }

    [Fact]
    public void ArgumentsAsText_AreTheArguments() =>
        Assert.Equal("{\"a\":1}", Assert.Single(Wire.Read(Protocol, Chunk("""{"functionCall":{"name":"f","args":"{\"a\":1}"}}""", Stop)).Blocks).Text);

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    public void EmptySignature_IsNone(string text) =>
        Assert.DoesNotContain("seal", string.Join(' ', Wire.Read(Protocol, Chunk($$"""{"text":"{{text}}","thoughtSignature":""},{"functionCall":{"name":"f"},"thoughtSignature":""}""", Stop)).Lines), StringComparison.Ordinal);

    [Fact]
    public void UnknownPart_IsForeign()
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("""{"executableCode":{"language":"PYTHON","code":"1"}},{"text":"a"}""", Stop));
        Assert.Equal([BlockKind.Foreign, BlockKind.Text], sink.Blocks.Select(block => block.Kind));
    }

    [Fact]
    public void OtherCandidates_AreSkipped()
    {
        SinkRecorder sink = Wire.Read(Protocol, """data: {"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}},{"index":0,"content":{"parts":[{"text":"yes"}]},"finishReason":"STOP"}]}""" + "\n\n");
        Assert.Equal("yes", sink.Text(BlockKind.Text));
    }

    [Theory]
    [InlineData("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}")]
    [InlineData("{\"promptFeedback\":{\"blockReason\":\"OTHER\"},\"usageMetadata\":{\"promptTokenCount\":3,\"totalTokenCount\":3}}")]
    public void E58_PromptBlocked_IsARefusal(string body)
    {
        Assert.Equal(FinishReason.Refusal, Wire.Read(Protocol, $"data: {body}\n\n").Finished);
        Assert.Equal(FinishReason.Refusal, Wire.ReadWhole(Protocol, body).Finished);
    }

    [Theory]
    [InlineData("MALFORMED_FUNCTION_CALL")]
    [InlineData("UNEXPECTED_TOOL_CALL")]
    [InlineData("MISSING_THOUGHT_SIGNATURE")]
    public void E59_Malformed_FailsAndNoCallOfThatChunkIsTold(string reason)
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"functionCall\":{\"name\":\"f\",\"args\":{}}}", $",\"finishReason\":\"{reason}\",\"finishMessage\":\"secret words\""));
        Assert.Equal(ErrorKind.ServerError, sink.Error?.Kind);
        Assert.Empty(sink.Blocks);
        Assert.DoesNotContain("secret", sink.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MAX_TOKENS", FinishReason.MaxTokens)]
    [InlineData("CONTINUATION", FinishReason.MaxTokens)]
    [InlineData("SAFETY", FinishReason.Refusal)]
    [InlineData("IMAGE_SAFETY", FinishReason.Refusal)]
    [InlineData("OTHER", FinishReason.EndTurn)]
    [InlineData("BRAND_NEW", FinishReason.EndTurn)]
    public void FinishReasons_AreMapped(string word, FinishReason reason)
    {
        SinkRecorder sink = Wire.Read(Protocol, Chunk("{\"text\":\"a\"}", $",\"finishReason\":\"{word}\"") + Chunk("{\"text\":\"\"}", Stop));
        Assert.Equal(reason, sink.Finished);
    }

    [Fact]
    public void OtherWithoutContent_Fails() =>
        Assert.Equal(ErrorKind.ServerError, Wire.ReadWhole(Protocol, "{\"candidates\":[{\"finishReason\":\"OTHER\"}]}").Error?.Kind);

    [Fact]
    public void E77_ThoughtsAteTheBudget_IsMaxTokens()
    {
        SinkRecorder sink = Wire.ReadWhole(Protocol, """{"candidates":[{"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":10,"thoughtsTokenCount":90,"totalTokenCount":100}}""");
        Assert.Equal(FinishReason.MaxTokens, sink.Finished);
        Assert.Equal((10, 90, 90), (sink.Total.Input, sink.Total.Output, sink.Total.Reasoning));
    }

    [Theory]
    [InlineData("{\"error\":{\"code\":503,\"message\":\"The model is overloaded\",\"status\":\"UNAVAILABLE\"}}", ErrorKind.Overloaded)]
    [InlineData("[{\"error\":{\"code\":429,\"message\":\"slow\",\"status\":\"RESOURCE_EXHAUSTED\"}}]", ErrorKind.RateLimit)]
    [InlineData("{\"error\":{\"status\":\"INTERNAL\"}}", ErrorKind.ServerError)]
    [InlineData("nonsense", ErrorKind.BadGateway)]
    public void E67_ErrorInsideA200_Fails(string body, ErrorKind kind)
    {
        Assert.Equal(kind, Wire.Read(Protocol, Chunk("{\"text\":\"a\"}") + $"data: {body}\n\n" + Chunk("{\"text\":\"b\"}", Stop)).Error?.Kind);
        Assert.Equal(kind, Wire.ReadWhole(Protocol, body).Error?.Kind);
    }

    [Fact]
    public void WholeAnswerWithoutAReason_IsWhole_UnlessItIsEmpty()
    {
        Assert.Equal(FinishReason.EndTurn, Wire.ReadWhole(Protocol, """{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}""").Finished);
        Assert.Equal(ErrorKind.BadGateway, Wire.ReadWhole(Protocol, """{"candidates":[{"content":{"parts":[{"text":""}]}}]}""").Error?.Kind);
        Assert.Equal(ErrorKind.BadGateway, Wire.Read(Protocol, Chunk("{\"text\":\"a\"}")).Error?.Kind);
    }

    [Fact]
    public void WholeAnswerAsArrayOfChunks_IsReadAsOne()
    {
        string array = "[" + string.Join(",\r\n", Wire.Events(Weather).Select(item => item.Data)) + "]";
        SinkRecorder sink = Wire.ReadWhole(Protocol, array);
        Assert.Equal(("Let me check Oslo.", FinishReason.ToolUse), (sink.Text(BlockKind.Text), sink.Finished));
    }

    [Fact]
    public void EmptyAnswer_Fails()
    {
        Assert.Equal(ErrorKind.BadGateway, Wire.ReadWhole(Protocol, "{}").Error?.Kind);
        Assert.Equal(ErrorKind.BadGateway, Wire.ReadWhole(Protocol, "").Error?.Kind);
        Assert.Equal(ErrorKind.BadGateway, Wire.Read(Protocol, "").Error?.Kind);
    }

    [Fact]
    public void E66_CachedMoreThanPrompt_IsNeverNegative()
    {
        SinkRecorder sink = Wire.ReadWhole(Protocol, """{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":30,"candidatesTokenCount":1}}""");
        Assert.Equal((0, 10), (sink.Total.Input, sink.Total.TotalInput));
    }

    [Fact]
    public void Fillers_FitTheClientsFraming()
    {
        var events = (GeminiResponseReader)Protocol.CreateReader(new SinkRecorder());
        var array = (GeminiResponseReader)Protocol.CreateReader(new SinkRecorder(), clientArray: true);
        var error = new ProxyError(ErrorKind.BadGateway, "cut");
        Assert.StartsWith("data: {\"candidates\"", Wire.Text(events.WriteKeepalive), StringComparison.Ordinal);
        Assert.Equal(" ", Wire.Text(array.WriteKeepalive));
        Assert.Equal("""{"error":{"code":503,"message":"cut","status":"UNAVAILABLE"}}""", Wire.Text(output => events.WriteFailure(output, error)));
        Assert.Equal("""[{"error":{"code":503,"message":"cut","status":"UNAVAILABLE"}}""" + "\n]", Wire.Text(output => array.WriteFailure(output, error)));
        var later = new GeminiResponseReader(new SinkRecorder()) { ClientArray = true, ElementsWritten = 2 };
        Assert.StartsWith(",\n{", Wire.Text(output => later.WriteFailure(output, error)), StringComparison.Ordinal);
    }

    [Fact]
    public void Mutations_NeverThrowAndAlwaysEnd()
    {
        var random = new Random(5);
        List<(string Event, string Data)> events = Wire.Events(Weather);
        for (int round = 0; round < 4000; round++)
        {
            var sink = new SinkRecorder();
            IResponseReader reader = Protocol.CreateReader(sink);
            int damaged = random.Next(events.Count);
            for (int index = 0; index < events.Count; index++)
            {
                byte[] data = Encoding.UTF8.GetBytes(events[index].Data);
                reader.Read(new Frame { Data = index == damaged ? Wire.Mutate(data, random) : data });
            }
            reader.Complete();
            Assert.True(sink.HasEnded);
        }
    }

    [Fact]
    public void ImageThatNoOtherProtocolCarries_IsNotLostWithoutAWord()
    {
        string sse = Sse.Gemini("STOP", """{"text":"Here: "}""", """{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thought":true}""",
            """{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="},"thoughtSignature":"QUJD"},{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}},{"executableCode":{"language":"PYTHON","code":"1"}}""");
        foreach (string client in (string[])["openai", "anthropic", "responses"])
        {
            string whole = Pair.Joined("gemini", sse, client).GetRawText();
            Assert.Contains("[image omitted]", whole, StringComparison.Ordinal);
            Assert.Contains("[audio omitted]", whole, StringComparison.Ordinal);
        }
        Assert.Equal("Here: [image omitted][audio omitted]", Pair.Joined("gemini", sse, "openai").Text("choices.0.message.content"));
    }

    // Gemini 2.5 signs "the first part after thinking": of a stream that is the first piece of the text.
    [Fact]
    public void TextWhoseFirstPieceIsSigned_IsOneText()
    {
        string sse = Sse.Gemini("STOP", """{"text":"hm","thought":true}""", """{"text":"Let me ","thoughtSignature":"QUJD"}""", """{"text":"look at "}""", """{"text":"it.","thoughtSignature":"REVG"}""", """{"text":"","thoughtSignature":"R0hJ"}""");
        JsonElement claude = Pair.Joined("gemini", sse, "anthropic"), codex = Pair.Joined("gemini", sse, "responses");
        Assert.Equal(["Let me look at it."], claude.At("content").EnumerateArray().Where(block => block.Text("type") == "text").Select(block => block.Text("text")));
        Assert.Equal(["Let me look at it."], codex.At("output").EnumerateArray().Where(item => item.Text("type") == "message").Select(item => item.Text("content.0.text")));
        Assert.Single(Sse.Events(Pair.Stream("gemini", sse, "anthropic")), one => one.Text("type") == "content_block_start" && one.Text("content_block.type") == "text");
    }
}
