using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>What upstreams do with the order, the borders and the members of their stream events.</summary>
public sealed class StreamEdgeTests
{
    private const string Role = "\"role\":\"assistant\",\"content\":\"\"";

    private static string[] Words(IEnumerable<JsonElement> blocks) =>
        [.. blocks.Select(block => block.Text("type") == "tool_use" ? $"{block.At("id")} {block.At("name")} {block.At("raw")}" : block.Text("type") + " " + block.Text(block.Has("text") ? "text" : "thinking"))];

    [Fact]
    public void E03_InterleavedDeltas_AreTwoBlocksInSequence()
    {
        string sse = Sse.Chat(Role, Sse.Call(0, "a", "f", "{\"x\""), Sse.Call(1, "b", "g", "{\"y\""), Sse.Call(0, "", "", ":1}"), Sse.Call(1, "", "", ":2}"), Sse.Finish("tool_calls"));
        Assert.Equal(["a f {\"x\":1}", "b g {\"y\":2}"], Words(Sse.Blocks(Stream("openai", sse, "anthropic"))));
        Assert.Equal(["{\"x\":1}", "{\"y\":2}"],
            Sse.Events(Stream("openai", sse, "responses"), "response.output_item.done").Select(done => done.Text("item.arguments")));
        string parts = Stream("openai", sse, "gemini");
        Assert.Contains("\"args\":{\"x\":1}", parts);
        Assert.Contains("\"args\":{\"y\":2}", parts);
    }

    [Fact]
    public void E04_OneIndexForEachNewId_AreSeparateCalls()
    {
        string sse = Sse.Chat(Role, Sse.Call(0, "a", "f", "{}"), Sse.Call(0, "b", "g", "{\"y\":2}"), Sse.Finish("tool_calls"));
        Assert.Equal(["a f {}", "b g {\"y\":2}"], Words(Sse.Blocks(Stream("openai", sse, "anthropic"))));
    }

    [Fact]
    public void E05_WholeCallInTheFinishChunk_ComesBeforeTheFinish()
    {
        string sse = Sse.Chat(Sse.Chunk(Sse.Call(0, "a", "f", "{\"x\":1}"), "\"tool_calls\""));
        string told = Stream("openai", sse, "anthropic");
        Assert.Equal(["a f {\"x\":1}"], Words(Sse.Blocks(told)));
        Assert.Equal("tool_use", Sse.StopReason(told));
    }

    [Fact]
    public void E06_StopAfterCalls_IsToolUse()
    {
        string chat = Sse.Chat(Role, Sse.Call(0, "a", "f", "{}"), Sse.Finish("stop"));
        Assert.Equal("tool_use", Sse.StopReason(Stream("openai", chat, "anthropic")));
        string gemini = Sse.Gemini("STOP", """{"functionCall":{"name":"f","args":{}}}""");
        Assert.Equal("tool_use", Sse.StopReason(Stream("gemini", gemini, "anthropic")));
        Assert.Equal("tool_calls", Sse.FinishReason(Stream("gemini", gemini, "openai")));
    }

    [Fact]
    public void E07_LengthAfterACutCall_StaysLength()
    {
        string sse = Sse.Chat(Role, Sse.Call(0, "a", "f", "{\"x\":"), Sse.Finish("length"));
        Assert.Equal("max_tokens", Sse.StopReason(Stream("openai", sse, "anthropic")));
        string responses = Stream("openai", sse, "responses");
        Assert.Equal("max_output_tokens", Sse.Events(responses, "response.incomplete").Single().Text("response.incomplete_details.reason"));
        Assert.Contains("\"finishReason\":\"MAX_TOKENS\"", Stream("openai", sse, "gemini"));
        Assert.Equal("length", Sse.FinishReason(Stream("anthropic", Sse.Messages("max_tokens", Sse.ToolBlock(0, "a", "f", "{\"x\":")), "openai")));
    }

    [Fact]
    public void E08_StopInEveryChunk_FinishesOnceAtTheEnd()
    {
        string sse = string.Concat(new[] { "one ", "two ", "three" }.Select(text => Sse.Gemini("STOP", $$"""{"text":"{{text}}"}""")));
        string chat = Stream("gemini", sse, "openai");
        Assert.Equal(("one two three", "stop"), (Sse.ChatText(chat), Sse.FinishReason(chat)));
        string told = Stream("gemini", sse, "anthropic");
        Assert.Equal(("one two three", "end_turn"), (Sse.Blocks(told).Single().Text("text"), Sse.StopReason(told)));
    }

