using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>What clients of other protocols meet at a Messages upstream.</summary>
public sealed class AnthropicEdgeTests
{
    private const string Mark = "\"cache_control\":{\"type\":\"ephemeral\"}";

    private static string Marks(JsonElement body) => string.Join(' ',
        body.At("tools").EnumerateArray().Select((tool, i) => (tool, $"tool{i}"))
            .Concat(body.At("system").EnumerateArray().Select((block, i) => (block, $"system{i}")))
            .Concat(body.At("messages").EnumerateArray().SelectMany((message, m) => message.At("content").EnumerateArray().Select((block, i) => (block, $"{m}.{i}"))))
            .Where(one => one.Item1.Has("cache_control")).Select(one => one.Item2));

    /// <summary>What tools like opencode mark: the system prompt and the last two messages, in a tool loop a call and its result.</summary>
    [Theory]
    [InlineData("\"content\":null", "\"content\":\"r\"," + Mark, "tool1 system0 1.0 2.0")]
    [InlineData("\"content\":\"\"", "\"content\":[{\"type\":\"text\",\"text\":\"r\"," + Mark + "}]", "tool1 system0 1.0 2.0")]
    [InlineData("\"content\":\"I call\"", "\"content\":[{\"type\":\"text\",\"text\":\"r\"}]," + Mark, "tool1 system0 1.1 2.0")]
    public void CacheMarks_OnMessagesCallsResultsAndTools_AreKept(string assistant, string result, string expected)
    {
        string body = $$$"""
            {"tools":[{"type":"function","function":{"name":"f"}},{"type":"function",{{{Mark}}},"function":{"name":"g"}}],
            "messages":[{"role":"system","content":"s",{{{Mark}}}},{"role":"user","content":"q"},
            {"role":"assistant",{{{assistant}}},{{{Mark}}},"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a",{{{result}}}}]}
            """;
        Assert.Equal(expected, Marks(Request("openai", body, "anthropic")));
        Assert.Equal(expected, Marks(Request("openai", body.Replace($"{Mark},\"function\":{{", $"\"function\":{{{Mark},"), "anthropic")));
    }

    [Fact]
    public void CacheMark_OnAListOfParts_IsBehindTheLast() =>
        Same($$$"""[{"type":"text","text":"a"},{"type":"text","text":"b",{{{Mark}}}}]""",
            Request("openai", $$$"""{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],{{{Mark}}}}]}""", "anthropic").At("messages.0.content"));

    [Fact]
    public void CacheBreakpoint_InAResponsesOutput_MarksTheResult() =>
        Same($$$"""[{"type":"tool_result","tool_use_id":"a","content":"r",{{{Mark}}}}]""", Request("responses", """
            {"input":["q",{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"r","prompt_cache_breakpoint":{"mode":"explicit"}}]}]}
            """, "anthropic").At("messages.2.content"));

    [Theory]
    [InlineData(500, 0, 500)]
    [InlineData(700, 700, 0)]
    public void CacheWrites_ToldOnceWithTheirPartsAndOnceAsASum_CountOnce(int sum, int five, int hour)
    {
        SinkRecorder told = Record("anthropic", Sse.Named(
            """{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":4,"cache_creation_input_tokens":500,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":500},"output_tokens":1}}}""",
            $$$"""{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":4,"cache_creation_input_tokens":{{{sum}}},"output_tokens":9}}""", """{"type":"message_stop"}"""));
        Assert.Equal((4 + sum, (long?)five, (long?)hour), (told.Total.TotalInput, told.Total.CacheWrite, told.Total.CacheWriteHour));
    }

    /// <summary>"content cannot be empty if `is_error` is true"</summary>
    [Fact]
    public void FailureWithoutWords_IsNotEmpty() =>
        Same("""[{"type":"tool_result","tool_use_id":"a","content":"error","is_error":true}]""", Request("gemini", """
            {"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"error":""}}}]}]}
            """, "anthropic").At("messages.2.content"));

