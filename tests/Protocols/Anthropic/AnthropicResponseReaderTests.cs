using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

public sealed class AnthropicResponseReaderTests
{
    private static readonly AnthropicProtocol Protocol = new();
    private static readonly string Weather = Wire.Fixture("anthropic/weather.sse");

    private const string Begin = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":5,"output_tokens":1}}}


        """;

    [Fact]
    public void Transcript_GivesEveryEventInOrder()
    {
        SinkRecorder sink = Wire.Read(Protocol, Weather);

        Assert.Equal(
            [
                "start msg_01Demo claude-sonnet-5-5", "usage", "block 0 Thinking", "delta 0 \"The user wants the weather.\"", "delta 0 \" I should call the tool.\"",
                "seal 0 Thinking EqQBCgIYAhIkc2lnLWRlbW8=", "end 0", "block 1 Text", "delta 1 \"Let me check \"", "delta 1 \"Oslo.\"", "end 1",
                "block 2 ToolCall toolu_01Demo get_weather", """delta 2 "{\"city\": \"Os" """.TrimEnd(), """delta 2 "lo\", \"unit\": \"c\"}" """.TrimEnd(), "end 2", "usage", "finish ToolUse",
            ], sink.Lines);
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, CacheWrite = 0, CacheWriteHour = 0, Output = 58, Reasoning = 20 }, sink.Total);
    }

    [Fact]
    public void WholeAnswer_GivesTheSameContentAsItsStream()
    {
        SinkRecorder whole = Wire.ReadWhole(Protocol, Wire.Fixture("anthropic/weather.json"));

        Assert.Equal(["Thinking", "Text", "ToolCall"], whole.Blocks.Select(block => block.Kind.ToString()));
        Assert.Equal("Thinking EqQB...", whole.Blocks[0].Seal);
        Assert.Equal("""{"city":"Oslo","unit":"c"}""", whole.Blocks[2].Text);
        Assert.Equal(("toolu_01Demo", "get_weather"), (whole.Blocks[2].Id, whole.Blocks[2].Name));
        Assert.Equal(FinishReason.ToolUse, whole.Finished);
        Assert.Equal(41, whole.Total.Input);
    }

    [Fact]
    public void CutBeforeTheStopReason_NeverFinishes()
    {
        List<(string Event, string Data)> events = Wire.Events(Weather);
        for (int kept = 0; kept < events.Count; kept++)
        {
            var sink = new SinkRecorder();
            IResponseReader reader = Protocol.CreateReader(sink);
            foreach ((string name, string data) in events.Take(kept)) Wire.Push(reader, data, name);
            reader.Complete();
            bool hasReason = events.Take(kept).Any(item => item.Event == "message_delta");
            Assert.Equal(hasReason, sink.Finished is not null);
            Assert.Equal(!hasReason, sink.Error?.Kind == ErrorKind.BadGateway);
        }
    }

    [Fact]
    public void NoMessageStop_StopReasonSeen_Finishes()
    {
        SinkRecorder sink = Wire.Read(Protocol, Weather[..Weather.IndexOf("event: message_stop", StringComparison.Ordinal)]);
        Assert.Equal(FinishReason.ToolUse, sink.Finished);
    }

    [Fact]
    public void NoMessageDelta_MessageStopSeen_Finishes()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + "data: {\"type\":\"message_stop\"}\n\n");
        Assert.Equal(FinishReason.EndTurn, sink.Finished);
    }

    [Fact]
    public void SeveralMessageDeltas_LastOneCounts()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + """
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}

            data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"output_tokens":9,"input_tokens":null}}

            data: {"type":"message_stop"}


            """);
        Assert.Equal((FinishReason.StopSequence, "END"), (sink.Finished, sink.StopSequence));
        Assert.Equal((5, 9), (sink.Total.Input, sink.Total.Output));
    }

    [Fact]
    public void E65_MessageDeltaWithoutInputTokens_KeepsThoseOfTheStart()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n");
        Assert.Equal(5, sink.Total.Input);
    }

    [Fact]
    public void EventNamesMissing_DataTypeIsEnough()
    {
        string unnamed = string.Concat(Wire.Events(Weather).Select(item => $"data: {item.Data}\n\n"));
        Assert.Equal(Wire.Read(Protocol, Weather).Lines, Wire.Read(Protocol, unnamed).Lines);
    }

    [Fact]
    public void TypeMissing_EventNameIsEnough()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + "event: message_stop\ndata: {}\n\n");
        Assert.Equal(FinishReason.EndTurn, sink.Finished);
    }

    [Fact]
    public void E31_SignatureOnlyThinking_KeepsTheSeal()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + """
            data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"one"}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"two"}}

            data: {"type":"content_block_stop","index":0}

            data: {"type":"message_stop"}


            """);
        Assert.Equal(("", "Thinking two"), (sink.Blocks[0].Text, sink.Blocks[0].Seal));
    }

    [Fact]
    public void RedactedThinking_IsAThinkingBlockWithItsData()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + """
            data: {"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"opaque"}}

            data: {"type":"content_block_stop","index":0}

            data: {"type":"message_stop"}


            """);
        Assert.Equal(["start msg_1 m", "usage", "block 0 Thinking", "seal 0 Redacted opaque", "end 0", "finish EndTurn"], sink.Lines);
    }

    [Theory]
    [InlineData("server_tool_use")]
    [InlineData("web_search_tool_result")]
    [InlineData("something_new")]
    public void UnknownBlock_IsForeignAndItsDeltasAreSkipped(string type)
    {
        SinkRecorder sink = Wire.Read(Protocol, (Begin + """
            data: {"type":"content_block_start","index":0,"content_block":{"type":"TYPE","id":"srvtoolu_1","name":"web_search","input":{}}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}

            data: {"type":"content_block_stop","index":0}

            data: {"type":"new_event","x":1}

            data: {"type":"message_stop"}


            """).Replace("TYPE", type, StringComparison.Ordinal));
        Assert.Equal(["start msg_1 m", "usage", "block 0 Foreign", "end 0", "finish EndTurn"], sink.Lines);
    }

    [Fact]
    public void InputCompleteInStart_IsTheArguments()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + """
            data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"id": 9007199254740993, "s":"a\"b"}}}

            data: {"type":"content_block_stop","index":4}

            data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}


            """);
        Assert.Equal("""{"id": 9007199254740993, "s":"a\"b"}""", sink.Blocks[0].Text);
    }

    [Fact]
    public void MissingStartAndStop_AreMadeUp()
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + """
            data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}

            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}

            data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"c"}}

            data: {"type":"message_stop"}


            """);
        Assert.Equal(
            ["start msg_1 m", "usage", "block 0 Thinking", "delta 0 \"a\"", "end 0", "block 1 Text", "delta 1 \"b\"", "end 1", "block 2 Text", "delta 2 \"c\"", "end 2", "finish EndTurn"],
            sink.Lines);
    }

    [Theory]
    [InlineData("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}""")]
    [InlineData("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}""")]
    public void StreamWithoutItsStart_StartsAllTheSame(string first)
    {
        SinkRecorder sink = Wire.Read(Protocol, $"data: {first}\n\n" + "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n");
        Assert.StartsWith("start", sink.Lines[0], StringComparison.Ordinal);
        Assert.Equal(("a", FinishReason.EndTurn), (sink.Text(BlockKind.Text), sink.Finished));
    }

    [Fact]
    public void CallWithoutAName_Fails()
    {
        const string Block = """{"type":"tool_use","id":"t","input":{}}""";
        Assert.Equal(ErrorKind.ServerError, Wire.Read(Protocol, Begin + "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":" + Block + "}\n\n").Error?.Kind);
        Assert.Equal(ErrorKind.ServerError, Wire.ReadWhole(Protocol, """{"id":"msg_1","content":[""" + Block + """],"stop_reason":"tool_use"}""").Error?.Kind);
    }

    [Theory]
    [InlineData("invalid_request_error", ErrorKind.InvalidRequest)]
    [InlineData("authentication_error", ErrorKind.UpstreamAuth)]
    [InlineData("billing_error", ErrorKind.Quota)]
    [InlineData("permission_error", ErrorKind.UpstreamAuth)]
    [InlineData("not_found_error", ErrorKind.NotFound)]
    [InlineData("conflict_error", ErrorKind.Conflict)]
    [InlineData("request_too_large", ErrorKind.TooLarge)]
    [InlineData("rate_limit_error", ErrorKind.RateLimit)]
    [InlineData("api_error", ErrorKind.ServerError)]
    [InlineData("timeout_error", ErrorKind.Timeout)]
    [InlineData("overloaded_error", ErrorKind.Overloaded)]
    [InlineData("brand_new_error", ErrorKind.ServerError)]
    public void ErrorInAStream_IsOfTheKindOfItsType(string type, ErrorKind kind) =>
        Assert.Equal((kind, type), Wire.Read(Protocol, "data: {\"type\":\"error\",\"error\":{\"type\":\"" + type + "\",\"message\":\"x\"}}\n\n") is { Error: { } error } ? (error.Kind, error.Code) : default);

    [Theory]
    [InlineData("""{"input_tokens":5,"cache_creation_input_tokens":7}""", 7, null)]
    [InlineData("""{"input_tokens":5,"cache_creation_input_tokens":7,"cache_creation":{}}""", 7, null)]
    [InlineData("""{"input_tokens":5,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}}""", 7, null)]
    [InlineData("""{"input_tokens":5,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}""", 3, 4)]
    [InlineData("""{"input_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":4}}""", null, 4)]
    public void CacheWrites_AreTheSumWhereTheBreakdownLacksThem(string usage, int? write, int? hour)
    {
        TokenUsage total = Wire.ReadWhole(Protocol, """{"id":"msg_1","content":[],"stop_reason":"end_turn","usage":""" + usage + "}").Total;
        Assert.Equal(new TokenUsage { Input = 5, CacheWrite = write, CacheWriteHour = hour }, total);
    }

    [Theory]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", ErrorKind.Overloaded)]
    [InlineData("event: message_delta\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"}}\n\n", ErrorKind.RateLimit)]
    [InlineData("data: {\"error\":{\"message\":\"boom\"}}\n\n", ErrorKind.ServerError)]
    [InlineData("event: error\ndata: {}\n\n", ErrorKind.ServerError)]
    [InlineData("data: <html>\n\n", ErrorKind.BadGateway)]
    public void ErrorInTheStream_FailsOnce(string error, ErrorKind kind)
    {
        SinkRecorder sink = Wire.Read(Protocol, Begin + error + error + "data: {\"type\":\"message_stop\"}\n\n");
        Assert.Equal(kind, sink.Error?.Kind);
    }

    [Theory]
    [InlineData("", ErrorKind.BadGateway)]
    [InlineData("<html>", ErrorKind.BadGateway)]
    [InlineData("{}", ErrorKind.BadGateway)]
    [InlineData("[]", ErrorKind.ServerError)]
    [InlineData("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}", ErrorKind.Overloaded)]
    [InlineData("[{\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}]", ErrorKind.ServerError)]
    public void WholeAnswerThatIsNone_Fails(string body, ErrorKind kind) => Assert.Equal(kind, Wire.ReadWhole(Protocol, body).Error?.Kind);

    [Fact]
    public void EmptyStream_Fails() => Assert.Equal(ErrorKind.BadGateway, Wire.Read(Protocol, "").Error?.Kind);

    [Fact]
    public void Mutations_NeverThrowAndAlwaysEnd()
    {
        var random = new Random(7);
        List<(string Event, string Data)> events = Wire.Events(Weather);
        byte[] whole = Encoding.UTF8.GetBytes(Wire.Fixture("anthropic/weather.json"));
        for (int round = 0; round < 3000; round++)
        {
            var sink = new SinkRecorder();
            IResponseReader reader = Protocol.CreateReader(sink);
            int damaged = random.Next(events.Count);
            for (int index = 0; index < events.Count; index++)
            {
                byte[] data = Encoding.UTF8.GetBytes(events[index].Data);
                if (index == damaged) data = Wire.Mutate(data, random);
                reader.Read(new Aiproxy.EventStream.Frame { Data = data, Event = Encoding.UTF8.GetBytes(events[index].Event) });
            }
            reader.Complete();
            Assert.True(sink.HasEnded);

            var other = new SinkRecorder();
            Protocol.CreateReader(other).ReadWhole(Wire.Mutate(whole, random));
            Assert.True(other.HasEnded);
        }
    }
}