    [Fact]
    public void E09_UsageAfterTheFinish_IsInTheMessageDelta()
    {
        string sse = Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop"), Sse.Usage("""{"prompt_tokens":1241,"completion_tokens":58,"total_tokens":1299,"prompt_tokens_details":{"cached_tokens":1200}}"""));
        JsonElement usage = Sse.Events(Stream("openai", sse, "anthropic"), "message_delta").Single().At("usage");
        Assert.Equal((41, 1200, 58), (usage.At("input_tokens").GetInt32(), usage.At("cache_read_input_tokens").GetInt32(), usage.At("output_tokens").GetInt32()));
        Assert.Contains("\"promptTokenCount\":1241", Stream("openai", sse, "gemini"));
    }

    public static TheoryData<string> UsageVariants => new(
        Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop", """{"prompt_tokens":30,"completion_tokens":7}""")),
        Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop"), Sse.Chunk("\"content\":\"\"", "null", """{"prompt_tokens":30,"completion_tokens":7}""")),
        Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop"), Sse.Chunk("", "\"stop\"", """{"prompt_tokens":30,"completion_tokens":7}""")),
        Sse.Chat(Sse.Chunk(Role, "null", "null"), Sse.Chunk("\"content\":\"hi\"", "null", """{"prompt_tokens":0,"completion_tokens":0}"""), Sse.Finish("stop", "null"), Sse.Usage("""{"prompt_tokens":30,"completion_tokens":7}""")),
        Sse.Chat(Sse.Chunk(Role, "null", """{"prompt_tokens":30,"completion_tokens":1}"""), Sse.Chunk("\"content\":\"hi\"", "null", """{"prompt_tokens":30,"completion_tokens":7}"""), Sse.Finish("stop", "null")));

    [Theory]
    [MemberData(nameof(UsageVariants))]
    public void E10_UsageInOddPlaces_TheLastOneToldCountsOnce(string sse)
    {
        SinkRecorder recorder = Record("openai", sse);
        Assert.Equal((30, 7), (recorder.Total.Input, recorder.Total.Output));
        Assert.Single(recorder.Lines, line => line.StartsWith("finish"));
        JsonElement usage = Sse.Events(Stream("openai", sse, "anthropic"), "message_delta").Single().At("usage");
        Assert.Equal((30, 7), (usage.At("input_tokens").GetInt32(), usage.At("output_tokens").GetInt32()));
        JsonElement completed = Sse.Events(Stream("openai", sse, "responses"), "response.completed").Single().At("response.usage");
        Assert.Equal(37, completed.At("total_tokens").GetInt32());
    }

    [Fact]
    public void E11_EmptyChoicesInTheMiddle_AreIgnored()
    {
        string azure = """{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}""";
        string told = Stream("openai", Sse.Chat(azure, Role, "\"content\":\"h\"", azure, "\"content\":\"i\"", Sse.Finish("stop")), "anthropic");
        Assert.Equal(["text hi"], Words(Sse.Blocks(told)));
        Assert.Equal("end_turn", Sse.StopReason(told));
    }

    [Theory]
    [InlineData("""{"candidates":[{"finishReason":"STOP","index":0}]}""")]
    [InlineData("""{"candidates":[{"content":{},"finishReason":"STOP","index":0}]}""")]
    [InlineData("""{"candidates":[{"content":{"role":"model"},"finishReason":"STOP","index":0}]}""")]
    [InlineData("""{"candidates":[{"content":{"role":"model","parts":[]},"finishReason":"STOP","index":0}]}""")]
    public void E12_FinishWithoutContent_IsANormalFinish(string last)
    {
        string sse = Sse.Gemini("", """{"text":"hi"}""") + Sse.Data(last);
        Assert.Equal("end_turn", Sse.StopReason(Stream("gemini", sse, "anthropic")));
        Assert.Equal("stop", Sse.FinishReason(Stream("gemini", sse, "openai")));
        Assert.Single(Sse.Events(Stream("gemini", sse, "responses"), "response.completed"));
    }

    [Fact]
    public void E13_ArgumentsBeforeTheName_AreHeldBack_WithoutOneTheAnswerFails()
    {
        string early = Sse.Call(0, "", "", "{\"x\"").Replace("\"function\":{", "\"id\":\"a\",\"function\":{");
        Assert.Equal(["a f {\"x\":1}"], Words(Sse.Blocks(Stream("openai", Sse.Chat(Role, early, Sse.Call(0, "", "f", ":1}"), Sse.Finish("tool_calls")), "anthropic"))));
        Stream("openai", Sse.Chat(Role, early, Sse.Finish("tool_calls")), "anthropic", end: StreamEnd.Failed);
        string nameless = Sse.Gemini("STOP", """{"functionCall":{"args":{}}}""");
        foreach (string client in (string[])["anthropic", "openai", "responses"]) Stream("gemini", nameless, client, end: StreamEnd.Failed);
    }

    [Theory]
    [InlineData("null", "{}")]
    [InlineData("\"\"", "{}")]
    [InlineData("{}", "{}")]
    public void E21_AnswerCallWithoutArguments_IsAnEmptyObject(string arguments, string expected)
    {
        string sse = Sse.Chat(Role, $"\"tool_calls\":[{{\"index\":0,\"id\":\"a\",\"function\":{{\"name\":\"f\",\"arguments\":{arguments}}}}}]", Sse.Finish("tool_calls"));
        string raw = Sse.Blocks(Stream("openai", sse, "anthropic")).Single().Text("raw");
        Assert.True(raw is "" or "{}", raw);
        Same(expected, Joined("openai", sse, "anthropic").At("content.0.input"));
        Assert.Contains("\"args\":{}", Stream("openai", sse, "gemini"));
        Assert.Equal(expected, Sse.Events(Stream("openai", sse, "responses"), "response.output_item.done").Single().Text("item.arguments"));
        string gemini = Sse.Gemini("STOP", """{"functionCall":{"name":"f"}}""");
        Assert.Equal(expected, Joined("gemini", gemini, "openai").Text("choices.0.message.tool_calls.0.function.arguments"));
    }

    [Fact]
    public void E23_ArgumentsAsAnObject_AreSerialisedOnce()
    {
        const string Calls = """[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":{"x":{"y":"\"z\""}}}}]""";
        string sse = Sse.Chat(Role, "\"tool_calls\":" + Calls, Sse.Finish("tool_calls"));
        const string Expected = """{"x":{"y":"\"z\""}}""";
        Assert.Equal(Expected, Sse.Blocks(Stream("openai", sse, "anthropic")).Single().Text("raw"));
        Assert.Equal(Expected, Joined("openai", sse, "responses").Text("output.0.arguments"));
        string whole = $$"""{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":{{Calls}} },"finish_reason":"tool_calls"}]}""";
        Same(Expected, Whole("openai", whole, "anthropic").At("content.0.input"));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E25_CharacterCutByTheTransport_ArrivesWhole(string client)
    {
        const string Text = "日本語 🧪 и ü 👩‍👩‍👧";
        string upstream = client == "openai" ? "anthropic" : "openai";
        string sse = upstream == "openai" ? Sse.Chat(Role, $"\"content\":\"{Text}\"", Sse.Finish("stop")) : Sse.Messages("end_turn", Sse.TextBlock(0, Text));

        // Stream feeds the bytes one by one as well.
        string told = Stream(upstream, sse, client);
        Assert.Contains(Text, told);
        Assert.DoesNotContain('\uFFFD', told);
    }

    [Fact]
    public void E25_EscapedPairInTwoDeltas_ArrivesWhole()
    {
        string sse = Sse.Chat(Role, "\"content\":\"a\\ud83e\"", "\"content\":\"\\uddeab\"", Sse.Finish("stop"));
        Assert.Equal("a🧪b", Sse.Blocks(Stream("openai", sse, "anthropic")).Single().Text("text"));
    }

    public static TheoryData<string, string> Dressings
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string upstream in (string[])["anthropic", "openai", "responses", "gemini"])
            {
                foreach (string dressing in (string[])["crlf", "cr", "bom", "comments", "no space", "no blank line"]) rows.Add(upstream, dressing);
            }
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Dressings))]
    public void E26_LineEndsBomAndComments_AreAllRead(string upstream, string dressing)
    {
        string sse = (upstream switch
        {
            "anthropic" => Sse.Messages("end_turn", Sse.TextBlock(0, "hi")),
            "openai" => Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop")),
            "gemini" => Sse.Gemini("STOP", """{"text":"hi"}"""),
            _ => Sse.Named("""{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""",
                """{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"hi"}""",
                """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}"""),
        }).ReplaceLineEndings("\n");
        sse = dressing switch
        {
            "crlf" => sse.ReplaceLineEndings("\r\n"),
            "cr" => sse.ReplaceLineEndings("\r"),
            "bom" => "\uFEFF" + sse,
            "comments" => ": OPENROUTER PROCESSING\n\n" + sse.Replace("data: ", ": x\ndata: ").Replace("\n\n", "\n\n: keepalive\n\n"),
            "no space" => sse.Replace("data: ", "data:").Replace("event: ", "event:"),
            _ => sse.TrimEnd('\n'),
        };
        string client = upstream == "anthropic" ? "openai" : "anthropic";
        string told = Stream(upstream, sse, client);
        Assert.Equal("hi", client == "openai" ? Sse.ChatText(told) : Sse.Blocks(told).Single().Text("text"));
    }

    [Fact]
    public void E32_ReasoningContentReasoning_OpensAndClosesABlockEachTime()
    {
        string sse = Sse.Chat(Role, "\"reasoning_content\":\"r1\"", "\"content\":\"c1\"", "\"reasoning_content\":\"r2\"", "\"content\":\"c2\"", Sse.Finish("stop"));
        Assert.Equal(["thinking r1", "text c1", "thinking r2", "text c2"], Words(Sse.Blocks(Stream("openai", sse, "anthropic"))));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    [InlineData("openai")]
    public void E69_TextAfterACall_IsASecondMessageItem(string upstream)
    {
        string sse = upstream switch
        {
            "anthropic" => Sse.Messages("tool_use", [.. Sse.TextBlock(0, "one"), .. Sse.ToolBlock(1, "a", "f", "{}"), .. Sse.TextBlock(2, "two")]),
            "gemini" => Sse.Gemini("STOP", """{"text":"one"}""", """{"functionCall":{"id":"a","name":"f","args":{}}}""", """{"text":"two"}"""),
            _ => Sse.Chat(Role, "\"content\":\"one\"", Sse.Call(0, "a", "f", "{}"), "\"content\":\"two\"", Sse.Finish("tool_calls")),
        };
        JsonElement[] items = [.. Sse.Events(Stream(upstream, sse, "responses"), "response.output_item.done").Select(done => done.At("item"))];
        Assert.Equal(["message", "function_call", "message"], items.Select(item => item.Text("type")));
        Assert.Equal(3, items.Select(item => item.Text("id")).Distinct().Count());
        Assert.Equal(("one", "two"), (items[0].Text("content.0.text"), items[2].Text("content.0.text")));
    }

    [Fact]
    public void E70_ToolIndices_CountToolsOnly()
    {
        string sse = Sse.Messages("tool_use", [.. Sse.TextBlock(0, "one"), .. Sse.ToolBlock(1, "a", "f", "{}"), .. Sse.ToolBlock(2, "b", "g", "{}")]);
        Assert.Equal([("a", 0), ("b", 1)], Sse.Deltas(Stream("anthropic", sse, "openai")).Where(delta => delta.Has("tool_calls"))
            .Select(delta => delta.At("tool_calls.0")).Where(call => call.Has("id")).Select(call => (call.Text("id"), call.At("index").GetInt32())));
    }

    [Fact]
    public void E76_ContentAsAnArray_IsFlattenedWithItsThinkingApart()
    {
        const string Parts = """[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"hi"}]""";
        string sse = Sse.Chat($"\"role\":\"assistant\",\"content\":{Parts}", "\"content\":\" you\"", Sse.Finish("stop"));
        Assert.Equal(["thinking hm", "text hi you"], Words(Sse.Blocks(Stream("openai", sse, "anthropic"))));
        JsonElement whole = Whole("openai", $$"""{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":{{Parts}} },"finish_reason":"stop"}]}""", "anthropic");
        Assert.Equal("hm hi", $"{whole.At("content.0.thinking")} {whole.At("content.1.text")}");
    }
}
