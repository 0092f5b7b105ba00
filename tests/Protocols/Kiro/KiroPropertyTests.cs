using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using FsCheck;
using FsCheck.Fluent;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Whatever the history, what is written keeps every rule; whatever the upstream sends, the reader keeps to the sink's contract.</summary>
public sealed class KiroPropertyTests
{
    private static readonly FsCheck.Config s_config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(400);

    private static Arbitrary<int> Seeds => Gen.Choose(0, 10_000_000).ToArbitrary();

    [Fact]
    public void AnyHistory_KeepsTheRules_OrIsRefusedWithItsPath()
    {
        int written = 0;
        Prop.ForAll(Seeds, seed =>
        {
            try
            {
                KiroWire.Write(KiroRandom.Request(seed));
                written++;
            }
            catch (ProtocolException refused)
            {
                Assert.False(string.IsNullOrEmpty(refused.Error.Param), $"{seed}: {refused.Message}");
            }
        }).Check(s_config);
        Assert.InRange(written, 300, 400);
    }

    /// <summary>Nothing that was said is lost, and no call or result.</summary>
    [Fact]
    public void ClientsHistory_IsKept() => Prop.ForAll(Seeds, seed =>
    {
        ChatRequest request = RandomRequest.Make(seed) with { Model = KiroWire.Model };
        string body = KiroWire.Write(request).GetRawText();
        foreach (TextPart text in request.Turns.SelectMany(turn => turn.Parts).SelectMany(part => part is ToolResultPart result ? result.Content : [part]).OfType<TextPart>())
        {
            string inner = KiroWire.Token(text.Text.ToString())[1..^1];
            Assert.Contains(inner, body, StringComparison.Ordinal);
        }
        foreach (ToolCallPart call in request.Turns.SelectMany(turn => turn.Parts).OfType<ToolCallPart>())
            Assert.Contains($"\"input\":{Encoding.UTF8.GetString(call.Arguments.Span)}", body, StringComparison.Ordinal);
    }).Check(s_config.WithMaxTest(150));

    /// <summary>A conversation that goes on keeps what was sent before, or prompt caches never hit.</summary>
    [Fact]
    public void LongerConversation_BeginsLikeTheShorter() => Prop.ForAll(Seeds, seed =>
    {
        ChatRequest request = RandomRequest.Make(seed) with { Model = KiroWire.Model };
        ChatRequest longer = request with { Turns = [.. request.Turns, Assistant(new TextPart("Well.")), User(new TextPart("And?"))] };
        JsonElement before = KiroWire.Write(request).At("conversationState"), after = KiroWire.Write(longer).At("conversationState");
        Assert.Equal(before.Text("conversationId"), after.Text("conversationId"));
        string[] old = before.TryGetProperty("history", out JsonElement list) ? [.. list.EnumerateArray().Select(message => message.GetRawText())] : [];
        Assert.Equal(old, after.At("history").EnumerateArray().Take(old.Length).Select(message => message.GetRawText()));
    }).Check(s_config.WithMaxTest(100));

    [Fact]
    public void LongConversation_KeepsTheRules()
    {
        var turns = new List<Turn>();
        for (int at = 0; at < 100; at++)
        {
            turns.Add(at == 0 ? User(new TextPart("Begin.")) : User(Result($"c{at - 1}", "read", new TextPart($"{at} {new string('x', 4_000)}"))));
            turns.Add(Assistant(new TextPart($"step {at}"), Call($"c{at}", at % 2 == 0 ? "read" : "mcp.server/" + new string('n', 70), $"{{\"n\":{at}}}")));
        }
        ChatRequest request = Request(KiroWire.Model, [.. turns, User(new TextPart("Enough."))]) with { Tools = [Tool("read")], System = [new TextPart("Be brief.")] };
        JsonElement body = KiroWire.Write(request);
        Assert.InRange(body.GetRawText().Length, 400_000, 600_000);
        Assert.Equal(202, body.At("conversationState.history").GetArrayLength());
    }

    /// <summary>Answers as the service says them come back: texts, thoughts, calls with their arguments, proofs.</summary>
    [Fact]
    public void RandomAnswer_ComesBack() => Prop.ForAll(RandomConversation.Answers().ToArbitrary(), answer =>
    {
        var wire = new KiroEventWriter();
        SinkRecorder told = new(), read = new();
        answer.Play(wire);
        answer.Play(told);
        KiroWire.Read(read, wire.Events, KiroWire.Asking());
        Assert.NotNull(read.Finished);
        Assert.Equal(told.Text(BlockKind.Text), read.Text(BlockKind.Text));
        Assert.Equal(told.Text(BlockKind.Thinking), read.Text(BlockKind.Thinking));
        Assert.Equal(Calls(told), Calls(read));
        Assert.Equal(Calls(told).Count > 0 ? FinishReason.ToolUse : FinishReason.EndTurn, read.Finished);
    }).Check(s_config.WithMaxTest(200));

