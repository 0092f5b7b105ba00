using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using static Aiproxy.Tests.Protocols.Kiro.KiroWire;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>The events of an answer, one after the other and out of order.</summary>
public sealed class KiroResponseReaderTests
{
    [Fact]
    public void Text_IsOneBlock_TheEndOfTheStreamIsItsEnd()
    {
        SinkRecorder record = Record(new KiroEvent("initial-response", "{}"), new KiroEvent("assistantResponseEvent", """{"content":"He","modelId":"claude-sonnet-5"}"""), Text("llo"));
        Assert.Equal("claude-sonnet-5", record.Model);
        Assert.Equal("Hello", Assert.Single(record.Blocks).Text);
        Assert.Equal(FinishReason.EndTurn, record.Finished);
    }

    [Fact]
    public void RepeatedText_IsNotTakenForADuplicate() => Assert.Equal("haha", Record(Text("ha"), Text("ha")).Text(BlockKind.Text));

    [Fact]
    public void WrappedPayload_IsUnwrapped_AndNamesAnEventWithoutName()
    {
        Assert.Equal("ab", Record(
            new KiroEvent("assistantResponseEvent", """{"assistantResponseEvent":{"content":"a"}}"""), new KiroEvent("", """{"assistantResponseEvent":{"content":"b"}}""")).Text(BlockKind.Text));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(1000)]
    public void ToolInput_InPiecesOfAnySize_IsWhole(int size)
    {
        const string Input = "{\"path\":\"日本 😀 \\\"x\\\"\",\"n\":9007199254740993}";
        List<KiroEvent> events = [Call("t1")];
        Rune[] runes = [.. Input.EnumerateRunes()];
        for (int at = 0; at < runes.Length; at += size) events.Add(Call("t1", string.Concat(runes.Skip(at).Take(size).Select(rune => rune.ToString()))));
        SinkRecorder record = Record([.. events, Call("t1", isStop: true)]);
        RecordedBlock call = Assert.Single(record.Blocks);
        Assert.Equal(("t1", "read_file", Input), (call.Id, call.Name, call.Text));
        Assert.Equal(FinishReason.ToolUse, record.Finished);
    }

    [Fact]
    public void InterleavedCalls_EachHasItsOwn()
    {
        SinkRecorder record = Record(Text("ok"), Call("a", "{\"x\""), Call("b", "{\"y\""), Call("a", ":1}"), Call("b", ":2}"), Call("b", isStop: true), Call("a", isStop: true));
        Assert.Equal(["ok", "{\"x\":1}", "{\"y\":2}"], record.Blocks.Select(block => block.Text));
        Assert.Equal(FinishReason.ToolUse, record.Finished);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("{}")]
    public void EmptyInput_IsNoArguments(string input)
    {
        SinkRecorder record = Record(new KiroEvent("toolUseEvent", $$"""{"toolUseId":"a","name":"t","input":{{input}},"stop":true}"""));
        Assert.Equal("", Assert.Single(record.Blocks).Text);
        Assert.Equal(FinishReason.ToolUse, record.Finished);
    }

    [Fact]
    public void ObjectInput_ComesInOnePiece_PiecesOfTextGoBeforeIt()
    {
        Assert.Equal("{\"a\":[1]}", Record(new KiroEvent("toolUseEvent", """{"toolUseId":"a","name":"t","input":{"a":[1]}}"""), Call("a", isStop: true)).Blocks[0].Text);
        Assert.Equal("{\"b\":2}", Record(new KiroEvent("toolUseEvent", """{"toolUseId":"a","name":"t","input":{"a":1}}"""), Call("a", "{\"b\":2}"), Call("a", isStop: true)).Blocks[0].Text);
    }

    [Fact]
    public void EventsOfAStoppedCall_AreIgnored()
    {
        SinkRecorder record = Record(Call("a", "{}", true), Call("a", "{}", true), Call("a", "x"), Text("done"));
        Assert.Equal(["{}", "done"], record.Blocks.Select(block => block.Text));
    }

