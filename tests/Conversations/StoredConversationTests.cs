using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Balancer;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.EventStream;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Conversations;

/// <summary>Answers of the corpus kept for <c>previous_response_id</c>: what is kept is what the stream said, and the next request goes on where it ended.</summary>
public sealed class StoredConversationTests
{
    private static readonly OpenAIResponsesProtocol s_responses = new(new OpenAIResponsesTraits { WebSearch = true });

    public static TheoryData<string> Answers => [.. ConversationCase.Names.Where(name => Told(ConversationCase.Load(name)) is { Error: null })];

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task WholeTwin_OfAStream_IsItsTerminalResponse(string name)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        ArrayBufferWriter<byte> sse = new(), whole = new();
        conversation.Play(new Tee(
            s_responses.CreateWriter(sse, Wire.Options(stream: true, request: conversation.Request)),
            s_responses.CreateWriter(whole, Wire.Options(stream: false, request: conversation.Request))));
        List<KeptFrame> frames = await FrameList.ReadAllAsync(new SseReader(ScriptedPipe.Whole(sse.WrittenSpan.ToArray())));
        using JsonDocument terminal = JsonDocument.Parse(Encoding.Latin1.GetBytes(frames[^1].Data)), twin = JsonDocument.Parse(whole.WrittenMemory);
        Assert.Equal(twin.RootElement.GetRawText(), terminal.RootElement.GetProperty("response").GetRawText());
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void NextRequest_GoesOnWhereTheAnswerEnded(string name)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        ArrayBufferWriter<byte> body = new(), answer = new();
        s_responses.WriteRequest(body, conversation.Request with { Model = "gpt-5.5" });
        conversation.Play(s_responses.CreateWriter(answer, Wire.Options(stream: false, request: conversation.Request)));
        (string id, long created, byte[] output) = OpenAIResponsesConversation.Answer(answer.WrittenSpan)!.Value;
        var store = new ResponseStore(new FakeClock());
        store.Put("alice", new StoredResponse(id, created, OpenAIResponsesConversation.InputItems(body.WrittenSpan), output, answer.WrittenSpan.ToArray()));

        byte[] next = Encoding.UTF8.GetBytes($$"""{"model":"gpt-5.5","previous_response_id":"{{id}}","input":"go on"}""");
        Assert.True(store.TryGet("alice", OpenAIResponsesConversation.PreviousId(next)!, out StoredResponse? stored));
        byte[] expanded = OpenAIResponsesConversation.Expand(next, stored.Input, stored.Output);

        ChatRequest before = Read(body.WrittenMemory.ToArray()), after = Read(expanded);
        SinkRecorder told = Told(conversation)!;
        Assert.Empty(after.Untranslatable);
        Assert.Equal([.. Calls(before), .. Calls(told, conversation.Request)], Calls(after));
        Assert.Equal("go on", Assert.IsType<TextPart>(after.Turns[^1].Parts[^1]).Text.ToString());
        string[] said = [.. after.Turns.Skip(before.Turns.Count - 1).SelectMany(turn => turn.Parts).OfType<TextPart>().Select(part => part.Text.ToString())];
        Assert.EndsWith(told.Text(BlockKind.Text) + "go on", string.Concat(said));
    }

    private static SinkRecorder? Told(ConversationCase conversation)
    {
        if (!conversation.HasAnswer) return null;
        SinkRecorder recorder = new();
        conversation.Play(recorder);
        return recorder;
    }

    private static ChatRequest Read(byte[] body)
    {
        JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 256 });
        return s_responses.ReadRequest(document.RootElement, s_responses.ReadHead(new RequestTarget(Operation.Generate), "", body));
    }

    private static IEnumerable<string> Calls(ChatRequest request) =>
        request.Turns.SelectMany(turn => turn.Parts).OfType<ToolCallPart>().Select(call => $"{ToolNames.Flat(call.Namespace, call.Name)} {call.Id}");

    private static IEnumerable<string> Calls(SinkRecorder? told, ChatRequest request)
    {
        ToolNames names = ToolNames.Of(request);
        RecordedBlock[] calls = [.. told!.Blocks.Where(block => block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall)];
        return calls.Select((call, i) => $"{(names.Find(call.Name) is { } tool ? ToolNames.Flat(tool) : call.Name)} {(call.Id.Length > 0 ? call.Id : $"call_{Wire.Seed}{i}")}");
    }
}
