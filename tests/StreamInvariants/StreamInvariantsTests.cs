using System.Text;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>The checkers accept streams that real clients accepted, and find each way of breaking one. A variant replaces the first occurrence of a text.</summary>
public sealed class StreamInvariantsTests
{
    private const string EmptyChunk = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"index\":0}]}\n\n";
    private const string GeminiError = "{\"error\":{\"code\":503,\"message\":\"cut\",\"status\":\"UNAVAILABLE\"}}";
    private const string ChatError = "data: {\"error\":{\"message\":\"cut\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";
    private const string AnthropicError = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut\"}}\n\n";
    private const string Ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

    [Theory]
    [InlineData("anthropic.sse")]
    [InlineData("openai.sse")]
    [InlineData("responses.sse")]
    [InlineData("gemini.sse")]
    [InlineData("gemini.json")]
    public void ValidTranscript_AnyNewline_Passes(string file)
    {
        string text = Fixture(file);
        foreach (string newline in new[] { "\n", "\r\n", "\r" }) Assert.Equal(StreamEnd.Finished, Check(file, text.Replace("\n", newline)));
    }

    [Theory]
    [InlineData("anthropic.sse", "event: message_start", Ping + ": c\n\nevent: message_start")]
    [InlineData("anthropic.sse", "event: message_delta", Ping + "event: message_delta")]
    [InlineData("anthropic.sse", "\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"max_tokens\"")]
    [InlineData("anthropic.sse", "lo\\\", \\\"unit\\\": \\\"c\\\"}", "")]
    [InlineData("openai.sse", "data: {", ": OPENROUTER PROCESSING\n\ndata: {")]
    [InlineData("openai.sse", "data: [DONE]", ": keepalive\n\ndata: [DONE]")]
    [InlineData("responses.sse", "event: response.created", ": keepalive\n\nevent: response.created")]
    [InlineData("gemini.sse", "data: {", EmptyChunk + "data: {")]
    [InlineData("gemini.json", ",\n", " \n  ,\n")]
    public void PermittedVariant_Passes(string file, string old, string replacement)
    {
        string text = Fixture(file);
        // Cut arguments are permitted where the stop_reason tells of a limit.
        if (replacement.Length == 0) text = text.Replace("\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"max_tokens\"");
        Assert.Equal(StreamEnd.Finished, Check(file, Once(text, old, replacement)));
    }

    [Theory]
    [InlineData("anthropic.sse", "event: content_block_stop", AnthropicError)]
    [InlineData("anthropic.sse", "event: message_start", AnthropicError)]
    [InlineData("openai.sse", "data: [DONE]", ChatError)]
    [InlineData("openai.sse", "data: {", ChatError)]
    [InlineData("gemini.sse", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]", GeminiError)]
    [InlineData("gemini.sse", "data: {", GeminiError + "\n\n")]
    [InlineData("gemini.json", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]", GeminiError + "]")]
    public void CutAndTold_IsAFailedStream(string file, string from, string error)
    {
        string text = Fixture(file);
        Assert.Equal(StreamEnd.Failed, Check(file, text[..text.IndexOf(from, StringComparison.Ordinal)] + error));
    }

    [Fact]
    public void ResponsesCutAndTold_IsAFailedStream_WithOpenItems()
    {
        string text = Fixture("responses.sse");
        int cut = text.IndexOf("event: response.output_text.done", StringComparison.Ordinal);
        const string Item = "{\"id\":\"rs_Demo\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"The user wants the weather. I should call the tool.\"}],\"encrypted_content\":\"gAAAAABdemo==\",\"status\":\"completed\"}";
        Assert.Equal(StreamEnd.Failed, Check("responses.sse", text[..cut] + Failed(Item, 13)));
        AssertFound("responses.sse", text[..cut] + Failed("", 13));
        AssertFound("responses.sse", text[..cut] + Failed(Item, 14));
        AssertFound("responses.sse", text[..cut] + Failed(Item, 13).Replace("server_error", ""));

        static string Failed(string items, int number) =>
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_Demo\",\"object\":\"response\",\"status\":\"failed\",\"model\":\"m\",\"output\":["
            + items + "],\"error\":{\"code\":\"server_error\",\"message\":\"cut\"},\"usage\":null},\"sequence_number\":" + number + "}\n\n";
    }

    [Fact]
    public void ResponsesKeepalive_CountsInOurStreams_NotInForwardedOnes()
    {
        const string Keepalive = "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":1}\n\n";
        string text = Once(Fixture("responses.sse"), "event: response.in_progress", Keepalive + "event: response.in_progress");
        AssertFound("responses.sse", text);
        Assert.Equal(StreamEnd.Finished, ResponsesStream.Check(Encoding.UTF8.GetBytes(text), forwarded: true));
        int at = text.IndexOf("event: response.in_progress", StringComparison.Ordinal);
        for (int number = 21; number >= 1; number--) text = text[..at] + text[at..].Replace($"\"sequence_number\":{number}}}", $"\"sequence_number\":{number + 1}}}");
        Assert.Equal(StreamEnd.Finished, Check("responses.sse", text));
        AssertFound("responses.sse", Keepalive.Replace("1}", "0}") + text);
    }

