using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols;

public sealed class ProofReplayTests
{
    private readonly ProofCache _cache = new(new FakeClock());

    [Fact]
    public void ChatHistory_GetsThinkingBackBeforeItsCall()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "first", SealKind.Thinking, "c2lnMQ==");
            Text(sink, 1, "let me look");
            Thinking(sink, 2, "second", SealKind.Thinking, "c2lnMg==");
            Call(sink, 3, "c1");
            Call(sink, 4, "c2");
        });
        ChatRequest request = Replay(new ThinkingPart("first"), new TextPart("let me look"), CallPart("c1"), CallPart("c2"));
        Assert.Equal(["think first c2lnMQ==", "text let me look", "think second c2lnMg==", "call c1 ", "call c2 "], Parts(request));
    }

    [Fact]
    public void GeminiSignatures_ComeBackOnTheirCalls()
    {
        Record(sink =>
        {
            sink.BlockStart(0, BlockKind.ToolCall, "c1"u8, "f"u8);
            sink.BlockSeal(0, SealKind.Thought, "\"Zmlyc3Q=\""u8);
            sink.BlockEnd(0);
            Call(sink, 1, "c2");
        });
        Assert.Equal(["call c1 Zmlyc3Q=", "call c2 "], Parts(Replay(CallPart("c1"), CallPart("c2"))));
        ToolCallPart own = CallPart("c1") with { Seal = new Seal(SealKind.Thought, "", "b3du") };
        Assert.Equal(["call c1 b3du"], Parts(Replay(own)));
    }

    [Fact]
    public void ProofOfTheClients_IsLeftAlone()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "cached", SealKind.Thinking, "YQ==");
            Call(sink, 1, "c1");
        });
        var own = new ThinkingPart("own") { Seal = new Seal(SealKind.Thinking, "", "b3du") };
        Assert.Equal(["think own b3du", "call c1 "], Parts(Replay(own, CallPart("c1"))));
    }

    [Fact]
    public void RedactedAndEncrypted_KeepTheirIssuer()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "", SealKind.Redacted, "cmVk");
            Thinking(sink, 1, "summary", SealKind.Encrypted, "ZW5j");
            Call(sink, 2, "c1");
        });
        ThinkingPart[] parts = [.. Replay(CallPart("c1")).Turns[0].Parts.OfType<ThinkingPart>()];
        Assert.True(parts[0].IsRedacted);
        Assert.Equal(SealEnvelope.Anthropic, parts[0].Seal!.Issuer);
        Assert.False(parts[1].IsRedacted);
        Assert.Equal("upstream-1", parts[1].Seal!.Issuer);
    }

    [Fact]
    public void ItemReference_WithoutACall_IsResolved_OnceAnAnswer()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "a", SealKind.Encrypted, "YQ==");
            Thinking(sink, 1, "b", SealKind.Encrypted, "Yg==");
            Text(sink, 2, "answer");
        });
        ChatRequest request = Replay(Reference($"rs_{Wire.Seed}0"), Reference($"rs_{Wire.Seed}1"), new TextPart("answer"));
        Assert.Equal(["think a YQ==", "think b Yg==", "text answer"], Parts(request));
    }

    [Fact]
    public void ItemReference_BeforeACall_GivesWayToTheCallsOwn()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "a", SealKind.Encrypted, "YQ==");
            Call(sink, 1, "c1");
        });
        Assert.Equal(["think a YQ==", "call c1 "], Parts(Replay(Reference($"rs_{Wire.Seed}0"), CallPart("c1"))));
    }

    [Theory]
    [InlineData("rs_0123456789012345678901230")]
    [InlineData("rs_short")]
    public void UnknownReasoningReference_GoesAway(string id) => Assert.Equal(["text answer"], Parts(Replay(Reference(id), new TextPart("answer"))));

    [Fact]
    public void OtherReference_Stays_ForTheWriterToRefuse()
    {
        ChatRequest request = Replay(Reference("msg_1"), new TextPart("answer"));
        Assert.IsType<ForeignPart>(request.Turns[0].Parts[0]);
    }

    [Fact]
    public void AnotherClientsCall_IsNotKnown_AndNothingChanges()
    {
        Record(sink =>
        {
            Thinking(sink, 0, "a", SealKind.Thinking, "YQ==");
            Call(sink, 1, "c1");
        });
        ChatRequest request = Request(CallPart("c1"));
        Assert.Same(request, ProofReplay.WithProofs(request, key => _cache.Find("bob", key)));
    }

    [Fact]
    public void CutAnswer_KeepsTheCallsThatWereWhole_ButNoCutThinking()
    {
        var recorder = new ProofRecorder(new SinkRecorder(), _cache, "alice", "upstream-1", null);
        recorder.Start(default, default);
        Thinking(recorder, 0, "a", SealKind.Thinking, "YQ==");
        Call(recorder, 1, "c1");
        recorder.BlockStart(2, BlockKind.Thinking);
        recorder.BlockDelta(2, "\"half\""u8);
        recorder.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
        Assert.Equal(["a"], _cache.Find("alice", "c1")!.Thinking.Select(part => part.Text.ToString()));
        Assert.Equal(1, _cache.Count);
    }

    [Fact]
    public void CallWithoutId_GetsOne_AndIsFoundByIt()
    {
        SinkRecorder told = new();
        var recorder = new ProofRecorder(told, _cache, "alice", "upstream-1", Wire.Seed);
        recorder.Start(default, default);
        Call(recorder, 0, "c1");
        Thinking(recorder, 1, "a", SealKind.Thinking, "YQ==");
        Call(recorder, 2, "");
        recorder.Finish(FinishReason.ToolUse);
        Assert.Equal($"call_{Wire.Seed}1", told.Blocks[2].Id);
        Assert.NotNull(_cache.Find("alice", told.Blocks[2].Id));
    }

    [Fact]
    public void Recorder_ChangesNothingOfTheAnswer()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            SinkRecorder plain = new(), recorded = new();
            RandomAnswer.Play(plain, new Random(seed));
            RandomAnswer.Play(new ProofRecorder(recorded, _cache, "", "u", null), new Random(seed));
            Assert.Equal(plain.Lines, recorded.Lines);
        }
    }

    private void Record(Action<IResponseSink> blocks)
    {
        var recorder = new ProofRecorder(new SinkRecorder(), _cache, "alice", "upstream-1", Wire.Seed);
        recorder.Start("up"u8, "m"u8);
        blocks(recorder);
        recorder.Finish(FinishReason.EndTurn);
    }

    private ChatRequest Replay(params Part[] parts) => ProofReplay.WithProofs(Request(parts), key => _cache.Find("alice", key));

    private static ChatRequest Request(params Part[] parts) => new() { Model = "m", Turns = [new Turn(TurnRole.Assistant, parts)] };

    private static ToolCallPart CallPart(string id) => new(id, "f", "{}"u8.ToArray());

    private static ForeignPart Reference(string id)
    {
        using JsonDocument document = JsonDocument.Parse($$"""{"type":"item_reference","id":"{{id}}"}""");
        return new ForeignPart("responses", "item_reference", document.RootElement.Clone());
    }

    private static IEnumerable<string> Parts(ChatRequest request) => request.Turns[0].Parts.Select(part => part switch
    {
        ThinkingPart thinking => $"think {thinking.Text} {thinking.Seal?.Value}",
        ToolCallPart call => $"call {call.Id} {call.Seal?.Value}",
        TextPart text => $"text {text.Text}",
        _ => part.GetType().Name,
    });

    private static void Thinking(IResponseSink sink, int key, string text, SealKind kind, string seal)
    {
        sink.BlockStart(key, BlockKind.Thinking);
        sink.BlockDelta(key, RawJson.Encode(text));
        sink.BlockSeal(key, kind, RawJson.Encode(seal));
        sink.BlockEnd(key);
    }

    private static void Text(IResponseSink sink, int key, string text)
    {
        sink.BlockStart(key, BlockKind.Text);
        sink.BlockDelta(key, RawJson.Encode(text));
        sink.BlockEnd(key);
    }

    private static void Call(IResponseSink sink, int key, string id)
    {
        sink.BlockStart(key, BlockKind.ToolCall, System.Text.Encoding.UTF8.GetBytes(id), "f"u8);
        sink.BlockDelta(key, "\"{}\""u8);
        sink.BlockEnd(key);
    }
}
