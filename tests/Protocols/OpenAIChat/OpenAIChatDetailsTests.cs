using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

/// <summary>Reasoning that a Chat server wants back unchanged: through a client of another protocol and back to the server.</summary>
public sealed class OpenAIChatDetailsTests
{
    private const string Upstream = "upstream-1";

    private static readonly string s_openRouter = Sse.Chat(
        "\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"First \",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"First \",\"format\":\"anthropic-claude-v1\",\"index\":0}]",
        "\"reasoning\":\"Oslo.\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"Oslo.\",\"format\":\"anthropic-claude-v1\",\"index\":0}]",
        "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"c2ln\",\"format\":\"anthropic-claude-v1\",\"index\":0}]",
        "\"content\":\"I look.\",\"reasoning_details\":[]",
        "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"ZmFrZQ==\",\"id\":\"call_1\",\"index\":1}]," + Sse.Call(0, "call_1", "f", "{}"),
        Sse.Finish("tool_calls"));

    private const string OpenRouterBack = """
        [{"type":"reasoning.text","text":"First Oslo.","format":"anthropic-claude-v1","index":0,"signature":"c2ln"},{"type":"reasoning.encrypted","data":"ZmFrZQ==","id":"call_1","index":1}]
        """;

    private static readonly string s_liteLlm = Sse.Chat(
        "\"reasoning_content\":\"First \",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"First \",\"signature\":\"\"}]",
        "\"reasoning_content\":\"Oslo.\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"Oslo.\",\"signature\":\"\"}]",
        "\"reasoning_content\":\"\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"c2ln\"}]",
        "\"thinking_blocks\":[{\"type\":\"redacted_thinking\",\"data\":\"cmVk\"}]",
        Sse.Call(0, "call_1", "f", "{}"),
        Sse.Finish("tool_calls"));

    private const string LiteLlmBack = """
        [{"type":"thinking","thinking":"First Oslo.","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"}]
        """;