    [Fact]
    public void NameThatComesLate_HoldsTheCallBack()
    {
        SinkRecorder record = Record(new KiroEvent("toolUseEvent", """{"toolUseId":"a","input":"{\"x\":"}"""), Call("a", "1}"), new KiroEvent("toolUseEvent", """{"input":"","stop":true}"""));
        Assert.Equal("{\"x\":1}", Assert.Single(record.Blocks).Text);
        Assert.NotNull(record.Finished);
    }

    [Fact]
    public void NamelessCall_Fails() => Assert.Equal(ErrorKind.ServerError, Record(new KiroEvent("toolUseEvent", """{"toolUseId":"a","input":"{}","stop":true}""")).Error?.Kind);

    [Theory]
    [InlineData("{\"a\":1}")]
    [InlineData("{\"a\":")]
    [InlineData(null)]
    public void CallWithoutItsStop_NeverLooksComplete(string? input)
    {
        SinkRecorder record = Record(Text("x"), Call("a", "{}", true), Call("b", input));
        Assert.Equal(ErrorKind.BadGateway, record.Error?.Kind);
        Assert.DoesNotContain("end 2", record.Lines);
    }

    [Fact]
    public void NothingAtAll_Fails()
    {
        Assert.Equal(ErrorKind.BadGateway, Record().Error?.Kind);
        Assert.Equal(ErrorKind.BadGateway, Record(new KiroEvent("initial-response", """{"conversationId":"x"}""")).Error?.Kind);
    }

    [Fact]
    public void NoContentButItsCost_IsAnEmptyAnswer() => Assert.Equal(FinishReason.EndTurn, Record(new KiroEvent("meteringEvent", """{"usage":0.1,"unit":"credit"}""")).Finished);

    [Fact]
    public void Reasoning_IsSealed_WhatFollowsIsAnotherBlock()
    {
        SinkRecorder record = Record(Thought("a"), Thought("b"), Signature("s1"), Thought("c"), Text("t"), new KiroEvent("reasoningContentEvent", """{"redactedContent":"ZmFrZQ=="}"""), Thought("d"), Signature("s2"));
        Assert.Equal(["Thinking ab Thinking s1", "Thinking c ", "Text t ", "Thinking  Redacted ZmFrZQ==", "Thinking d Thinking s2"], record.Blocks.Select(block => $"{block.Kind} {block.Text} {block.Seal}"));
        Assert.Equal(FinishReason.EndTurn, record.Finished);
    }

    [Fact]
    public void SignatureAlone_IsABlock() => Assert.Equal("Thinking s", Assert.Single(Record(Signature("s")).Blocks).Seal);

    [Theory]
    [InlineData("messageMetadataEvent", """{"conversationId":"c","utteranceId":"u"}""")]
    [InlineData("codeReferenceEvent", """{"references":[{"licenseName":"MIT"}]}""")]
    [InlineData("citationEvent", """{"target":{},"citationLink":"x"}""")]
    [InlineData("supplementaryWebLinksEvent", """{"supplementaryWebLinks":[]}""")]
    [InlineData("followupPromptEvent", """{"followupPrompt":{"content":"more?","userIntent":"X"}}""")]
    [InlineData("intentsEvent", "{}")]
    [InlineData("brandNewEvent", """{"content":"no text","message":"no error","type":"thing"}""")]
    [InlineData("dryRunSucceedEvent", "")]
    [InlineData("codeEvent", """[1,2]""")]
    public void OtherEvents_AreIgnored(string name, string json)
    {
        SinkRecorder record = Record(Text("a"), new KiroEvent(name, json), Text("b"));
        Assert.Equal("ab", Assert.Single(record.Blocks).Text);
        Assert.NotNull(record.Finished);
    }