    [Theory]
    [InlineData("event: message_start", "data: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_start")]
    [InlineData("event: message_stop\n", "")]
    [InlineData("event: ping", "event: pong")]
    [InlineData("\"type\":\"ping\"", "\"type\":\"keepalive\"")]
    [InlineData("\"id\":\"msg_01Demo\",", "")]
    [InlineData("\"content\":[],", "\"content\":[{}],")]
    [InlineData("\"usage\":{\"input_tokens\":41,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":1200,\"cache_creation\"", "\"usages\":{\"cache_creation\"")]
    [InlineData("\"index\":0,\"content_block\"", "\"index\":1,\"content_block\"")]
    [InlineData("\"index\":1,\"content_block\"", "\"index\":2,\"content_block\"")]
    [InlineData("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", "")]
    [InlineData("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}\n\n", "")]
    [InlineData("{\"type\":\"content_block_stop\",\"index\":1}", "{\"type\":\"content_block_stop\",\"index\":0}")]
    [InlineData("\"type\":\"text_delta\"", "\"type\":\"thinking_delta\"")]
    [InlineData("\"index\":1,\"delta\"", "\"index\":0,\"delta\"")]
    [InlineData("{\"type\":\"thinking_delta\",\"thinking\":\"The user wants the weather.\"}", "{\"type\":\"signature_delta\",\"signature\":\"x\"}")]
    [InlineData("lo\\\", \\\"unit\\\": \\\"c\\\"}", "")]
    [InlineData("\"id\":\"toolu_01Demo\",", "")]
    [InlineData("\"name\":\"get_weather\"", "\"name\":\"\"")]
    [InlineData("\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"end_turn\"")]
    [InlineData("\"stop_reason\":\"tool_use\"", "\"stop_reason\":null")]
    [InlineData("\"output_tokens\":58", "\"outputs\":58")]
    [InlineData("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "")]
    [InlineData("{\"type\":\"message_stop\"}\n\n", "{\"type\":\"message_stop\"}\n")]
    [InlineData("{\"type\":\"message_stop\"}\n\n", "{\"type\":\"message_stop\"}\n\n: late\n\n")]
    [InlineData("{\"type\":\"message_stop\"}\n\n", "{\"type\":\"message_stop\"}\n\n" + Ping)]
    [InlineData("{\"type\":\"message_stop\"}\n\n", "{\"type\":\"message_stop\"}\n\ndata: [DONE]\n\n")]
    [InlineData("event: message_stop", AnthropicError + "event: message_stop")]
    [InlineData("event: ping\n", "event: ping\n: inside\n")]
    [InlineData("\"text\":\"Oslo.\"}}", "\"text\":\"Oslo.\"}")]
    [InlineData("data: {\"type\":\"ping\"}", "data: {\"type\":\ndata: \"ping\"}")]
    [InlineData("event: message_delta", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"b\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: message_delta")]
    public void BrokenAnthropicStream_IsFound(string old, string replacement) => AssertFound("anthropic.sse", Once(Fixture("anthropic.sse"), old, replacement));

    [Theory]
    [InlineData("\"role\":\"assistant\",", "")]
    [InlineData("\"content\":\"Oslo.\"", "\"role\":\"assistant\",\"content\":\"Oslo.\"")]
    [InlineData("\"id\":\"chatcmpl-Demo\"", "\"id\":\"chatcmpl-Other\"")]
    [InlineData("\"created\":1795000000", "\"created\":1795000001")]
    [InlineData("\"model\":\"gpt-6.1-sol\"", "\"model\":\"upstream\"")]
    [InlineData("\"object\":\"chat.completion.chunk\"", "\"object\":\"chat.completion\"")]
    [InlineData("{\"index\":0,\"id\":\"call_Demo\"", "{\"index\":1,\"id\":\"call_Demo\"")]
    [InlineData("\"id\":\"call_Demo\",", "")]
    [InlineData("\"type\":\"function\",", "")]
    [InlineData("\"name\":\"get_weather\",", "")]
    [InlineData("{\"index\":0,\"function\":{\"arguments\":\"lo", "{\"index\":0,\"id\":\"call_2\",\"function\":{\"arguments\":\"lo")]
    [InlineData("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"stop\"")]
    [InlineData("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"end_turn\"")]
    [InlineData("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":null")]
    [InlineData("\"finish_reason\":null", "\"finish_reason\":\"length\"")]
    [InlineData("{\"content\":\"Oslo.\"},\"logprobs\":null,\"finish_reason\":null", "{\"content\":\"Oslo.\"},\"logprobs\":null,\"finish_reason\":\"length\"")]
    [InlineData("\"choices\":[],\"usage\"", "\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\"")]
    [InlineData("\"total_tokens\":1299", "\"total_tokens\":1300")]
    [InlineData("\"usage\":{\"prompt_tokens\"", "\"usages\":{\"prompt_tokens\"")]
    [InlineData("\"choices\":[],", "")]
    [InlineData("data: [DONE]\n\n", "")]
    [InlineData("data: [DONE]\n\n", "data: [DONE]\n")]
    [InlineData("data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n")]
    [InlineData("data: [DONE]\n\n", "data: [DONE]\n\n: late\n\n")]
    [InlineData("data: [DONE]", ChatError + "data: [DONE]")]
    [InlineData("data: {", Ping + "data: {")]
    [InlineData("data: {", "data: {\"usage\":null}\n\ndata: {")]
    [InlineData("data: {", "event: chunk\ndata: {")]
    public void BrokenChatStream_IsFound(string old, string replacement) => AssertFound("openai.sse", Once(Fixture("openai.sse"), old, replacement));

    [Fact]
    public void ChatUsage_NotAskedFor_IsFound()
    {
        string text = Fixture("openai.sse");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => ChatStream.Check(Encoding.UTF8.GetBytes(text), usageAsked: false));
        int usage = text.IndexOf("\"choices\":[],", StringComparison.Ordinal);
        int start = text.LastIndexOf("data: ", usage, StringComparison.Ordinal), end = text.IndexOf("\n\n", usage, StringComparison.Ordinal) + 2;
        byte[] without = Encoding.UTF8.GetBytes(text.Remove(start, end - start));
        Assert.Equal(StreamEnd.Finished, ChatStream.Check(without, usageAsked: false));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => ChatStream.Check(without, usageAsked: true));
    }

    [Theory]
    [InlineData("event: response.created", "event: response.in_progress")]
    [InlineData("\"sequence_number\":0", "\"sequence_number\":1")]
    [InlineData("\"sequence_number\":7", "\"sequence_number\":8")]
    [InlineData(",\"sequence_number\":12", "")]
    [InlineData("\"output_index\":1,\"item\":{\"id\":\"msg_Demo\"", "\"output_index\":2,\"item\":{\"id\":\"msg_Demo\"")]
    [InlineData("\"item\":{\"id\":\"msg_Demo\"", "\"item\":{\"id\":\"rs_Demo\"")]
    [InlineData("\"item_id\":\"msg_Demo\"", "\"item_id\":\"msg_Other\"")]
    [InlineData("\"item_id\":\"fc_Demo\",\"output_index\":2,\"delta\"", "\"item_id\":\"fc_Demo\",\"output_index\":3,\"delta\"")]
    [InlineData("\"delta\":\"Oslo.\"", "\"delta\":\"Bergen.\"")]
    [InlineData("\"text\":\"Let me check Oslo.\",\"logprobs\"", "\"text\":\"Let me check\",\"logprobs\"")]
    [InlineData("\"part\":{\"type\":\"output_text\",\"text\":\"Let me check Oslo.\"", "\"part\":{\"type\":\"output_text\",\"text\":\"\"")]
    [InlineData("\"content\":[{\"type\":\"output_text\",\"text\":\"Let me check Oslo.\",\"annotations\":[],\"logprobs\":[]}]", "\"content\":[]")]
    [InlineData("\"arguments\":\"{\\\"city\\\": \\\"Oslo\\\", \\\"unit\\\": \\\"c\\\"}\"", "\"arguments\":\"{}\"")]
    [InlineData("\"arguments\":\"\",\"call_id\":\"call_Demo\",\"name\":\"get_weather\"", "\"arguments\":\"\",\"name\":\"get_weather\"")]
    [InlineData("\"arguments\":\"\",\"call_id\":\"call_Demo\",\"name\":\"get_weather\"", "\"arguments\":\"\",\"call_id\":\"call_2\",\"name\":\"get_weather\"")]
    [InlineData("\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\"", "\"content_index\":1,\"part\":{\"type\":\"output_text\",\"text\":\"\"")]
    [InlineData("\"summary_index\":0,\"delta\":\"The", "\"summary_index\":1,\"delta\":\"The")]
    [InlineData("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"", "event: response.refusal.delta\ndata: {\"type\":\"response.refusal.delta\"")]
    [InlineData("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"", "event: response.text.more\ndata: {\"type\":\"response.text.more\"")]
    [InlineData("\"type\":\"response.output_item.added\",\"output_index\":0", "\"type\":\"response.item.added\",\"output_index\":0")]
    [InlineData("\"usage\":{\"input_tokens\":1241", "\"usages\":{\"input_tokens\":1241")]
    [InlineData("\"total_tokens\":1299", "\"total_tokens\":58")]
    [InlineData("\"status\":\"completed\",\"background\"", "\"status\":\"in_progress\",\"background\"")]
    [InlineData("\"output\":[{\"id\":\"rs_Demo\"", "\"output\":[{\"id\":\"rs_Other\"")]
    [InlineData("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_Demo\"", "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_Other\"")]
    [InlineData("event: response.completed\ndata: {\"type\":\"response.completed\"", "event: error\ndata: {\"type\":\"error\"")]
    [InlineData("event: response.output_item.added", "event: ping\ndata: {\"type\":\"ping\",\"sequence_number\":2}\n\nevent: response.output_item.added")]
    public void BrokenResponsesStream_IsFound(string old, string replacement) => AssertFound("responses.sse", Once(Fixture("responses.sse"), old, replacement));

    [Theory]
    [InlineData("event: response.output_item.done", 2)]
    [InlineData("event: response.function_call_arguments.done", 0)]
    [InlineData("event: response.output_text.done", 0)]
    [InlineData("event: response.content_part.done", 0)]
    [InlineData("event: response.completed", 0)]
    [InlineData("event: response.created", 0)]
    public void ResponsesEventLeftOut_IsFound_EvenIfTheNumbersAreRight(string name, int skip)
    {
        List<string> events = [.. Fixture("responses.sse").Split("\n\n", StringSplitOptions.RemoveEmptyEntries)];
        int[] places = [.. Enumerable.Range(0, events.Count).Where(i => events[i].StartsWith(name + "\n"))];
        events.RemoveAt(places[skip]);
        for (int i = 0; i < events.Count; i++) events[i] = events[i][..(events[i].LastIndexOf(':') + 1)] + i + "}";
        AssertFound("responses.sse", string.Join("\n\n", events) + "\n\n");
    }

    [Fact]
    public void ResponsesAfterItsTerminal_IsFound()
    {
        string text = Fixture("responses.sse");
        AssertFound("responses.sse", text + ": late\n\n");
        AssertFound("responses.sse", text + "data: [DONE]\n\n");
        AssertFound("responses.sse", text + "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":22}\n\n");
        AssertFound("responses.sse", text[..^1]);
    }

    [Theory]
    [InlineData("data: {", ": keepalive\n\ndata: {")]
    [InlineData("data: {", "event: chunk\ndata: {")]
    [InlineData("data: {", "data:{")]
    [InlineData("data: {", "data: [DONE]\n\ndata: {")]
    [InlineData("\"parts\":[{\"text\":\"\"}],", "\"parts\":[],")]
    [InlineData("\"parts\":[{\"text\":\"\"}],", "")]
    [InlineData("{\"text\":\"Oslo.\"}", "{}")]
    [InlineData("\"role\":\"model\"", "\"role\":\"assistant\"")]
    [InlineData("\"index\":0", "\"index\":1")]
    [InlineData("\"args\":{", "\"willContinue\":true,\"args\":{")]
    [InlineData("\"args\":{\"city\":\"Oslo\",\"unit\":\"c\"}", "\"args\":\"{}\"")]
    [InlineData("\"name\":\"get_weather\",", "")]
    [InlineData("\"finishReason\":\"STOP\",", "")]
    [InlineData("\"index\":0", "\"finishReason\":\"STOP\",\"index\":0")]
    [InlineData("\"responseId\":\"respDemo\"", "\"responseId\":\"other\"")]
    [InlineData("\"modelVersion\":\"gemini-3.8-flash\"", "\"modelVersion\":\"other\"")]
    [InlineData("\"totalTokenCount\":1299,\"cachedContentTokenCount\":1200,\"thoughtsTokenCount\":20,\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":1241}],\"cache", "\"totalTokenCount\":1278,\"cache")]
    [InlineData("\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1241,\"candidatesTokenCount\":38,\"totalTokenCount\":1299,\"cachedContentTokenCount\":1200,\"thoughtsTokenCount\":20,\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":1241}],\"cache", "\"index\":0}],\"usages\":{\"cache")]
    [InlineData("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Oslo.\"}]", "data: " + GeminiError + "\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Oslo.\"}]")]
    public void BrokenGeminiStream_IsFound(string old, string replacement) => AssertFound("gemini.sse", Once(Fixture("gemini.sse"), old, replacement));

