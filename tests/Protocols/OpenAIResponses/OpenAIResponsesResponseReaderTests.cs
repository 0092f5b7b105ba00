using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

public sealed class OpenAIResponsesResponseReaderTests
{
    private const string Created = """{"type":"response.created","response":{"id":"resp_1","model":"m","status":"in_progress","output":[]}}""";

    private const string ExampleLog =
        "start resp_Demo gpt-6.1-sol | 0 Thinking | 0 +The user wants the weather. I should call the tool. | 0 seal Encrypted gAAAAABdemo== | 0 end | 1 Text | 1 +Let me check Oslo. | 1 end | " +
        "2 ToolCall call_Demo get_weather | 2 +{\"city\": \"Oslo\", \"unit\": \"c\"} | 2 end | finish ToolUse";

    private static OpenAIRecorder Run(params string[] events)
    {
        var sink = new OpenAIRecorder();
        var reader = new OpenAIResponsesResponseReader(sink);
        foreach (string one in events) OpenAITranscript.Feed(reader, "", one);
        reader.Complete();
        return sink;
    }

    private static string Completed(string output = "[]", string more = "") => $$$"""{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":{{{output}}}{{{more}}}}}""";

    [Fact]
    public void Example_ReadsEverythingOnce_E34_SealOnlyFromDone()
    {
        var sink = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIResponsesResponseReader(sink), OpenAITranscript.Load("responses/stream.sse"));
        Assert.Equal(ExampleLog, sink.Log);
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, CacheWrite = 0, Output = 58, Reasoning = 20 }, sink.Total);
    }

    [Fact]
    public void ExampleWithoutEventLines_ReadsTheSame() =>
        Assert.Equal(ExampleLog, Run([.. OpenAITranscript.Split(OpenAITranscript.Load("responses/stream.sse")).Select(static one => one.Data)]).Log);

    [Fact]
    public void ExampleWhole_ReadsTheSame()
    {
        var sink = new OpenAIRecorder();
        new OpenAIResponsesResponseReader(sink).ReadWhole(Encoding.UTF8.GetBytes(OpenAITranscript.Load("responses/whole.json")));
        Assert.Equal(ExampleLog, sink.Log);
    }

    [Theory]
    [InlineData(".delta")]
    [InlineData(".done")]
    [InlineData("_part.")]
    [InlineData("output_item.added")]
    [InlineData("output_item.done")]
    public void ExampleWithoutAKindOfEvents_LosesNothing(string kind)
    {
        List<(string Event, string Data)> events = OpenAITranscript.Split(OpenAITranscript.Load("responses/stream.sse"));
        OpenAIRecorder sink = Run([.. events.Where(one => !one.Event.Contains(kind)).Select(static one => one.Data)]);
        Assert.Equal(["The user wants the weather. I should call the tool.", "Let me check Oslo.", "{\"city\": \"Oslo\", \"unit\": \"c\"}"], sink.Texts.OrderBy(static pair => pair.Key).Select(static pair => pair.Value));
        Assert.Equal(FinishReason.ToolUse, sink.Reason);
        Assert.Equal(1, sink.Calls.Count(static call => call.Contains("ToolCall call_Demo get_weather")));
        Assert.Contains("seal Encrypted gAAAAABdemo==", sink.Log);
    }

    [Fact]
    public void SeveralItemsOpenUnderOneIndex_AreToldApart()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","content":[]}}""",
            """{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"a"}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":""}}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_2","type":"function_call","call_id":"c2","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"x\":1}"}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_2","output_index":0,"delta":"{\"x\":2}"}""",
            """{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"b"}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_2","type":"function_call","call_id":"c2","name":"f","arguments":"{\"x\":2}"}}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"}}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"ab"}]}}""",
            Completed());
        Assert.Equal(["ab", "{\"x\":1}", "{\"x\":2}"], sink.Texts.OrderBy(static pair => pair.Key).Select(static pair => pair.Value));
        Assert.Contains("ToolCall c1 f", sink.Log);
        Assert.Contains("ToolCall c2 f", sink.Log);
        Assert.Equal(FinishReason.ToolUse, sink.Reason);
    }

    [Fact]
    public void ContentOfItemsThatNobodyAnnounced_UnderOneIndexAndIdsOfItsOwn_IsToldOnce()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"hm"}""",
            """{"type":"response.reasoning_summary_text.delta","item_id":"rs_2","output_index":0,"summary_index":0,"delta":" hm"}""",
            """{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"a"}""",
            """{"type":"response.output_text.delta","item_id":"msg_2","output_index":0,"content_index":0,"delta":"b"}""",
            Completed("""[{"id":"rs_9","type":"reasoning","summary":[{"type":"summary_text","text":"hm hm"}],"encrypted_content":"E"},{"id":"msg_9","type":"message","content":[{"type":"output_text","text":"ab"}]}]"""));
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +hm hm | 1 Text | 1 +ab | 0 seal Encrypted E | 0 end | 1 end | finish EndTurn", sink.Log);
    }

    [Fact]
    public void IdOfEachEventIsAnother_IsOneItem()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"A1","type":"reasoning","summary":[]}}""",
            """{"type":"response.reasoning_summary_text.delta","item_id":"A2","output_index":0,"summary_index":0,"delta":"hm"}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"A3","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"E"}}""",
            """{"type":"response.output_item.added","output_index":1,"item":{"id":"B1","type":"message","content":[]}}""",
            """{"type":"response.output_text.delta","item_id":"B2","output_index":1,"content_index":0,"delta":"a"}""",
            """{"type":"response.output_item.done","output_index":1,"item":{"id":"B3","type":"message","content":[{"type":"output_text","text":"a"}]}}""",
            Completed("""[{"id":"A4","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"id":"B4","type":"message","content":[{"type":"output_text","text":"a"}]}]"""));
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +hm | 0 seal Encrypted E | 0 end | 1 Text | 1 +a | 1 end | finish EndTurn", sink.Log);
    }

    [Fact]
    public void TerminalOutputUnderOtherIds_IsNotToldAgain()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"x\":1}"}""",
            """{"type":"response.output_item.added","output_index":1,"item":{"id":"fc_2","type":"function_call","call_id":"c2","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_2","output_index":1,"delta":"{\"x\":2}"}""",
            Completed("""[{"id":"rs_9","type":"reasoning","summary":[]},{"id":"fc_8","type":"function_call","call_id":"c8","name":"f","arguments":"{\"x\":1}"},{"id":"fc_9","type":"function_call","call_id":"c9","name":"f","arguments":"{\"x\":2}"}]"""));
        Assert.Equal(["{\"x\":1}", "{\"x\":2}"], sink.Texts.Values.Where(static text => text.Length > 0).Order());
        Assert.Equal(2, sink.Calls.Count(static call => call.Contains("ToolCall")));
    }

    [Fact]
    public void CallThatOnlyTheTerminalOutputHas_IsTold_BesideOneThatWasStreamed()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{}"}""",
            Completed("""[{"id":"fc_0","type":"function_call","call_id":"c0","name":"g","arguments":"{}"},{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":"{}"}]"""));
        Assert.Contains("ToolCall c0 g", sink.Log);
        Assert.Contains("ToolCall c1 f", sink.Log);
    }

    [Fact]
    public void NullAsArguments_AreNone() => Assert.Equal("start resp_1 m | 0 ToolCall c1 f | 0 end | finish ToolUse", Run(Created,
        """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":""}}""",
        """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"null"}""",
        """{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c1","name":"f","arguments":"null"}}""", Completed()).Log);

    [Fact]
    public void E63_CutAnywhereBeforeTerminal_NeverFinishes()
    {
        List<(string Event, string Data)> events = OpenAITranscript.Split(OpenAITranscript.Load("responses/stream.sse"));
        for (int cut = 0; cut < events.Count - 1; cut++)
        {
            OpenAIRecorder sink = Run([.. events.Take(cut).Select(static one => one.Data), "[DONE]"]);
            Assert.Null(sink.Reason);
            Assert.Equal(ErrorKind.BadGateway, sink.Error?.Kind);
        }
    }

    [Fact]
    public void OnlyTerminalWithOutput_IsRead() =>
        Assert.Equal("start resp_1 m | 0 Text | 0 +hi | 0 end | 1 Foreign | 1 end | 2 CustomToolCall c p | 2 +x\ny | 2 end | finish ToolUse", Run(Created, Completed(
            """[{"type":"message","id":"a","content":[{"type":"output_text","text":"hi"}]},{"type":"web_search_call","id":"b"},{"type":"custom_tool_call","id":"d","call_id":"c","name":"p","input":"x\ny"}]""")).Log);

    [Fact]
    public void EmptyTerminalOutput_KeepsWhatWasStreamed() =>
        Assert.Equal("start resp_1 m | 0 Text | 0 +hi | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.output_text.delta","output_index":0,"item_id":"a","content_index":0,"delta":"hi"}""", Completed()).Log);

    [Fact]
    public void OverlappingCalls_KeepTheirArguments()
    {
        OpenAIRecorder sink = Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"f0","call_id":"c0","name":"f","arguments":""}}""",
            """{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"f1","call_id":"c1","name":"g","namespace":"ns","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"f0","delta":"{\"a\""}""",
            """{"type":"response.function_call_arguments.delta","item_id":"f1","delta":"{\"b\""}""",
            """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"f0","delta":":1}"}""",
            """{"type":"response.function_call_arguments.delta","item_id":"f1","delta":":2}"}""",
            Completed());
        Assert.Equal(["{\"a\":1}", "{\"b\":2}"], sink.Texts.Values);
        Assert.Contains("1 ToolCall c1 ns__g", sink.Log);
    }

    [Fact]
    public void RawReasoningAndSummary_AreNotAddedUp() =>
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +raw\n\nmore | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"r","summary":[]}}""",
            """{"type":"response.reasoning_text.delta","output_index":0,"item_id":"r","content_index":0,"delta":"raw"}""",
            """{"type":"response.reasoning_summary_text.delta","output_index":0,"item_id":"r","summary_index":0,"delta":"sum"}""",
            """{"type":"response.reasoning_text.delta","output_index":0,"item_id":"r","content_index":1,"delta":"more"}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"sum"}]}}""",
            Completed()).Log);

    [Fact]
    public void RefusalPart_IsARefusal() =>
        Assert.Equal("start resp_1 m | 0 Refusal | 0 +No. | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.refusal.delta","output_index":0,"item_id":"a","content_index":0,"delta":"No."}""",
            """{"type":"response.refusal.done","output_index":0,"item_id":"a","content_index":0,"refusal":"No."}""", Completed()).Log);

    [Theory]
    [InlineData("max_output_tokens", FinishReason.MaxTokens)]
    [InlineData("content_filter", FinishReason.Refusal)]
    public void E61_Incomplete_FinishesByReason(string reason, FinishReason expected) =>
        Assert.Equal(expected, Run(Created, $$$"""{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"{{{reason}}}"},"output":[]}}""").Reason);

    [Theory]
    [InlineData("""{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Please try again in 1.5s"}}}""", ErrorKind.RateLimit)]
    [InlineData("""{"type":"response.failed","response":{"status":"failed","error":null}}""", ErrorKind.ServerError)]
    [InlineData("""{"type":"error","code":"server_is_overloaded","message":"busy","param":null,"sequence_number":3}""", ErrorKind.Overloaded)]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"long"}}""", ErrorKind.ContextTooLong)]
    [InlineData("""{"error":{"message":"x","type":"usage_limit_reached","resets_in_seconds":90}}""", ErrorKind.Quota)]
    public void E60_Failures_Fail(string failure, ErrorKind kind)
    {
        OpenAIRecorder sink = Run(Created, failure, Completed());
        Assert.Equal(kind, sink.Error?.Kind);
        if (kind == ErrorKind.RateLimit) Assert.Equal(TimeSpan.FromSeconds(1.5), sink.Error?.RetryAfter);
        if (kind == ErrorKind.Quota) Assert.Equal(TimeSpan.FromSeconds(90), sink.Error?.RetryAfter);
    }

    [Fact]
    public void ArgumentsBeforeTheirItem_WaitForItsName() =>
        Assert.Equal("start resp_1 m | 0 ToolCall c f | 0 +{\"a\":1} | 0 end | finish ToolUse", Run(Created,
            """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"x","delta":"{\"a\":"}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"x","call_id":"c","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"x","delta":"1}"}""",
            Completed()).Log);

    [Fact]
    public void CustomInputBeforeItsItem_IsThatOfACustomTool() =>
        Assert.Equal("start resp_1 m | 0 CustomToolCall c p | 0 +x\ny | 0 end | finish ToolUse", Run(Created,
            """{"type":"response.custom_tool_call_input.delta","output_index":0,"item_id":"x","delta":"x\n"}""",
            """{"type":"response.custom_tool_call_input.delta","output_index":0,"item_id":"x","delta":"y"}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"custom_tool_call","id":"x","call_id":"c","name":"p","input":""}}""", Completed()).Log);

    [Fact]
    public void ArgumentsUnderAnotherId_AreThoseOfTheItemInTheirPlace() =>
        Assert.Equal("start resp_1 m | 0 ToolCall c f | 0 +{} | 0 end | finish ToolUse", Run(Created,
            """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"x","delta":"{}"}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"y","call_id":"c","name":"f","arguments":""}}""", Completed()).Log);

    [Fact]
    public void ItemOfTheTerminalEvent_IsThatOfItsId_WhereverItStands() =>
        Assert.Equal("start resp_1 m | 0 Text | 0 +hi | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.output_text.delta","output_index":1,"item_id":"m","content_index":0,"delta":"hi"}""",
            Completed("""[{"type":"message","id":"m","content":[{"type":"output_text","text":"hi"}]}]""")).Log);

    [Fact]
    public void CallOfTheTerminalEvent_IsThatOfItsCallId_WhereverItStands() =>
        Assert.Equal("start resp_1 m | 0 ToolCall c f | 0 +{} | 0 end | finish ToolUse", Run(Created,
            """{"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"x","call_id":"c","name":"f","arguments":""}}""",
            """{"type":"response.function_call_arguments.delta","output_index":3,"item_id":"x","delta":"{}"}""",
            Completed("""[{"type":"function_call","id":"y","call_id":"c","name":"f","arguments":"{}"}]""")).Log);

    [Fact]
    public void FailureCountsOnFromTheUpstreamsOwnNumbers()
    {
        string written = Copy(["""{"type":"response.created","sequence_number":5,"response":{"id":"resp_1"}}""", """{"type":"response.in_progress","sequence_number":7,"response":{}}"""],
            static (reader, output) => reader.WriteFailure(output, new ProxyError(ErrorKind.BadGateway, "x")));
        Assert.Equal(8, JsonDocument.Parse(OpenAITranscript.Split(written)[0].Data).RootElement.GetProperty("sequence_number").GetInt64());
    }

    [Theory]
    [InlineData("function_call", "function_call_arguments.done", "arguments", "ToolCall")]
    [InlineData("custom_tool_call", "custom_tool_call_input.done", "input", "CustomToolCall")]
    public void InputToldOnlyWhole_IsTold(string type, string done, string member, string kind) =>
        Assert.Equal($"start resp_1 m | 0 {kind} c f | 0 +{{}} | 0 end | finish ToolUse", Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"TYPE","id":"x","call_id":"c","name":"f"}}""".Replace("TYPE", type),
            """{"type":"response.DONE","output_index":0,"item_id":"x","MEMBER":"{}"}""".Replace("DONE", done).Replace("MEMBER", member), Completed()).Log);

    [Fact]
    public void DeltaByItsItemsId_IsOfThatItem() =>
        Assert.Equal(["{}", "[]"], Run(Created,
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"x","call_id":"c","name":"f"}}""",
            """{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"y","call_id":"d","name":"g"}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"x","delta":"{}"}""", """{"type":"response.function_call_arguments.delta","item_id":"y","delta":"[]"}""", Completed()).Texts.Values);

    [Fact]
    public void CompletedWithAnError_Fails() => Assert.Equal(ErrorKind.RateLimit, Run(Created, Completed("[]", ""","error":{"code":"rate_limit_exceeded","message":"slow"}""")).Error?.Kind);

    [Fact]
    public void SourceToldOnlyByItsEvent_IsTold()
    {
        OpenAIRecorder sink = Run(Created, """{"type":"response.output_text.delta","output_index":0,"item_id":"a","content_index":0,"delta":"hi"}""",
            """{"type":"response.output_text.annotation.added","output_index":0,"item_id":"a","content_index":0,"annotation":{"type":"url_citation","url":"https://h.invalid/","title":"T","start_index":0,"end_index":2}}""", Completed());
        Assert.Contains("h.invalid", sink.Log);
    }

    [Fact]
    public void DeltasWithoutNumberAndId_BelongToTheItemThatIsOpen() =>
        Assert.Equal("start resp_1 m | 0 Text | 0 +ab | 0 end | 1 Text | 1 +c | 1 end | finish EndTurn", Run(Created,
            """{"type":"response.output_text.delta","delta":"a"}""", """{"type":"response.output_text.delta","delta":"b"}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m"}}""",
            """{"type":"response.output_text.delta","delta":"c"}""", Completed()).Log);

    [Theory]
    [InlineData("reasoning_text", "content_index")]
    [InlineData("reasoning_summary_text", "summary_index")]
    public void ReasoningToldOnlyInPieces_IsTold(string kind, string index) =>
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +ab\n\nc | 0 end | finish EndTurn", Run(
            [Created, .. new[] { (0, "a"), (0, "b"), (1, "c") }.Select(piece => $$"""{"type":"response.{{kind}}.delta","output_index":0,"item_id":"r","{{index}}":{{piece.Item1}},"delta":"{{piece.Item2}}"}"""), Completed()]).Log);

    [Theory]
    [InlineData("""{"type":"response.reasoning_text.done","output_index":0,"item_id":"r","content_index":0,"text":"raw"}""")]
    [InlineData("""{"type":"response.reasoning_summary_text.done","output_index":0,"item_id":"r","summary_index":0,"text":"raw"}""")]
    public void ReasoningToldOnlyWhole_IsTold(string done) =>
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +raw | 0 end | finish EndTurn", Run(Created, done, Completed()).Log);

    [Fact]
    public void RawReasoningInParts_IsToldPartByPart() =>
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +a\n\nb | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.reasoning_text.done","output_index":0,"item_id":"r","content_index":0,"text":"a"}""",
            """{"type":"response.reasoning_text.done","output_index":0,"item_id":"r","content_index":1,"text":"b"}""",
            """{"type":"response.reasoning_summary_text.done","output_index":0,"item_id":"r","summary_index":2,"text":"the same thought"}""", Completed()).Log);

    [Fact]
    public void SecondSummaryToldOnlyWhole_IsTold_TheFirstNotTwice() =>
        Assert.Equal("start resp_1 m | 0 Thinking | 0 +a\n\nb | 0 end | finish EndTurn", Run(Created,
            """{"type":"response.reasoning_summary_text.delta","output_index":0,"item_id":"r","summary_index":0,"delta":"a"}""",
            """{"type":"response.reasoning_summary_text.done","output_index":0,"item_id":"r","summary_index":0,"text":"a"}""",
            """{"type":"response.reasoning_text.done","output_index":0,"item_id":"r","content_index":1,"text":"the same thought"}""",
            """{"type":"response.reasoning_summary_text.done","output_index":0,"item_id":"r","summary_index":1,"text":"b"}""", Completed()).Log);

    [Theory]
    [InlineData("""{"type":"response.output_text.done","output_index":0,"item_id":"a","content_index":0,"text":"hi"}""", "Text")]
    [InlineData("""{"type":"response.refusal.done","output_index":0,"item_id":"a","content_index":0,"refusal":"hi"}""", "Refusal")]
    public void PartToldOnlyWhole_IsTold(string done, string kind) => Assert.Equal($"start resp_1 m | 0 {kind} | 0 +hi | 0 end | finish EndTurn", Run(Created, done, Completed()).Log);

    [Fact]
    public void CutCallWithoutAName_IsLeftOutWhereALimitCutIt() =>
        Assert.Equal(FinishReason.MaxTokens, Run(Created, """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"x","delta":"{}"}""",
            """{"type":"response.incomplete","response":{"status":"incomplete","error":{"code":"x"},"incomplete_details":{"reason":"max_output_tokens"},"output":[]}}""").Reason);

    [Fact]
    public void ContentAsAString_IsTheText_ToldOnce()
    {
        const string Done = """{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m","content":"hi"}}""";
        Assert.Equal("start resp_1 m | 0 Text | 0 +hi | 0 end | finish EndTurn", Run(Created, Done, Completed()).Log);
        Assert.Equal("start resp_1 m | 0 Text | 0 +hi | 0 end | finish EndTurn",
            Run(Created, """{"type":"response.output_text.delta","output_index":0,"item_id":"m","content_index":0,"delta":"hi"}""", Done, Completed()).Log);
    }

    [Fact]
    public void ArgumentsAsAnObject_AreTheirText() =>
        Assert.Equal("start resp_1 m | 0 ToolCall c f | 0 +{\"a\": 1} | 0 end | finish ToolUse",
            Run(Created, Completed("""[{"type":"function_call","id":"x","call_id":"c","name":"f","arguments":{"a": 1}}]""")).Log);

    [Fact]
    public void EventInAnArray_IsRead() => Assert.Equal("start resp_1 m | finish EndTurn", Run("[]", $"[{Created}]", $"[{Completed()}]").Log);

    [Fact]
    public void FailedEventWithoutAStatus_Fails() =>
        Assert.Equal(ErrorKind.ServerError, Run(Created, """{"type":"response.failed","response":{"id":"resp_1","output":[]}}""").Error?.Kind);

    [Fact]
    public void WholeAnswerInAnArray_IsRead()
    {
        var sink = new OpenAIRecorder();
        new OpenAIResponsesResponseReader(sink).ReadWhole("""[{"id":"r","model":"m","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]}]"""u8);
        Assert.Equal("start r m | 0 Text | 0 +a | 0 end | finish EndTurn", sink.Log);
    }

    [Theory]
    [InlineData("cancelled", null, ErrorKind.ServerError)]
    [InlineData("failed", null, ErrorKind.ServerError)]
    [InlineData("queued", FinishReason.Pause, null)]
    [InlineData("in_progress", FinishReason.Pause, null)]
    [InlineData("incomplete", FinishReason.MaxTokens, null)]
    [InlineData("completed", FinishReason.EndTurn, null)]
    public void WholeAnswer_EndsByItsStatus(string status, FinishReason? reason, ErrorKind? failure)
    {
        var sink = new OpenAIRecorder();
        new OpenAIResponsesResponseReader(sink).ReadWhole(Encoding.UTF8.GetBytes($$"""{"id":"r","status":"{{status}}","output":[]}"""));
        Assert.Equal((reason, failure), (sink.Reason, sink.Error?.Kind));
    }

    [Fact]
    public void KeepaliveAndUnknownEvents_AreSkipped() =>
        Assert.Equal("start resp_1 m | finish EndTurn", Run(Created, """{"type":"keepalive","sequence_number":4}""", """{"type":"codex.rate_limits"}""", """{"type":"response.new_thing","x":[]}""", "7", Completed()).Log);

    [Fact]
    public void CallWithoutName_Fails() =>
        Assert.Equal(ErrorKind.BadGateway, Run(Created, """{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"x","delta":"{}"}""", Completed()).Error?.Kind);

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("""{"id":"x"}""")]
    public void WholeWithoutAnswer_Fails(string body)
    {
        var sink = new OpenAIRecorder();
        new OpenAIResponsesResponseReader(sink).ReadWhole(Encoding.UTF8.GetBytes(body));
        Assert.Equal(ErrorKind.BadGateway, sink.Error?.Kind);
    }

    private static string Copy(IEnumerable<string> events, Action<IResponseReader, IBufferWriter<byte>> act)
    {
        var output = new ArrayBufferWriter<byte>();
        var reader = new OpenAIResponsesResponseReader(new OpenAIRecorder());
        foreach (string one in events) OpenAITranscript.Feed(reader, "", one);
        act(reader, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Fact]
    public void KeepaliveBeforeCreated_IsAComment() => Assert.Equal(": keepalive\n\n", Copy([], static (reader, output) => reader.WriteKeepalive(output)));

    [Fact]
    public void KeepaliveAndFailureAfterCreated_CountOn()
    {
        IEnumerable<string> events = OpenAITranscript.Split(OpenAITranscript.Load("responses/stream.sse")).Take(16).Select(static one => one.Data);
        string written = Copy(events, static (reader, output) =>
        {
            reader.WriteKeepalive(output);
            reader.WriteFailure(output, new ProxyError(ErrorKind.RateLimit, "slow down") { RetryAfter = TimeSpan.FromSeconds(3) });
        });
        List<(string Event, string Data)> told = OpenAITranscript.Split(written);
        Assert.Equal(("keepalive", """{"type":"keepalive","sequence_number":16}"""), told[0]);
        Assert.Equal("response.failed", told[1].Event);
        JsonElement failed = JsonDocument.Parse(told[1].Data).RootElement;
        JsonElement response = failed.GetProperty("response");
        // The filler took no number away: the upstream's own next event would have come with it.
        Assert.Equal(16, failed.GetProperty("sequence_number").GetInt64());
        Assert.Equal(("resp_Demo", "failed"), (response.GetProperty("id").GetString(), response.GetProperty("status").GetString()));
        Assert.Equal(["rs_Demo", "msg_Demo"], response.GetProperty("output").EnumerateArray().Select(static item => item.GetProperty("id").GetString()));
        Assert.Equal("rate_limit_exceeded", response.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains("try again in 3s", response.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("get_weather", response.GetProperty("tools")[0].GetProperty("name").GetString());
    }

    [Fact]
    public void FailureBeforeCreated_MakesTheStart()
    {
        List<(string Event, string Data)> told = OpenAITranscript.Split(Copy([], static (reader, output) => reader.WriteFailure(output, new ProxyError(ErrorKind.BadGateway, "x"))));
        Assert.Equal(["response.created", "response.failed"], told.Select(static one => one.Event));
        JsonElement[] responses = [.. told.Select(static one => JsonDocument.Parse(one.Data).RootElement.GetProperty("response"))];
        Assert.Equal(responses[0].GetProperty("id").GetString(), responses[1].GetProperty("id").GetString());
        Assert.StartsWith("resp_", responses[0].GetProperty("id").GetString());
        Assert.Equal(["in_progress", "failed"], responses.Select(static one => one.GetProperty("status").GetString()));
    }

    [Fact]
    public void ManyFinishedItems_AreBounded()
    {
        string big = new('x', 300_000);
        IEnumerable<string> events = Enumerable.Range(0, 9).Select(i => $$$"""{"type":"response.output_item.done","output_index":{{{i}}},"item":{"type":"message","id":"m{{{i}}}","content":[{"type":"output_text","text":"{{{big}}}"}]}}""").Prepend(Created);
        string written = Copy(events, static (reader, output) => reader.WriteFailure(output, new ProxyError(ErrorKind.BadGateway, "x")));
        Assert.InRange(written.Length, 900_000, OpenAIResponsesCopy.MaxItemBytes + 10_000);
    }

    [Fact]
    public void LineBreaksInsideRememberedJson_DoNotBreakTheEvent()
    {
        string written = Copy(["{\"type\":\"response.created\",\n\"response\":{\n\"id\":\"resp_1\",\"tools\":[\n{}],\"error\":null}}",
            "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\n\"id\":\"m\"}}"], static (reader, output) => reader.WriteFailure(output, new ProxyError(ErrorKind.BadGateway, "x")));
        Assert.Single(OpenAITranscript.Split(written));
        JsonElement response = JsonDocument.Parse(OpenAITranscript.Split(written)[0].Data).RootElement.GetProperty("response");
        Assert.Equal(("resp_1", 1, "m", 1), (response.GetProperty("id").GetString(), response.GetProperty("tools").GetArrayLength(), response.GetProperty("output")[0].GetProperty("id").GetString(),
            response.EnumerateObject().Count(static member => member.NameEquals("error"))));
    }
}