    /// <summary>A random answer, damaged: events lost, doubled, in another order, their bytes changed. The reader throws nothing that it does not declare, and
    /// clients of all protocols get a stream of their grammar.</summary>
    [Fact]
    public void DamagedAnswer_IsReadOrFails_AndStaysLegalForEveryClient() => Prop.ForAll(RandomConversation.Answers().ToArbitrary(), answer =>
    {
        var wire = new KiroEventWriter();
        answer.Play(wire);
        var random = new Random(answer.Seed);
        List<KiroEvent> events = Damage(wire.Events, random);
        foreach (ChatRequest request in (ChatRequest[])[KiroWire.Asking(), KiroWire.Asking("claude-sonnet-4.5") with { Reasoning = new ReasoningRequest { Budget = 2000 }, Output = new OutputFormat(null), ParallelTools = false }])
        {
            KiroWire.Read(new SinkRecorder(), events, request);
            foreach (Speech client in Speech.All) ReadFor(client, events, request);
        }
    }).Check(s_config.WithMaxTest(150));

    [Fact]
    public void RandomBytes_AreNeverMoreThanAFailure()
    {
        var random = new Random(7);
        string[] names = ["assistantResponseEvent", "toolUseEvent", "metadataEvent", "", "reasoningContentEvent", "contextUsageEvent"];
        for (int round = 0; round < 3000; round++)
        {
            byte[] data = new byte[random.Next(40)];
            random.NextBytes(data);
            if (random.Next(2) == 0) data = [.. "{\"content\":\""u8, .. data, .. "\"}"u8];
            var record = new SinkRecorder();
            IResponseReader reader = KiroWire.Protocol.CreateReader(record);
            var frame = new Frame { Event = Encoding.UTF8.GetBytes(names[round % names.Length]), Data = data, IsException = random.Next(9) == 0 };
            reader.Read(in frame);
            reader.Complete();
            Assert.True(record.HasEnded);
            Assert.NotNull(KiroWire.Protocol.ReadError(random.Next(300, 600), data));
            record = new SinkRecorder();
            KiroWire.Protocol.CreateReader(record).ReadWhole(data);
            Assert.NotNull(record.Error);
        }
    }

    private static void ReadFor(Speech client, List<KiroEvent> events, ChatRequest request)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = client.Client.CreateWriter(output, Wire.Options(request: request));
        var watch = new Watch(new WholeCharacters(writer), TimeProvider.System);
        KiroWire.Read(watch, events, request);
        if (watch.Failure is { } failure) writer.Fail(failure);
        Assert.True(watch.IsFinished || watch.Failure is not null);
        ConversationAnswerTests.CheckStream(client, output.WrittenSpan.ToArray());
    }

    private static List<KiroEvent> Damage(List<KiroEvent> events, Random random)
    {
        List<KiroEvent> damaged = [.. events];
        for (int times = random.Next(1, 5); times > 0 && damaged.Count > 1; times--)
        {
            int at = random.Next(damaged.Count);
            switch (random.Next(6))
            {
                case 0: damaged.RemoveAt(at); break;
                case 1: damaged.Insert(at, damaged[random.Next(damaged.Count)]); break;
                case 2: damaged.RemoveRange(at, damaged.Count - at); break;
                case 3: (damaged[at], damaged[0]) = (damaged[0], damaged[at]); break;
                case 4: damaged.Insert(at, KiroWire.Exception("throttlingException", "{}")); break;
                default: damaged[at] = damaged[at] with { Json = Encoding.Latin1.GetString(Wire.Mutate(Encoding.UTF8.GetBytes(damaged[at].Json + "  "), random)) }; break;
            }
        }
        return damaged;
    }

    private static List<string> Calls(SinkRecorder recorder) =>
        [.. recorder.Blocks.Where(block => block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall)
            .Select(block => $"{block.Id} {block.Name} {(block.Kind == BlockKind.CustomToolCall ? $$"""{"input":"{{block.Raw}}"}""" : block.Text == "{}" ? "" : block.Text)}").Order(StringComparer.Ordinal)];
}
