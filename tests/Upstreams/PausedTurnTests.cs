using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols;
using Aiproxy.Tests.Protocols.Edges;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>A turn that an Anthropic upstream pauses, towards clients that have no word for it.</summary>
public sealed class PausedTurnTests
{
    private const string Search = """
        {"model":"client-model","stream":STREAM,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"q"}],"web_search_options":{},"tools":[{"type":"function","function":{"name":"f"}}]}
        """;

    private const string Found = """{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://h/","encrypted_content":"abc"}]}""";

    private const string Expected = "[{\"type\":\"text\",\"text\":\"I \\u0041look. \"},{\"type\":\"server_tool_use\",\"id\":\"srvtoolu_1\",\"name\":\"web_search\",\"input\":{\"query\":\"x\"}}," + Found + "]";

    private readonly ScriptedHandler _upstream = new();

    private static string First => Sse.Messages("pause_turn", [.. Sse.TextBlock(0, "I \\u0041look. "),
        """{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}""",
        """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}""",
        """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"x\"}"}}""",
        """{"type":"content_block_stop","index":1}""",
        "{\"type\":\"content_block_start\",\"index\":2,\"content_block\":" + Found + "}",
        """{"type":"content_block_stop","index":2}"""]);

    private static string Whole(string content, string reason) =>
        "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":" + content + ",\"stop_reason\":\"" + reason + "\",\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}";

    private async Task<Attempt> Send(TestExchange test)
    {
        var protocol = new AnthropicProtocol(new AnthropicTraits { WebSearch = true });
        var target = new UpstreamTarget(TestExchange.Upstream("anthropic"), new ScriptedType("anthropic", protocol, _upstream), protocol, "up-model", null, 0);
        var forwarder = new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));
        Attempt attempt = await forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
        await test.Answer.EndAsync();
        return attempt;
    }

    [Fact]
    public async Task E78_PausedStream_IsSentBackUnchangedAndTheClientSeesOneAnswer()
    {
        using var test = new TestExchange("openai", body: Search.Replace("STREAM", "true"));
        _upstream.Answers(200, First, "text/event-stream").Answers(200, Sse.Messages("end_turn", Sse.TextBlock(0, "Found.")), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);

        test.Check();
        Assert.Equal(("I Alook. Found.", "stop"), (Sse.ChatText(test.Client.Text), Sse.FinishReason(test.Client.Text)));
        Assert.Equal(2, _upstream.Bodies.Count);
        JsonElement messages = RequestTexts.Json(_upstream.Bodies[1]).At("messages");
        Assert.Equal("assistant", messages.Text("-1.role"));
        Pair.Same(Expected, messages.At("-1.content"));
        Assert.Equal(RequestTexts.Json(_upstream.Bodies[0]).At("messages").GetRawText()[1..^1], messages.GetRawText()[1..].Split(",{\"role\":\"assistant\"")[0]);
    }

    [Fact]
    public async Task E78_PausedWholeAnswer_IsJoined()
    {
        using var test = new TestExchange("openai", stream: false, body: Search.Replace("STREAM", "false"));
        _upstream.Answers(200, Whole(Expected, "pause_turn")).Answers(200, Whole("[ ]", "pause_turn")).Answers(200, Whole("[{\"type\":\"text\",\"text\":\"Found.\"}]", "end_turn"));
        await Send(test);

        JsonElement answer = RequestTexts.Json(test.Client.Text);
        Assert.Equal(("I Alook. Found.", "stop"), (answer.Text("choices.0.message.content").Replace("\n", ""), answer.Text("choices.0.finish_reason")));
        foreach (string body in _upstream.Bodies.Skip(1)) Pair.Same(Expected, RequestTexts.Json(body).At("messages.-1.content"));
    }

    [Theory]
    [InlineData(true, 3, 123, 3600, 174)]
    [InlineData(false, 3, 9, 0, 6)]
    [InlineData(true, 7, 246, 7200, 348)]
    [InlineData(false, 7, 18, 0, 12)]
    public async Task UsageOfAllRequests_IsTold(bool stream, int requests, long input, long cached, long output)
    {
        using var test = new TestExchange("openai", stream: stream, body: Search.Replace("STREAM", stream ? "true" : "false"));
        // More than six are not made; the last may pause as well.
        for (int i = 0; i < Math.Min(requests, 6); i++)
        {
            string reason = i == 2 && requests == 3 ? "end_turn" : "pause_turn";
            if (stream) _upstream.Answers(200, Sse.Messages(reason, Sse.TextBlock(0, "a")), "text/event-stream");
            else _upstream.Answers(200, Whole("[{\"type\":\"text\",\"text\":\"a\"}]", reason));
        }
        await Send(test);
        Assert.Equal((input, cached, output), (test.Exchange.Usage.Input, test.Exchange.Usage.CacheRead ?? 0, test.Exchange.Usage.Output));
        Assert.Contains($"\"prompt_tokens\":{input + cached}", test.Client.Text);
        Assert.Contains($"\"completion_tokens\":{output}", test.Client.Text);
    }

    [Fact]
    public async Task PausedForever_EndsAfterFiveMoreRequests()
    {
        using var test = new TestExchange("openai", body: Search.Replace("STREAM", "true"));
        for (int i = 0; i < 6; i++) _upstream.Answers(200, Sse.Messages("pause_turn", Sse.TextBlock(0, $"{i}")), "text/event-stream");
        await Send(test);
        test.Check();
        Assert.Equal(("012345", "stop"), (Sse.ChatText(test.Client.Text), Sse.FinishReason(test.Client.Text)));
        Assert.Equal(5, RequestTexts.Json(_upstream.Bodies[5]).At("messages.-1.content").GetArrayLength());
    }

    [Fact]
    public async Task RefusedToGoOn_IsABrokenAnswer()
    {
        using var test = new TestExchange("openai", body: Search.Replace("STREAM", "true"));
        _upstream.Answers(200, First, "text/event-stream").Answers(400, "{}");
        Assert.NotEqual(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.DoesNotContain("[DONE]", test.Client.Text);
    }

    [Fact]
    public void EachKindOfBlock_IsRebuiltWithItsDeltas()
    {
        var turn = new AnthropicPausedTurn();
        string[] events = [
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":null}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a\\\"b"}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x"}}}""",
            """{"type":"content_block_stop","index":1}""",
            // "text content blocks must be non-empty"
            """{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"","citations":null}}""",
            """{"type":"content_block_stop","index":2}""",
            """{"type":"message_delta","delta":{"stop_reason":"pause_turn"},"usage":{}}"""];
        bool[] pauses = [.. events.Select(one => turn.Take(Encoding.UTF8.GetBytes(one)))];
        Assert.Equal([false, false, false, false, false, false, false, false, false, false, true], pauses);
        JsonElement sent = RequestTexts.Json(Encoding.UTF8.GetString(turn.GoOn("""{"messages":[],"x":1}"""u8)));
        Pair.Same("""[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"a\\\"b","citations":[{"type":"char_location","cited_text":"x"}]}]""", sent.At("messages.0.content"));
    }
}