    [Theory]
    [InlineData("throttlingException", """{"message":"slow down"}""", ErrorKind.RateLimit)]
    [InlineData("ThrottlingException", """{"message":"x","reason":"MONTHLY_REQUEST_COUNT"}""", ErrorKind.Quota)]
    [InlineData("throttlingException", """{"message":"x","reason":"INSUFFICIENT_MODEL_CAPACITY"}""", ErrorKind.Overloaded)]
    [InlineData("validationException", """{"message":"Input is too long.","reason":"CONTENT_LENGTH_EXCEEDS_THRESHOLD"}""", ErrorKind.ContextTooLong)]
    [InlineData("validationException", """{"message":"Improperly formed request."}""", ErrorKind.InvalidRequest)]
    [InlineData("accessDeniedException", """{"message":"no"}""", ErrorKind.UpstreamAuth)]
    [InlineData("internalServerException", """{"message":"oops"}""", ErrorKind.ServerError)]
    [InlineData("serviceQuotaExceededException", """{"message":"x"}""", ErrorKind.Quota)]
    [InlineData("expiredTokenException", """{"message":"no"}""", ErrorKind.UpstreamAuth)]
    [InlineData("unauthorizedException", """{"message":"no"}""", ErrorKind.UpstreamAuth)]
    [InlineData("unrecognizedClientException", """{"message":"no"}""", ErrorKind.UpstreamAuth)]
    [InlineData("resourceNotFoundException", """{"message":"x"}""", ErrorKind.NotFound)]
    [InlineData("conflictException", """{"message":"x"}""", ErrorKind.Conflict)]
    [InlineData("serviceUnavailableException", """{"message":"x"}""", ErrorKind.Overloaded)]
    [InlineData("modelTimeoutException", """{"message":"x"}""", ErrorKind.Timeout)]
    [InlineData("tooManyRequestsException", """{"message":"x"}""", ErrorKind.RateLimit)]
    [InlineData("whateverException", """{"message":"x","reason":"MONTHLY_REQUEST_COUNT"}""", ErrorKind.Quota)]
    [InlineData("whateverException", """{"message":"x","reason":"MODEL_TEMPORARILY_UNAVAILABLE"}""", ErrorKind.Overloaded)]
    [InlineData("InternalFailure", "", ErrorKind.ServerError)]
    [InlineData("whateverException", "not json", ErrorKind.ServerError)]
    [InlineData("", """{"__type":"com.amazon.x#ThrottlingException","message":"m"}""", ErrorKind.RateLimit)]
    public void Exception_IsTheErrorThatItWouldHaveBeen(string name, string json, ErrorKind kind)
    {
        SinkRecorder record = Record(Text("a"), Exception(name, json), Text("b"));
        Assert.Equal(kind, record.Error?.Kind);
        Assert.DoesNotContain("end 0", record.Lines);
    }

    [Theory]
    [InlineData("throttlingException", """{"message":"x"}""", ErrorKind.RateLimit)]
    [InlineData("error", """{"message":"x"}""", ErrorKind.ServerError)]
    [InlineData("assistantResponseEvent", """{"_type":"x#ValidationException","message":"Improperly formed request."}""", ErrorKind.InvalidRequest)]
    [InlineData("someEvent", """{"type":"error","message":"x"}""", ErrorKind.ServerError)]
    [InlineData("someEvent", """{"type":"exception","message":"x"}""", ErrorKind.ServerError)]
    [InlineData("throttlingError", """{"message":"x"}""", ErrorKind.ServerError)]
    [InlineData("assistantResponseEvent", """{"__type":"x#ThrottlingException","message":"x"}""", ErrorKind.RateLimit)]
    [InlineData("", """{"throttlingException":{"message":"x"}}""", ErrorKind.RateLimit)]
    [InlineData("invalidStateEvent", """{"reason":"INVALID_TASK_ASSIST_PLAN","message":"x"}""", ErrorKind.InvalidRequest)]
    public void ErrorInAnOrdinaryEvent_IsAnError(string name, string json, ErrorKind kind) => Assert.Equal(kind, Record(new KiroEvent(name, json)).Error?.Kind);

    [Theory]
    [InlineData("{\"content\":\"a\"")]
    [InlineData("{\"content\":\"a\"} x")]
    [InlineData("nonsense")]
    public void BrokenPayload_Fails_AndNothingOfItIsTold(string json)
    {
        SinkRecorder record = Record(new KiroEvent("assistantResponseEvent", json));
        Assert.Equal(ErrorKind.BadGateway, record.Error?.Kind);
        Assert.Empty(record.Blocks);
    }