    /// <summary>"When `thinking` is enabled, a final `assistant` message must start with a thinking block"</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData(",{\"role\":\"user\",\"content\":\"and this\"}", false)]
    [InlineData(",{\"role\":\"assistant\",\"content\":\"done\"},{\"role\":\"user\",\"content\":\"more\"}", true)]
    public void BudgetModel_WhoseLastTurnCallsUnproven_DoesNotThink(string more, bool thinks) =>
        Assert.Equal(thinks, Request("openai", """
            {"reasoning_effort":"high","tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"q"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"r"}MORE]}
            """.Replace("MORE", more), "anthropic", "claude-sonnet-4-5").Has("thinking"));

    /// <summary>A Claude of a budget thinks before its first call only; were thinking switched off behind the second, the prompt cache would be lost each time.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BudgetModel_ThinksOnThroughALoopThatBeganWithThinking(bool isProven)
    {
        string proof = SealEnvelope.Wrap(new Seal(isProven ? SealKind.Thinking : SealKind.Encrypted, "", "c2ln"), "hm");
        Assert.Equal(isProven, Request("responses", $$"""
            {"reasoning":{"effort":"high"},"tools":[{"type":"function","name":"f"}],"input":["q",{"type":"reasoning","summary":[],"encrypted_content":"{{proof}}"},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"r"},
            {"type":"function_call","call_id":"b","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"b","output":"r"},{"role":"user","content":"beside"}]}
            """, "anthropic", "claude-sonnet-4-5").Has("thinking"));
    }

