using System.Buffers;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

public sealed class OpenAIChatResponseReaderTests
{
    private static OpenAIRecorder Run(params string[] chunks)
    {
        var sink = new OpenAIRecorder();
        var reader = new OpenAIChatResponseReader(sink);
        foreach (string chunk in chunks) OpenAITranscript.Feed(reader, "", chunk);
        reader.Complete();
        reader.Complete();
        return sink;
    }

    private static OpenAIRecorder RunWhole(string body)
    {
        var sink = new OpenAIRecorder();
        var reader = new OpenAIChatResponseReader(sink);
        reader.ReadWhole(Encoding.UTF8.GetBytes(body));
        reader.Complete();
        return sink;
    }

    private static string Delta(string delta, string finish = "null", string more = "") =>
        $$"""{"id":"c1","model":"m","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{finish}}{{more}}}]}""";

    private const string Done = "[DONE]";

    [Fact]
    public void Example_ReadsTextReasoningCallUsage()
    {
        var sink = new OpenAIRecorder();
        OpenAITranscript.Feed(new OpenAIChatResponseReader(sink), OpenAITranscript.Load("openai/stream.sse"));
        Assert.Equal(
            "start chatcmpl-Demo gpt-6.1-sol | 0 Thinking | 0 +The user wants the weather. I should call the tool. | 0 end | 1 Text | 1 +Let me check Oslo. | 1 end | " +
            "2 ToolCall call_Demo get_weather | 2 +{\"city\": \"Oslo\", \"unit\": \"c\"} | 2 end | finish ToolUse", sink.Log);
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, CacheWrite = 0, Output = 58, Reasoning = 20 }, sink.Total);
    }

    [Fact]
    public void ExampleWhole_ReadsTheSame()
    {
        OpenAIRecorder sink = RunWhole(OpenAITranscript.Load("openai/whole.json"));
        Assert.Equal("start chatcmpl-Demo gpt-6.1-sol | 0 Text | 0 +Let me check Oslo. | 0 end | 1 ToolCall call_Demo get_weather | " +
            "1 +{\"city\": \"Oslo\", \"unit\": \"c\"} | 1 end | finish ToolUse", sink.Log);
        Assert.Equal(41, sink.Total.Input);
    }

    [Fact]
    public void E63_CutAnywhereBeforeFinishInformation_NeverFinishes()
    {
        List<(string Event, string Data)> events = OpenAITranscript.Split(OpenAITranscript.Load("openai/stream.sse"));
        int finish = events.FindIndex(static one => one.Data.Contains("\"finish_reason\":\"tool_calls\""));
        for (int cut = 0; cut < finish; cut++)
        {
            OpenAIRecorder sink = Run([.. events.Take(cut).Select(static one => one.Data)]);
            Assert.Null(sink.Reason);
            Assert.Equal(ErrorKind.BadGateway, sink.Error?.Kind);
        }
    }

    [Fact]
    public void EofAfterFinishReason_Finishes() => Assert.EndsWith("finish EndTurn", Run(Delta("""{"content":"a"}"""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void DoneWithoutFinishReason_Finishes() => Assert.EndsWith("finish EndTurn", Run(Delta("""{"content":"a"}"""), Done).Log);

    [Fact]
    public void DoneWithoutAnything_Fails() => Assert.Equal("fail BadGateway", Run(Done).Log);

    [Fact]
    public void DoneWithCutCallAndNoReason_Fails() => Assert.EndsWith("fail BadGateway", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}"""), Done).Log);

    [Theory]
    [InlineData("""{\"x\":{\"y\":1}""")]
    [InlineData("""{\"x\":[1]""")]
    [InlineData("""\u007B\"x\":\u007b\u007D""")]
    [InlineData("""{\"x\":\"}""")]
    [InlineData("{\\\"x\\\":\\\"\\\\\\\"}\\\"")]
    public void DoneWithNestedArgumentsCut_Fails(string arguments) =>
        Assert.EndsWith("fail BadGateway", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"ARGS"}}]}""".Replace("ARGS", arguments)), Done).Log);

    [Fact]
    public void DoneWithWholeCallAndNoReason_IsToolUse() =>
        Assert.EndsWith("finish ToolUse", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"""), Done).Log);

    [Theory]
    [InlineData("""{"reasoning_content":"x","reasoning":"x"}""")]
    [InlineData("""{"reasoning":"x","reasoning_details":[{"type":"reasoning.text","text":"x"}]}""")]
    [InlineData("""{"reasoning_details":[{"type":"reasoning.summary","summary":"x"},{"type":"reasoning.encrypted","data":"zz"}]}""")]
    [InlineData("""{"reasoning_content":"","reasoning":"x","content":null,"tool_calls":null}""")]
    [InlineData("""{"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]}]}""")]
    public void ReasoningUnderSeveralNames_CountsOnce(string delta)
    {
        List<string> calls = Run(Delta(delta), Delta("{}", "\"stop\""), Done).Calls;
        Assert.Equal(["start c1 m", "0 Thinking", "0 +x", "0 end", "finish EndTurn"], calls.Where(call => !call.StartsWith("0 seal Details", StringComparison.Ordinal)));
        Assert.Equal(delta.Contains("reasoning_details", StringComparison.Ordinal), calls.Count == 6);
    }

    [Fact]
    public void E76_ContentArray_IsFlattened() =>
        Assert.Equal("start c1 m | 0 Thinking | 0 +t | 0 end | 1 Text | 1 +ab | 1 end | finish EndTurn",
            Run(Delta("""{"content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"a"},"b"]}""", "\"stop\""), Done).Log);

    [Fact]
    public void E32_KindsAlternate_BlocksCloseAndOpen() =>
        Assert.Equal("start c1 m | 0 Thinking | 0 +a | 0 end | 1 Text | 1 +b | 1 end | 2 Thinking | 2 +c | 2 end | finish EndTurn",
            Run(Delta("""{"reasoning_content":"a"}"""), Delta("""{"content":"b"}"""), Delta("""{"reasoning_content":"c"}"""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void E03_InterleavedIndices_KeepTheirArguments()
    {
        OpenAIRecorder sink = Run(
            Delta("""{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}"""), Delta("""{"tool_calls":[{"index":1,"function":{"arguments":"{\"y\":"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"""), Delta("""{"tool_calls":[{"index":1,"function":{"arguments":"2}"}}]}"""),
            Delta("{}", "\"tool_calls\""), Done);
        Assert.Equal("{\"x\":1}", sink.Texts[0]);
        Assert.Equal("{\"y\":2}", sink.Texts[1]);
        Assert.Equal(FinishReason.ToolUse, sink.Reason);
    }

    [Fact]
    public void InterleavedIdsWithoutIndex_KeepTheirArguments()
    {
        OpenAIRecorder sink = Run(
            Delta("""{"tool_calls":[{"id":"a","function":{"name":"f","arguments":""}},{"id":"b","function":{"name":"g","arguments":""}}]}"""),
            Delta("""{"tool_calls":[{"id":"a","function":{"arguments":"{\"x\":1}"}}]}"""), Delta("""{"tool_calls":[{"id":"b","function":{"arguments":"{\"y\":2}"}}]}"""),
            Delta("{}", "\"tool_calls\""), Done);
        Assert.Equal(["{\"x\":1}", "{\"y\":2}"], [sink.Texts[0], sink.Texts[1]]);
    }

    [Fact]
    public void OtherNameBehindAWholeCall_IsAnotherCall() =>
        Assert.Equal("start c1 m | 0 ToolCall  f | 0 +{} | 0 end | 1 ToolCall  g | 1 end | finish ToolUse",
            Run(Delta("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}"""), Delta("""{"tool_calls":[{"index":0,"function":{"name":"g"}}]}"""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void FreeTextWithoutAReason_IsWhole_HoweverItEnds() =>
        Assert.Equal("start c1 m | 0 CustomToolCall a p | 0 +{ x | 0 end | finish ToolUse", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"p","input":"{ x"}}]}"""), Done).Log);

    [Fact]
    public void ArgumentsAsAnArray_AreTheirText() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +[1, 2] | 0 end | finish ToolUse", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":[1, 2]}}]}""", "\"stop\"")).Log);

    [Theory]
    [InlineData("""{"other":{"thought_signature":"no"},"google":{"x":1,"thought_signature":"c2ln"}}""", "c2ln")]
    [InlineData("""{"google":{"thought_signature":"c2ln"},"other":{"thought_signature":"no"}}""", "c2ln")]
    [InlineData("""{"google":{"thought_signature":""}}""", null)]
    [InlineData("""{"google":{"thought_signature":5}}""", null)]
    [InlineData("""{"google":null}""", null)]
    public void SignatureOfACall_IsGooglesOwnMember(string extra, string? signature)
    {
        string log = Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":""" + extra + "}]}", "\"stop\"")).Log;
        Assert.Equal(signature is not null, log.Contains($"seal Thought {signature}", StringComparison.Ordinal));
    }

    [Fact]
    public void RefusalAmongTheParts_IsARefusal() =>
        Assert.Equal("start c1 m | 0 Text | 0 +a | 0 end | 1 Refusal | 1 +No. | 1 end | finish EndTurn",
            Run(Delta("""{"content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"No."}]}""", "\"stop\"")).Log);

    [Theory]
    [InlineData("E04_same index, new ids", """{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}""", """{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}""", "a", "b")]
    [InlineData("same index, no ids", """{"index":0,"function":{"name":"f","arguments":"{}"}}""", """{"index":0,"function":{"name":"f","arguments":"{}"}}""", "", "")]
    [InlineData("no index, no ids", """{"function":{"name":"f","arguments":"{}"}}""", """{"function":{"name":"f","arguments":"{}"}}""", "", "")]
    [InlineData("no index, ids", """{"id":"a","function":{"name":"f","arguments":"{}"}}""", """{"id":"b","function":{"name":"f","arguments":"{}"}}""", "a", "b")]
    [InlineData("same index, an id behind none", """{"index":0,"function":{"name":"f","arguments":"{}"}}""", """{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}""", "", "b")]
    public void CallsToldApart(string why, string first, string second, string firstId, string secondId)
    {
        Assert.NotEmpty(why);
        string expected = $"start c1 m | 0 ToolCall {firstId} f | 0 +{{}} | 0 end | 1 ToolCall {secondId} f | 1 +{{}} | 1 end | finish ToolUse";
        Assert.Equal(expected, Run(Delta($$"""{"tool_calls":[{{first}}]}"""), Delta($$"""{"tool_calls":[{{second}}]}"""), Done).Log);
        Assert.Equal(expected, Run(Delta($$"""{"tool_calls":[{{first}},{{second}}]}""", "\"stop\"")).Log);
    }

    [Fact]
    public void NameAndIdInEachDelta_IsOneCall() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{\"x\":1} | 0 end | finish ToolUse", Run(
            Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void NameInEachDeltaWithoutIds_IsOneCall() =>
        Assert.Equal("start c1 m | 0 ToolCall  f | 0 +{\"x\":1} | 0 end | finish ToolUse", Run(
            Delta("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1}"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"""), Delta("{}", "\"stop\"")).Log);

    [Theory]
    [InlineData("an id for each piece", """{"index":0,"id":"a","function":{"name":"f","arguments":""}}""", """{"index":0,"id":"b","function":{"name":"","arguments":"{\"x\":"}}""", """{"index":0,"id":"c","function":{"arguments":"1}"}}""")]
    [InlineData("neither index nor id, the name each time", """{"function":{"name":"f","arguments":""}}""", """{"function":{"name":"f","arguments":"{\"x\":"}}""", """{"function":{"name":"f","arguments":"1}"}}""")]
    [InlineData("the same id under another index", """{"index":0,"id":"a","function":{"name":"f","arguments":""}}""", """{"index":1,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}""", """{"index":1,"function":{"arguments":"1}"}}""")]
    public void PiecesOfOneCall_IsOneCall(string why, string first, string second, string third)
    {
        Assert.NotEmpty(why);
        string expected = $"start c1 m | 0 ToolCall {(first.Contains("id") ? "a" : "")} f | 0 +{{\"x\":1}} | 0 end | finish ToolUse";
        Assert.Equal(expected, Run(Delta($$"""{"tool_calls":[{{first}}]}"""), Delta($$"""{"tool_calls":[{{second}}]}"""), Delta($$"""{"tool_calls":[{{third}}]}"""), Delta("{}", "\"stop\"")).Log);
    }

    [Fact]
    public void SecondCallBeginsUnderTheFirstIndex_GoesOnUnderItsOwn()
    {
        OpenAIRecorder sink = Run(
            Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}"""), Delta("""{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":""}}]}"""),
            Delta("""{"tool_calls":[{"index":1,"function":{"arguments":"{\"y\":"}}]}"""), Delta("""{"tool_calls":[{"index":1,"function":{"arguments":"2}"}}]}"""), Delta("{}", "\"tool_calls\""), Done);
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{\"x\":1} | 0 end | 1 ToolCall b f | 1 +{\"y\":2} | 1 end | finish ToolUse", sink.Log);
    }

    [Theory]
    [InlineData("abort", "fail ServerError")]
    [InlineData("network_error", "fail ServerError")]
    [InlineData("function_call_filter: MALFORMED_FUNCTION_CALL", "fail ServerError")]
    [InlineData("content_filter: PROHIBITED_CONTENT", "finish Refusal")]
    [InlineData("sensitive", "finish Refusal")]
    [InlineData("SAFETY", "finish Refusal")]
    [InlineData("model_context_window_exceeded", "finish ContextOverflow")]
    [InlineData("MAX_TOKENS", "finish MaxTokens")]
    public void FinishReasonsOfOtherServers(string reason, string end) =>
        Assert.EndsWith(end, Run(Delta("""{"content":"a"}"""), Delta("{}", $"\"{reason}\""), Done).Log);

    [Fact]
    public void ErrorWithoutEnvelope_Fails()
    {
        const string Error = """{"object":"error","message":"the engine died","type":"InternalServerError","param":null,"code":500}""";
        OpenAIRecorder sink = Run(Delta("""{"content":"a"}"""), Error, Done);
        Assert.EndsWith("fail ServerError", sink.Log);
        Assert.Equal("the engine died", sink.Error?.Message);
        Assert.Equal("the engine died", RunWhole(Error).Error?.Message);
    }

    [Fact]
    public void UsageInsideTheChoice_IsRead() =>
        Assert.Equal((long?)7, Run(Delta("""{"content":"a"}"""), Delta("{}", "\"stop\"", ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}"), Done).Total.Input);

    [Fact]
    public void E05_WholeCallInFinishChunk_CallComesFirst() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{\"x\":1} | 0 end | finish ToolUse",
            Run(Delta("""{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}""", "\"tool_calls\""), Done).Log);

    [Fact]
    public void E13_ArgumentsBeforeName_AreHeldBack() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{\"x\":1} | 0 end | finish ToolUse", Run(
            Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\":"}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1}"}}]}"""), Delta("{}", "\"tool_calls\"")).Log);

    [Fact]
    public void E13_NeverANameAtTheEnd_Fails() =>
        Assert.EndsWith("fail BadGateway", Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}"""), Delta("{}", "\"tool_calls\""), Done).Log);

    [Fact]
    public void IdAfterName_IsWaitedFor() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{} | 0 end | finish ToolUse", Run(
            Delta("""{"tool_calls":[{"index":0,"function":{"name":"f"}}]}"""), Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}"""), Done).Log);

    [Fact]
    public void E23_ArgumentsAsObject_AreQuotedOnceWithTheirDigits() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 +{\"id\":9007199254740993} | 0 end | finish ToolUse",
            Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"id":9007199254740993}}}]}"""), Done).Log);

    [Fact]
    public void NullAsText_IsNoArguments() => Assert.Equal("start c1 m | 0 ToolCall a f | 0 end | 1 ToolCall b f | 1 end | finish ToolUse", Run(
        Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"null"}},{"index":1,"id":"b","function":{"name":"f","arguments":"null"}}]}""", "\"tool_calls\""), Done).Log
        .Replace("0 ToolCall a f | 1 ToolCall b f | 0 end | 1 end", "0 ToolCall a f | 0 end | 1 ToolCall b f | 1 end"));

    [Fact]
    public void NullArgumentsInFirstDelta_AreIgnored() =>
        Assert.Equal("start c1 m | 0 ToolCall a f | 0 end | finish ToolUse",
            Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":null}}]}"""), Delta("{}", "\"tool_calls\"")).Log);

    [Fact]
    public void TextAfterCall_IsANewBlock() =>
        Assert.Equal("start c1 m | 0 Text | 0 +a | 0 end | 1 ToolCall i f | 1 +{} | 1 end | 2 Text | 2 +b | 2 end | finish ToolUse", Run(
            Delta("""{"content":"a"}"""), Delta("""{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{}"}}]}"""), Delta("""{"content":"b"}"""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void CustomCallAndFunctionCall_AreRead()
    {
        Assert.Equal("start c1 m | 0 CustomToolCall i p | 0 +a b | 0 end | finish ToolUse", Run(
            Delta("""{"tool_calls":[{"index":0,"id":"i","type":"custom","custom":{"name":"p","input":"a "}}]}"""),
            Delta("""{"tool_calls":[{"index":0,"custom":{"input":"b"}}]}"""), Delta("{}", "\"tool_calls\"")).Log);
        Assert.Equal("start c1 m | 0 ToolCall  f | 0 +{\"a\":1} | 0 end | finish ToolUse", Run(
            Delta("""{"function_call":{"name":"f","arguments":"{\"a\""}}"""), Delta("""{"function_call":{"arguments":":1}"}}"""), Delta("{}", "\"function_call\"")).Log);
    }

    [Fact]
    public void GeminiSignatureOnCall_IsASeal() =>
        Assert.Contains("0 seal Thought sig==", Run(
            Delta("""{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"sig=="}}}]}"""), Done).Log);

    [Theory]
    [InlineData("stop", "EndTurn")]
    [InlineData("eos", "EndTurn")]
    [InlineData("end_turn", "EndTurn")]
    [InlineData("tool_use", "EndTurn")]
    [InlineData("length", "MaxTokens")]
    [InlineData("max_tokens", "MaxTokens")]
    [InlineData("model_length", "MaxTokens")]
    [InlineData("content_filter", "Refusal")]
    [InlineData("refusal", "Refusal")]
    public void FinishReasonVariants(string word, string expected) => Assert.EndsWith("finish " + expected, Run(Delta("""{"content":"a"}""", $"\"{word}\"")).Log);

    [Theory]
    [InlineData("error", "ServerError")]
    [InlineData("insufficient_system_resource", "Overloaded")]
    public void FinishReasonThatTellsAFault_Fails(string word, string kind) => Assert.EndsWith("fail " + kind, Run(Delta("""{"content":"a"}""", $"\"{word}\"")).Log);

    [Fact]
    public void E07_LengthWithCalls_StaysLength() => Assert.EndsWith("finish MaxTokens",
        Run(Delta("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}""", "\"length\""), Done).Log);

    [Fact]
    public void E08_ReasonInEveryChunk_FinishesOnceAtTheEnd() =>
        Assert.Equal("start c1 m | 0 Text | 0 +abc | 0 end | finish EndTurn", Run(
            Delta("""{"content":"a"}""", "\"stop\""), Delta("""{"content":"b"}""", "\"stop\""), Delta("""{"content":"c"}""", "\"stop\""), Done, Delta("""{"content":"late"}""")).Log);

    [Fact]
    public void PlainStopAfterToolCalls_DoesNotOverwrite() => Assert.EndsWith("finish MaxTokens", Run(Delta("""{"content":"a"}""", "\"length\""), Delta("{}", "\"stop\"")).Log);

    [Fact]
    public void EmptyReason_IsNoReason() => Assert.EndsWith("fail BadGateway", Run(Delta("""{"content":"a"}""", "\"\"")).Log);

    [Fact]
    public void StopSequenceBesideALimit_IsTheLimit() => Assert.EndsWith("finish MaxTokens", Run(Delta("""{"content":"a"}""", "\"length\"", ",\"stop_reason\":\"END\"")).Log);

    [Fact]
    public void StopSequence_IsTold() => Assert.EndsWith("finish StopSequence END", Run(Delta("""{"content":"a"}""", "\"stop\"", ",\"stop_reason\":\"END\"")).Log);

    [Theory]
    [InlineData("inside the finish chunk", """{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}""", "{}")]
    [InlineData("beside a choice", """{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}""", """{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}""")]
    [InlineData("E10 zero, null, real", """{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0}}""", """{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":null}}""")]
    public void E09_UsageAnywhere_Counts(string why, string first, string second)
    {
        Assert.NotEmpty(why);
        OpenAIRecorder sink = Run(first, second, """{"choices":[],"usage":null}""", Done);
        Assert.Equal((7L, 3L), (sink.Total.Input, sink.Total.Output));
        Assert.EndsWith("finish EndTurn", sink.Log);
    }

    [Fact]
    public void E66_CachedTokens_AreTakenOffAndNeverNegative()
    {
        Assert.Equal((41, 1200), (OpenAIUsage.Read("""{"prompt_tokens":1241,"prompt_cache_hit_tokens":1200}"""u8)!.Value.Input, OpenAIUsage.Read("""{"prompt_tokens":1241,"prompt_cache_hit_tokens":1200}"""u8)!.Value.CacheRead));
        TokenUsage bad = OpenAIUsage.Read("""{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":99,"cache_write_tokens":5},"completion_tokens":1.0}"""u8)!.Value;
        Assert.Equal((0, 10, 0, 1), (bad.Input, bad.CacheRead, bad.CacheWrite, bad.Output));
    }

    [Fact]
    public void E11_EmptyChoices_AreIgnored() =>
        Assert.Equal("start c1 m | 0 Text | 0 +ab | 0 end | finish EndTurn", Run(
            Delta("""{"content":"a"}"""), """{"choices":[],"prompt_filter_results":[]}""", Delta("""{"content":"b"}"""), Delta("{}", "\"stop\"")).Log);

    [Theory]
    [InlineData("""{"error":{"message":"busy","code":502}}""", ErrorKind.BadGateway)]
    [InlineData("""[{"error":{"message":"busy","code":429,"status":"RESOURCE_EXHAUSTED"}}]""", ErrorKind.RateLimit)]
    [InlineData("""{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}""", ErrorKind.Quota)]
    [InlineData("""{"error":"plain words"}""", ErrorKind.ServerError)]
    [InlineData("""{"choices":[{"index":0,"delta":{},"error":{"message":"x","code":503}}]}""", ErrorKind.Overloaded)]
    [InlineData("""{"error":{"message":"This model's maximum context length is 8 tokens","code":400}}""", ErrorKind.ContextTooLong)]
    public void E67_ErrorInA200_Fails(string body, ErrorKind kind)
    {
        Assert.Equal(kind, Run(Delta("""{"content":"a"}"""), body, Done).Error?.Kind);
        Assert.Equal(kind, RunWhole(body).Error?.Kind);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{\"choices\":[")]
    [InlineData("{\"choices\":[]} trailing")]
    [InlineData("<html>")]
    public void NotJson_FailsOnce(string data) => Assert.Equal("start c1 m | fail BadGateway", Run(Delta("""{"content":""}"""), data, data, Done).Log);

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("42")]
    [InlineData("""{"choices":[]}""")]
    public void WholeWithoutAnswer_Fails(string body) => Assert.EndsWith("fail BadGateway", RunWhole(body).Log);

    [Fact]
    public void ChoicesBeyondTheFirst_AreLeftOut() =>
        Assert.Equal("start c1 m | 0 Text | 0 +a | 0 end | finish EndTurn",
            Run("""{"id":"c1","model":"m","choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"},{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}""").Log);

    [Fact]
    public void RefusalAndNullError_AreRead() =>
        Assert.Equal("start c1 m | 0 Refusal | 0 +No. | 0 end | finish EndTurn",
            Run("""{"error":null,"id":"c1","model":"m","choices":[{"delta":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}""").Log);

    [Fact]
    public void WriteFailure_IsAnErrorChunkWithoutDone()
    {
        var output = new ArrayBufferWriter<byte>();
        var reader = new OpenAIChatResponseReader(new OpenAIRecorder());
        reader.WriteKeepalive(output);
        reader.WriteFailure(output, new ProxyError(ErrorKind.Overloaded, "busy; key=abc123 was used"));
        Assert.Equal(": keepalive\n\ndata: {\"error\":{\"message\":\"busy; [redacted] was used\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
