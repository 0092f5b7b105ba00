using System.Buffers;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Kiro;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.Conversations;

/// <summary>The corpus with Kiro as the upstream: each request keeps its rules and is golden; each answer, said in its events, comes back, is golden, and reaches
/// clients of all four protocols in their grammar.</summary>
public sealed class KiroConversationTests
{
    private const string Model = "claude-sonnet-5";

    public static TheoryData<string> Requests => [.. ConversationCase.Names];

    public static TheoryData<string> Answers => [.. ConversationCase.Names.Where(name => ConversationCase.Load(name).HasAnswer)];

    [Theory]
    [MemberData(nameof(Requests))]
    public void Request_KeepsTheRules_AndIsGolden(string name)
    {
        ChatRequest request = ConversationCase.Load(name).Request with { Model = Model };
        byte[] golden;
        try
        {
            golden = Encoding.UTF8.GetBytes(KiroWire.Write(request).GetRawText());
        }
        catch (ProtocolException refused)
        {
            golden = Encoding.UTF8.GetBytes($"refused: {refused.Error.Kind} {refused.Error.Param}: {refused.Error.Message}\n");
        }
        Golden.Check($"{name}.kiro.request.golden", golden);
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answer_ComesBack_AndIsGolden(string name)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        List<KiroEvent> events = Said(conversation);
        SinkRecorder told = new(), read = new();
        conversation.Play(told);
        KiroWire.Read(read, events, Asked(conversation));
        Assert.Equal(told.Error is null, read.Error is null);
        Assert.Equal(told.Text(BlockKind.Text) + told.Text(BlockKind.Refusal), read.Text(BlockKind.Text));
        Assert.Equal(told.Text(BlockKind.Thinking), read.Text(BlockKind.Thinking));
        Golden.Check($"{name}.kiro.answer.golden", Encoding.UTF8.GetBytes($"{string.Join('\n', events)}\n---\n{string.Join('\n', read.Lines)}\n"));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answer_ReachesEveryClient(string name)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        ChatRequest request = Asked(conversation);
        List<KiroEvent> events = Said(conversation);
        SinkRecorder told = new();
        KiroWire.Read(told, events, request);
        foreach (Speech client in Speech.All)
        {
            byte[] sse = Write(client, events, request, stream: true);
            StreamEnd end = ConversationAnswerTests.CheckStream(client, sse);
            // A call that is told as whole and is not can be said to some clients only.
            if (name == "truncated-call") continue;
            Assert.Equal(told.Error is null ? StreamEnd.Finished : StreamEnd.Failed, end);
            if (told.Error is not null) continue;
            SinkRecorder streamed = new(), whole = new();
            ConversationAnswerTests.ReadStream(client.Upstream, streamed, sse);
            client.Upstream.CreateReader(whole).ReadWhole(Write(client, events, request, stream: false));
            Assert.Equal(told.Text(BlockKind.Text), streamed.Text(BlockKind.Text));
            Assert.Equal(told.Text(BlockKind.Text), whole.Text(BlockKind.Text));
            Assert.Equal(told.Total.TotalInput, whole.Total.TotalInput);
        }
    }

    private static List<KiroEvent> Said(ConversationCase conversation)
    {
        ChatRequest request = Asked(conversation);
        ToolNames told = ToolNames.Of(request);
        KiroNames names = KiroNames.Of(request, new KiroLimits());
        // The corpus has the alias that other protocols are told.
        var wire = new KiroEventWriter(name => told.Find(name) is { } tool ? names.For(ToolNames.For(ToolNames.Flat(tool), int.MaxValue)) : name);
        conversation.Play(wire);
        return wire.Events;
    }

    private static ChatRequest Asked(ConversationCase conversation) => conversation.Request with { Model = Model };

    private static byte[] Write(Speech client, List<KiroEvent> events, ChatRequest request, bool stream)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = client.Client.CreateWriter(output, Wire.Options(stream, request: request));
        var watch = new Watch(new WholeCharacters(writer), TimeProvider.System);
        try
        {
            KiroWire.Read(watch, events, request);
            if (watch.Failure is { } failure) writer.Fail(failure);
        }
        catch (ProtocolException unsayable)
        {
            writer.Fail(unsayable.Error);
        }
        return output.WrittenSpan.ToArray();
    }
}