    [Fact]
    public void HiddenThoughts_ComeHomeFromAGeminiClient_InFrontOfTheText()
    {
        string sse = Sse.Messages("tool_use", [
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"hm","signature":"c2ln"}}""", """{"type":"content_block_stop","index":0}""",
            .. Sse.TextBlock(1, "I call."), .. Sse.ToolBlock(2, "a", "f", "{}")]);
        ChatRequest hidden = new() { Model = "m", Turns = [] };
        string history = $$"""
            {"generationConfig":{"thinkingConfig":{"thinkingBudget":2000} },"tools":[{"functionDeclarations":[{"name":"f"}] }],
            "contents":[{"parts":[{"text":"q"}]},{{Joined("anthropic", sse, "gemini", hidden).At("candidates.0.content").GetRawText()}},{"parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"r"} } }] }] }
            """;
        JsonElement body = Request("gemini", history, "anthropic", "claude-sonnet-4-5");
        Assert.Equal(["thinking", "text", "tool_use"], body.At("messages.1.content").EnumerateArray().Select(block => block.Text("type")));
        Assert.True(body.Has("thinking"));
    }

    [Fact]
    public void SchemaKeywordsWithoutAValue_AreLeftOut() =>
        Same("""{"type":"object","properties":{"a":{"type":"string","default":null}}}""", Request("openai", """
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","description":null,"properties":{"a":{"type":"string","enum":null,"default":null}},"required":null}}}]}
            """, "anthropic").At("tools.0.input_schema"));

    [Fact]
    public void SchemaWithoutProperties_GetsThem() =>
        Same("""{"type":"object","properties":{}}""", Request("openai", """
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":null}}}]}
            """, "anthropic").At("tools.0.input_schema"));

    [Fact]
    public void RootAlternatives_ThatAreReferences_AreFollowed()
    {
        JsonElement schema = Request("openai", """
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],
            "$defs":{"A":{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"string"}},"required":["kind","x"]},"B":{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}}}}}]}
            """, "anthropic").At("tools.0.input_schema");
        Assert.Equal(["kind", "x"], schema.At("properties").EnumerateObject().Select(property => property.Name));
        Same("""["kind"]""", schema.At("required"));
    }

    [Theory]
    [InlineData("I search.", "It rains", "I search.\n\nIt rains.")]
    [InlineData("I search. ", "It rains", "I search. It rains.")]
    [InlineData("I search:\\n", "It rains", "I search:\nIt rains.")]
    [InlineData("I search.", "\\n\\nIt rains", "I search.\n\nIt rains.")]
    [InlineData("", "It rains", "It rains.")]
    public void TextsAroundAServerTool_DoNotRunTogether(string before, string after, string expected)
    {
        string sse = Sse.Messages("end_turn", [.. before.Length > 0 ? Sse.TextBlock(0, before) : [],
            """{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}""", """{"type":"content_block_stop","index":1}""",
            """{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}}""", """{"type":"content_block_stop","index":2}""",
            """{"type":"content_block_start","index":3,"content_block":{"type":"text","text":"","citations":[]}}""",
            """{"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.invalid/","title":"A","cited_text":"x","encrypted_index":"x"}}}""",
            $$$"""{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"{{{after}}}"} }""", """{"type":"content_block_stop","index":3}""", .. Sse.TextBlock(4, ".")]);
        JsonElement chat = Joined("anthropic", sse, "openai").At("choices.0.message");
        if (after.StartsWith('I')) Assert.Equal(expected, chat.Text("content"));
        else Assert.EndsWith(expected["I search.".Length..], chat.Text("content"));
        int start = chat.At("annotations.0.url_citation.start_index").GetInt32();
        Assert.Equal(after.Replace("\\n", "\n"), chat.Text("content")[start..chat.At("annotations.0.url_citation.end_index").GetInt32()]);
        Assert.Equal(chat.Text("content"), string.Concat(Joined("anthropic", sse, "responses").At("output.0.content").EnumerateArray().Select(part => part.Text("text"))));
        Assert.Equal(chat.Text("content"), string.Concat(Joined("anthropic", sse, "gemini").At("candidates.0.content.parts").EnumerateArray().Select(part => part.Text("text"))));
        Assert.Equal(chat.Text("content"), Sse.ChatText(Stream("anthropic", sse, "openai")));
    }

    [Theory]
    [InlineData("alice@example.invalid", true)]
    [InlineData("+1 (555) 010-0199", true)]
    [InlineData("user_2f6", false)]
    public void EndUser_WhoCouldBeAPerson_IsAHash(string user, bool hashes)
    {
        string told = Request("openai", $$"""{"user":"{{user}}","messages":[{"role":"user","content":"q"}]}""", "anthropic").Text("metadata.user_id");
        if (hashes) Assert.Matches("^[0-9a-f]{64}$", told);
        else Assert.Equal(user, told);
    }

    [Theory]
    [InlineData("claude-sonnet-4-5", "high", 23808)]
    [InlineData("claude-sonnet-4-5", "max", 23808)]
    [InlineData("claude-sonnet-4-5", "medium", 8192)]
    [InlineData("some-model", "max", 4096)]
    public void Budget_WhereTheClientSetNoLimit_LeavesRoomForTheAnswer(string model, string effort, int budget) =>
        Assert.Equal(budget, Request("openai", $$"""{"reasoning_effort":"{{effort}}","messages":[{"role":"user","content":"q"}]}""", "anthropic", model).At("thinking.budget_tokens").GetInt32());

    /// <summary>"Tool names must be unique"</summary>
    [Theory]
    [InlineData("""{"input":"q","tools":[{"type":"web_search"},{"type":"function","name":"web_search"},{"type":"function","name":"f"}]}""", "")]
    [InlineData("""{"input":"q","tools":[{"type":"web_search"},{"type":"web_search_preview"}]}""", "web_search_20250305")]
    public void TwoWebSearches_AreOneTool(string body, string type)
    {
        JsonElement[] tools = [.. Request("responses", body, "anthropic").At("tools").EnumerateArray()];
        JsonElement search = Assert.Single(tools, tool => tool.Text("name") == "web_search");
        Assert.Equal(type, search.Has("type") ? search.Text("type") : "");
    }

    [Theory]
    [InlineData("\\n\\n", "")]
    [InlineData(" ", "Hello")]
    [InlineData("\\u00a0", "Hello")]
    public void BlankText_IsNoBlockOfItsOwn(string blank, string text)
    {
        string[] deltas = ["\"role\":\"assistant\",\"content\":\"\"", $"\"content\":\"{blank}\"", .. text.Length > 0 ? [$"\"content\":\"{text}\""] : (string[])[], Sse.Call(0, "a", "f", "{}"), Sse.Finish("tool_calls")];
        string told = Stream("openai", Sse.Chat(deltas), "anthropic");
        JsonElement whole = Joined("openai", Sse.Chat(deltas), "anthropic").At("content");
        string[] expected = text.Length > 0 ? ["text", "tool_use"] : ["tool_use"];
        Assert.Equal(expected, Sse.Blocks(told).Select(block => block.Text("type")));
        Assert.Equal(expected, whole.EnumerateArray().Select(block => block.Text("type")));
        if (text.Length == 0) return;
        Assert.EndsWith(text, Sse.Blocks(told)[0].Text("text"));
        Assert.Equal((whole.Text("0.text"), text.Length + 1), (Sse.Blocks(told)[0].Text("text"), whole.Text("0.text").Length));
    }

    [Fact]
    public void BlankBlock_IsInFrontOfTheNextText()
    {
        string told = Wire.Write(new AnthropicProtocol(), Wire.Options(), Blocks);
        Assert.Equal("Hello|, |\n you", string.Join('|', Sse.Blocks(told).Select(block => block.Text("text"))));
        JsonElement whole = RequestTexts.Json(Wire.Write(new AnthropicProtocol(), Wire.Options(stream: false), Blocks));
        Assert.Equal("Hello|, |\n you", string.Join('|', whole.At("content").EnumerateArray().Select(block => block.Text("text"))));

        static void Blocks(IResponseWriter writer)
        {
            string[] texts = ["\"Hello\"", "\", \"", "\"\\n\"", "\" you\"", "\" \""];
            writer.Start("msg_1"u8, default);
            for (int i = 0; i < texts.Length; i++)
            {
                writer.BlockStart(i, BlockKind.Text);
                writer.BlockDelta(i, Encoding.UTF8.GetBytes(texts[i]));
                writer.BlockEnd(i);
            }
            writer.Finish(FinishReason.EndTurn);
        }
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"string"}}}}""", true)]
    [InlineData("""{"type":"object"}""", true)]
    [InlineData("""{"type":"object","properties":{"m":{"anyOf":[{"type":"object","patternProperties":{"^a":{}}},{"type":"null"}]}}}""", true)]
    [InlineData("""{"type":"object","properties":{"m":{"$ref":"#/$defs/M"}},"$defs":{"M":{"type":"array","items":{"type":"object","additionalProperties":true}}}}""", true)]
    [InlineData("""{"type":"object","properties":{"m":{"type":"object","additionalProperties":false},"additionalProperties":{"type":"string"}},"additionalProperties":true}""", false)]
    [InlineData("""{"type":"object","properties":{"m":{"$ref":"#/$defs/M"}},"$defs":{"M":{"type":"object","properties":{"a":{}},"additionalProperties":null}}}""", false)]
    public void AnswerWithAMap_IsAskedForAsACall_SinceStrictlyItWouldBeEmpty(string schema, bool calls)
    {
        string body = $$"""{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{{schema}} } } }""";
        JsonElement written = Request("openai", body, "anthropic", "claude-sonnet-4-5");
        Assert.Equal((calls, !calls), (written.Has("tools"), written.Has("output_config")));
        // A model that takes no demand is told the schema as far as it goes.
        Assert.True(Request("openai", body, "anthropic", "claude-opus-5-5").Has("output_config"));
    }

    [Theory]
    [InlineData("openai", "messages.0.content")]
    [InlineData("responses", "input.0.content")]
    [InlineData("gemini", "contents.0.parts")]
    public void SearchResult_KeepsItsSource(string upstream, string path) =>
        Assert.Equal(["T", "https://a.invalid/", "one", "q"], Request("anthropic", """
            {"max_tokens":9,"messages":[{"role":"user","content":[{"type":"search_result","source":"https://a.invalid/","title":"T","content":[{"type":"text","text":"one"}]},{"type":"text","text":"q"}]}]}
            """, upstream).At(path).EnumerateArray().Select(part => part.Text("text")));

    [Fact]
    public void WholeAnswerWhoseContentIsAString_IsItsText() =>
        Assert.Equal("hello", Whole("anthropic", """{"type":"message","role":"assistant","content":"hello","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}""", "openai").Text("choices.0.message.content"));
}