    [Theory]
    [InlineData(EmptyChunk)]
    [InlineData(GeminiError)]
    [InlineData(": late\n\n")]
    [InlineData("data: [DONE]\n\n")]
    public void GeminiAfterItsEnd_IsFound(string more)
    {
        AssertFound("gemini.sse", Fixture("gemini.sse") + more);
        AssertFound("gemini.sse", EmptyChunk + GeminiError.Replace("503", "200"));
        AssertFound("gemini.sse", EmptyChunk);
        AssertFound("gemini.sse", "");
    }

    [Theory]
    [InlineData("]\n", "")]
    [InlineData(",\n", "\n")]
    [InlineData("[{", "[" + GeminiError + ",{")]
    [InlineData("\"finishReason\":\"STOP\",", "")]
    [InlineData("\"role\":\"model\"", "\"role\":\"user\"")]
    public void BrokenGeminiArray_IsFound(string old, string replacement)
    {
        string text = Fixture("gemini.json");
        AssertFound("gemini.json", old == "]\n" ? text[..text.LastIndexOf(']')] : Once(text, old, replacement));
        AssertFound("gemini.json", "[]");
    }

    [Theory]
    [InlineData("anthropic.sse")]
    [InlineData("openai.sse")]
    [InlineData("responses.sse")]
    [InlineData("gemini.sse")]
    public void CutAtAnyByte_IsFound(string file)
    {
        byte[] body = Encoding.UTF8.GetBytes(Fixture(file));
        for (int length = 0; length < body.Length; length += 7)
        {
            byte[] cut = body[..length];
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Check(file, cut));
        }
    }

    private static void AssertFound(string file, string text) => Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Check(file, text));

    private static StreamEnd Check(string file, string text) => Check(file, Encoding.UTF8.GetBytes(text));

    private static StreamEnd Check(string file, byte[] body) => file switch
    {
        "anthropic.sse" => AnthropicStream.Check(body),
        "openai.sse" => ChatStream.Check(body, usageAsked: true),
        "responses.sse" => ResponsesStream.Check(body),
        "gemini.sse" => GeminiStream.CheckSse(body),
        _ => GeminiStream.CheckArray(body),
    };

    private static string Once(string text, string old, string replacement)
    {
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, $"the fixture has no '{old}'");
        return text[..at] + replacement + text[(at + old.Length)..];
    }

    private static string Fixture(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", "streams", file));
}