    /// <summary>The answer as a client gets it, with the upstream's name on what only it can read.</summary>
    private static JsonElement Answer(string sse, string client)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = Speech.Of(client).Client.CreateWriter(output, Wire.Options(stream: false, request: RequestTexts.Request("m") with { Reasoning = new ReasoningRequest { Visible = true } }));
        ConversationAnswerTests.ReadStream(Speech.Of("openai").Upstream, new WholeCharacters(new SealIssuer(writer, Upstream)), [Encoding.UTF8.GetBytes(sse)]);
        return RequestTexts.Json(Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>The client's next request, with that answer in its history.</summary>
    private static string History(string client, JsonElement answer) => client switch
    {
        "anthropic" => $$"""{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":{{answer.At("content").GetRawText()}} },{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"12"}]}]}""",
        "responses" => $$"""{"input":[{"role":"user","content":"q"},{{answer.At("output").GetRawText()[1..^1]}},{"type":"function_call_output","call_id":"call_1","output":"12"}]}""",
        _ => $$"""{"contents":[{"role":"user","parts":[{"text":"q"}]},{{answer.At("candidates.0.content").GetRawText()}},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"12"} } }]}]}""",
    };

    private static JsonElement Message(string client, string history, string upstream = Upstream) =>
        Request(client, history, new OpenAIChatProtocol(new OpenAIChatTraits { Issuer = upstream })).At("messages").EnumerateArray().Single(message => message.Text("role") == "assistant");

    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void Details_ComeBackUnchanged_ToTheirServerAlone(string client)
    {
        string history = History(client, Answer(s_openRouter, client));
        Same(OpenRouterBack, Message(client, history).At("reasoning_details"));
        Assert.False(Message(client, history, "upstream-2").Has("reasoning_details"));
        foreach (string other in (string[])["anthropic", "responses", "gemini"]) Assert.DoesNotContain("ZmFrZQ", Request(client, history, other).GetRawText());
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void ThinkingBlocks_ComeBackUnchanged(string client)
    {
        string history = History(client, Answer(s_liteLlm, client));
        Same(LiteLlmBack, Message(client, history).At("thinking_blocks"));
        Assert.False(Message(client, history).Has("reasoning_details"));
    }

    [Fact]
    public void ReasoningText_IsToldOnce_AndTheProofStandsBeforeItsCall()
    {
        JsonElement content = Answer(s_openRouter, "anthropic").At("content");
        Assert.Equal(["thinking", "text", "thinking", "tool_use"], content.EnumerateArray().Select(block => block.Text("type")));
        Assert.Equal(("First Oslo.", ""), (content.Text("0.thinking"), content.Text("2.thinking")));
        SealEnvelope.Unwrap(content.Text("2.signature"))!.Value.Seal.Deconstruct(out SealKind kind, out string issuer, out _);
        Assert.Equal((SealKind.Details, true), (kind, SealEnvelope.IsIssuer(issuer, Upstream)));
        Assert.Equal("First Oslo.", Answer(s_liteLlm, "anthropic").Text("content.0.thinking"));
    }

    [Fact]
    public void TextThatOnlyTheBlocksHave_IsTold()
    {
        string whole = """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x","thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"c2ln"}]},"finish_reason":"stop"}]}""";
        Assert.Equal("hm", Whole("openai", whole, "anthropic").Text("content.0.thinking"));
    }

    /// <summary>Entries of one array are what the server made them.</summary>
    [Fact]
    public void WholeAnswer_KeepsEachEntry()
    {
        const string Entries = """[{"type":"reasoning.text","text":"a"},{"type":"reasoning.text","text":"b","index":0},{"type":"reasoning.text","text":"c","index":0},{"type":"x","n":1.50}]""";
        string whole = $$"""{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x","reasoning_details":{{Entries}} },"finish_reason":"stop"}]}""";
        SinkRecorder told = Wire.ReadWhole(Speech.Of("openai").Upstream, whole);
        Assert.Equal("Details {\"reasoning_details\":" + Entries + "}", told.Blocks[0].Seal);
        Same(Entries, Whole("openai", whole, "openai").At("choices.0.message.reasoning_details"));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"reasoning_details\":")]
    [InlineData("{\"reasoning_details\":{\"a\":1},\"role\":\"system\",\"thinking_blocks\":[1,null]}")]
    [InlineData("{\"reasoning_details\":[{\"type\":x}]}")]
    [InlineData("{\"reasoning_details\":[{\"type\":1}}")]
    [InlineData("[1]")]
    public void ProofThatSomebodyMadeUp_AddsNothing(string value)
    {
        string signature = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, Upstream, value));
        string history = $$"""{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"{{signature}}"},{"type":"text","text":"a"}]},{"role":"user","content":"r"}]}""";
        Assert.Equal(["role", "content"], Message("anthropic", history).EnumerateObject().Select(member => member.Name));
    }

    /// <summary>A Chat client has no place for another provider's proofs: what was recorded comes back with the call.</summary>
    [Fact]
    public void RecordedDetails_GoBackToTheirServer()
    {
        var cache = new ProofCache(new FakeClock());
        var recorder = new ProofRecorder(new SinkRecorder(), cache, "client", Upstream, Wire.Seed);
        ConversationAnswerTests.ReadStream(Speech.Of("openai").Upstream, recorder, [Encoding.UTF8.GetBytes(s_openRouter)]);
        ChatRequest history = Read("responses", """{"input":["q",{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"12"}]}""");
        ChatRequest replayed = ProofReplay.WithProofs(history, key => cache.Find("client", key));
        JsonElement body = RequestTexts.Write(new OpenAIChatProtocol(new OpenAIChatTraits { Issuer = Upstream }), replayed);
        Same(OpenRouterBack, body.At("messages.1.reasoning_details"));
    }
}