    [Theory]
    [InlineData("""{"message":"The model is busy","reason":"MODEL_TEMPORARILY_UNAVAILABLE"}""", ErrorKind.Overloaded)]
    [InlineData("""{"Output":{"__type":"x#AccessDeniedException"}}""", ErrorKind.ServerError)]
    [InlineData("<html>", ErrorKind.ServerError)]
    [InlineData("", ErrorKind.BadGateway)]
    public void WholeBody_IsAnError(string body, ErrorKind kind)
    {
        var record = new SinkRecorder();
        Protocol.CreateReader(record).ReadWhole(Encoding.UTF8.GetBytes(body));
        Assert.Equal(kind, record.Error?.Kind);
    }

    [Fact]
    public void Usage_IsTheServicesOwnCount()
    {
        SinkRecorder record = Record(Text("a"), new KiroEvent("contextUsageEvent", """{"contextUsagePercentage":50}"""),
            new KiroEvent("metadataEvent", """{"tokenUsage":{"uncachedInputTokens":41,"outputTokens":58,"totalTokens":1299,"cacheReadInputTokens":1200,"cacheWriteInputTokens":7}}"""));
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, CacheWrite = 7, Output = 58 }, record.Total);
    }

    [Fact]
    public void Usage_ElseItIsTheShareOfTheWindow()
    {
        var record = new SinkRecorder();
        var reader = (KiroResponseReader)Protocol.CreateReader(record, Asking("claude-sonnet-5[1m]"));
        foreach (KiroEvent one in (KiroEvent[])[Text(new string('x', 400)), new("contextUsageEvent", """{"contextUsagePercentage":2.5}"""), new("meteringEvent", """{"usage":0.25,"unit":"credit"}""")]) Push(reader, one);
        reader.Complete();
        Assert.Equal(new TokenUsage { Input = 24_900, Output = 100 }, record.Total);
        Assert.True(reader.IsUsageEstimated);
        Assert.Equal(0.25, reader.Credits);
    }

    [Fact]
    public void Usage_TheShareMayStandBesideEmptyCounts_AndTheShortestAnswerIsAToken()
    {
        var record = new SinkRecorder();
        var reader = (KiroResponseReader)Protocol.CreateReader(record, Asking("claude-sonnet-5[1m]"));
        foreach (KiroEvent one in (KiroEvent[])[Text("x"), new("metadataEvent", """{"tokenUsage":{"uncachedInputTokens":0,"outputTokens":0,"totalTokens":0,"contextUsagePercentage":1}}""")]) Push(reader, one);
        reader.Complete();
        Assert.Equal(new TokenUsage { Input = 9_999, Output = 1 }, record.Total);
    }

    [Fact]
    public void Usage_ElseItIsGuessed()
    {
        SinkRecorder record = Record(Asking(), Text("日本日本日本"), new KiroEvent("metadataEvent", """{"tokenUsage":{"uncachedInputTokens":0,"outputTokens":0,"totalTokens":0}}"""));
        Assert.Equal(new TokenUsage { Input = TokenEstimator.Estimate(Asking()), Output = 4 }, record.Total);
    }

    [Theory]
    [InlineData("""{"contextUsagePercentage":-1}""")]
    [InlineData("""{"contextUsagePercentage":1e300}""")]
    [InlineData("""{"contextUsagePercentage":"x"}""")]
    public void SenselessShare_IsNoShare(string json) => Assert.Equal(TokenEstimator.Estimate(Asking()), Record(Asking(), Text("a"), new KiroEvent("contextUsageEvent", json)).Total.Input);

    [Fact]
    public void NothingIsToldAfterTheEnd()
    {
        var record = new SinkRecorder();
        IResponseReader reader = Protocol.CreateReader(record);
        Push(reader, Text("a"));
        reader.Complete();
        int lines = record.Lines.Count;
        Push(reader, Text("b"));
        Push(reader, Exception("throttlingException", "{}"));
        reader.ReadWhole("{}"u8);
        reader.Complete();
        Assert.Equal(lines, record.Lines.Count);
    }
}
