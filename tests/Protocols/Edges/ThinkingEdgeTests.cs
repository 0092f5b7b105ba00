using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>Thinking, its proofs and its controls on the way through clients of other protocols.</summary>
public sealed class ThinkingEdgeTests
{
    private const string Signed = "c2lnbmF0dXJl";

    /// <summary>A Messages history whose answer has these blocks before a call t1 of f.</summary>
    private static string History(string blocks, string more = "") => $$"""
        {"max_tokens":4096{{more}},"tools":[{"name":"f","input_schema":{"type":"object"} }],"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{{blocks}}{"type":"tool_use","id":"t1","name":"f","input":{} }]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]}
        """;

    private static string Blocks(string sse) => string.Join(",", Sse.Blocks(sse).Where(block => block.Text("type") == "thinking").Select(block => block.GetRawText())) + ",";

    [Fact]
    public void E27_LateSignature_IsACarrierBeforeItsCallAndComesBackOnIt()
    {
        string sse = Sse.Gemini("STOP", """{"text":"hm","thought":true}""", """{"text":"so"}""", $$$"""{"functionCall":{"id":"t1","name":"f","args":{} },"thoughtSignature":"{{{Signed}}}"}""");
        string told = Stream("gemini", sse, "anthropic");
        List<JsonElement> blocks = Sse.Blocks(told);
        Assert.Equal(["thinking", "text", "thinking", "tool_use"], blocks.Select(block => block.Text("type")));
        Assert.Equal("", blocks[2].Text("thinking"));
        Assert.StartsWith(SealEnvelope.Prefix, blocks[2].Text("signature"));

        string history = History($$"""{{blocks[0].GetRawText()}},{"type":"text","text":"so"},{{blocks[2].GetRawText()}},""");
        JsonElement parts = Request("anthropic", history, "gemini", "gemini-3-pro").At("contents.1.parts");
        Same($$$"""[{"text":"so"},{"functionCall":{"id":"t1","name":"f","args":{} },"thoughtSignature":"{{{Signed}}}"}]""", parts);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("openai")]
    public void E28_ParallelCalls_OnlyTheFirstIsSignedAlsoAfterTheRoundTrip(string client)
    {
        string answer = $$$"""
            {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{} },"thoughtSignature":"{{{Signed}}}"},{"functionCall":{"id":"b","name":"f","args":{} } },{"functionCall":{"id":"c","name":"f","args":{} } }]},"finishReason":"STOP"}]}
            """;
        JsonElement told = Whole("gemini", answer, client);
        string history = client switch
        {
            "anthropic" => $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":{{told.At("content").GetRawText()}} },{"role":"user","content":"x"}]}""",
            "responses" => $$"""{"input":["q",{{told.At("output").GetRawText()[1..^1]}}]}""",
            _ => $$"""{"messages":[{"role":"user","content":"q"},{{told.At("choices.0.message").GetRawText()}}]}""",
        };
        JsonElement parts = Request(client, history, "gemini", "gemini-3-pro").At("contents.1.parts");
        Assert.Equal(["a " + Signed, "b ", "c "],
            parts.EnumerateArray().Select(part => $"{part.At("functionCall.id")} {(part.Has("thoughtSignature") ? part.Text("thoughtSignature") : "")}"));
    }

    [Fact]
    public void E29_ForeignSignature_DoesNotReachAnthropic()
    {
        string encrypted = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "one", "ZW5j")), thought = SealEnvelope.Wrap(new Seal(SealKind.Thought, "", Signed));
        foreach (string signature in (string[])[encrypted, thought, SealEnvelope.Nothing])
        {
            string blocks = $$"""{"type":"thinking","thinking":"hm","signature":"{{signature}}"},""";
            Same("""[{"type":"tool_use","id":"t1","name":"f","input":{}}]""", Request("anthropic", History(blocks), "anthropic", "claude-opus-4-8").At("messages.1.content"));
        }
        string reasoning = $$"""{"input":["q",{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gAAAA"},{"type":"function_call","call_id":"t1","name":"f","arguments":"{}"}]}""";
        Same("""[{"type":"tool_use","id":"t1","name":"f","input":{}}]""", Request("responses", reasoning, "anthropic", "claude-opus-4-8").At("messages.1.content"));
    }

    [Theory]
    [InlineData("gemini-3-pro", true)]
    [InlineData("gemini-2.5-pro", false)]
    public void E30_ForeignCallsToGemini3_GetTheSentinelOnTheFirstOfEachStep(string model, bool isSigned)
    {
        const string Step = """
            {"role":"assistant","tool_calls":[{"id":"ID1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"ID2","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"ID1","content":"1"},{"role":"tool","tool_call_id":"ID2","content":"2"}
            """;
        string body = $$"""{"messages":[{"role":"user","content":"q"},{{Step.Replace("ID", "a")}},{{Step.Replace("ID", "b")}}]}""";
        JsonElement contents = Request("openai", body, "gemini", model).At("contents");
        foreach (int step in (int[])[1, 3])
        {
            Assert.Equal(isSigned, contents.At($"{step}.parts.0").Has("thoughtSignature"));
            Assert.False(contents.At($"{step}.parts.1").Has("thoughtSignature"));
        }
        if (isSigned) Assert.Equal("skip_thought_signature_validator", contents.Text("1.parts.0.thoughtSignature"));
    }

    [Fact]
    public void E30_WordsBesideAResult_AreNoNewTurn()
    {
        const string Body = """
            {"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"text","text":"and hurry"}]}]}
            """;
        Assert.Equal("skip_thought_signature_validator", Request("anthropic", Body, "gemini", "gemini-3-pro").At("contents").Text("1.parts.0.thoughtSignature"));
    }

    [Fact]
    public void E31_SignatureWithoutText_ShowsNothingAndIsKept()
    {
        string sse = Sse.Messages("end_turn", [
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
            $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"{{{Signed}}}"} }""",
            """{"type":"content_block_stop","index":0}""", .. Sse.TextBlock(1, "hi")]);
        string chat = Stream("anthropic", sse, "openai");
        Assert.Equal("hi", Sse.ChatText(chat));
        Assert.DoesNotContain("reasoning_content", chat);
        JsonElement reasoning = Sse.Events(Stream("anthropic", sse, "responses"), "response.output_item.done")[0].At("item");
        Assert.Equal(("reasoning", 0), (reasoning.Text("type"), reasoning.At("summary").GetArrayLength()));
        JsonElement history = RequestTexts.Json($$"""{"input":["q",{{reasoning.GetRawText()}},{"role":"assistant","content":"hi"},"more"]}""");
        Same($$"""[{"type":"thinking","thinking":"","signature":"{{Signed}}"},{"type":"text","text":"hi"}]""",
            Request("responses", history.GetRawText(), "anthropic", "claude-opus-4-8").At("messages.1.content"));
    }

    [Fact]
    public void E34_OnlyTheEncryptedContentOfTheDoneItem_Counts()
    {
        string sse = Sse.Named(
            """{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"cGFydA=="}}""",
            """{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"d2hvbGU="}}""",
            """{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"fc_1","call_id":"t1","name":"f","arguments":"{}"}}""",
            """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}""");
        string told = Stream("responses", sse, "anthropic");
        Assert.Equal("d2hvbGU=", SealEnvelope.Unwrap(Sse.Blocks(told)[0].Text("signature"))!.Value.Seal.Value);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public void E35_ForeignHistory_HasNoItemIdsForResponses(string client)
    {
        string body = client switch
        {
            "openai" => """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"hi","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]}]}""",
            "anthropic" => History($$"""{"type":"thinking","thinking":"hm","signature":"{{Signed}}"},{"type":"text","text":"hi"},"""),
            _ => """{"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"hm","thought":true},{"text":"hi"},{"functionCall":{"id":"t1","name":"f"}}]}]}""",
        };
        JsonElement written = Request(client, body, "responses");
        Assert.False(written.At("store").GetBoolean());
        Assert.Equal(["message", "message", "function_call", "function_call_output"], written.At("input").EnumerateArray().Select(item => item.Text("type")));
        Assert.All(written.At("input").EnumerateArray(), item => Assert.False(item.Has("id")));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("gemini")]
    public void E36_ReasoningReference_IsResolvedFromTheCacheOrDropped(string upstream)
    {
        const string Body = """{"input":["q",{"type":"item_reference","id":"rs_abcdefghijklmnopqrstuvwx0"},{"role":"assistant","content":"hi"},"more"]}""";
        Assert.Contains("hi", Request("responses", Body, upstream).GetRawText());

        ChatRequest request = Read("responses", """{"input":["q",{"type":"item_reference","id":"rs_abcdefghijklmnopqrstuvwx0"},{"type":"function_call","call_id":"t1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"t1","output":"1"}]}""");
        var cache = new ProofCache(new FakeClock());
        cache.Record("client", "t1", new AnswerProof([new ThinkingPart("hm") { Seal = new Seal(SealKind.Thinking, SealEnvelope.Anthropic, Signed) }], null, 0));
        ChatRequest replayed = ProofReplay.WithProofs(request, key => cache.Find("client", key)) with { Model = "claude-opus-4-8" };
        Assert.DoesNotContain(replayed.Turns, turn => turn.Parts.Any(part => part is ForeignPart));
        JsonElement written = RequestTexts.Write(Conversations.Speech.Of(upstream).Upstream, replayed);
        if (upstream == "anthropic") Same($$"""{"type":"thinking","thinking":"hm","signature":"{{Signed}}"}""", written.At("messages.1.content.0"));
    }

    [Fact]
    public void E37_ReasoningCallAndOutput_AreOneModelTurnAndItsAnswer()
    {
        const string Body = """
            {"input":["q",{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"reasoning","id":"rs_2","summary":[]},
            {"type":"function_call","call_id":"b","name":"g","arguments":"{}"},{"type":"function_call_output","call_id":"b","output":"2"},{"type":"function_call_output","call_id":"a","output":"1"}]}
            """;
        JsonElement contents = Request("responses", Body, "gemini", "gemini-2.5-pro").At("contents");
        Assert.Equal(["user", "model", "user"], contents.EnumerateArray().Select(content => content.Text("role")));
        Assert.Equal(["f", "g"], contents.At("1.parts").EnumerateArray().Select(part => part.Text("functionCall.name")));
        Assert.Equal(["f", "g"], contents.At("2.parts").EnumerateArray().Select(part => part.Text("functionResponse.name")));
    }

    [Fact]
    public void E38_ReasoningContent_IsOnEveryAssistantMessageWithCalls()
    {
        var upstream = new OpenAIChatProtocol(new OpenAIChatTraits { ReplayReasoning = true });
        string signed = $$"""{"type":"thinking","thinking":"hm","signature":"{{SealEnvelope.Nothing}}"},""";
        Assert.Equal("hm", Request("anthropic", History(signed), upstream, "deepseek-v4").Text("messages.1.reasoning_content"));
        Assert.Equal("", Request("anthropic", History(""), upstream, "deepseek-v4").Text("messages.1.reasoning_content"));
        Assert.False(Request("anthropic", History(signed), "openai").At("messages.1").Has("reasoning_content"));
    }

    [Fact]
    public void E39_ForcedCallWithEffort_DropsTheThinkingAndKeepsTheForce()
    {
        const string Body = """{"messages":[{"role":"user","content":"q"}],"reasoning_effort":"high","tool_choice":"required","tools":[{"type":"function","function":{"name":"f"}}]}""";
        JsonElement written = Request("openai", Body, "anthropic", "claude-sonnet-4-5");
        Assert.False(written.Has("thinking"));
        Same("""{"type":"any"}""", written.At("tool_choice"));
    }

    [Theory]
    [InlineData(4096, 3072)]
    [InlineData(64000, 24576)]
    [InlineData(2000, null)]
    public void E40_Budget_StaysBelowTheLimitWhichIsNotRaised(int limit, int? budget)
    {
        JsonElement written = Request("openai", $$"""{"messages":[{"role":"user","content":"q"}],"reasoning_effort":"high","max_completion_tokens":{{limit}} }""", "anthropic", "claude-sonnet-4-5");
        Assert.Equal(limit, written.At("max_tokens").GetInt32());
        if (budget is null) Assert.False(written.Has("thinking"));
        else Assert.Equal(budget, written.At("thinking.budget_tokens").GetInt32());
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E31_SignedThinking_ComesHomeThroughEachClient(string client)
    {
        string sse = Sse.Messages("tool_use", [
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""",
            $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"{{{Signed}}}"} }""",
            """{"type":"content_block_stop","index":0}""", .. Sse.ToolBlock(1, "t1", "f", "{}")]);
        ChatRequest shown = new() { Model = "m", Turns = [], Reasoning = new ReasoningRequest { Visible = true } };
        JsonElement told = Joined("anthropic", sse, client, shown);
        if (client == "openai")
        {
            // Chat has no place for the proof: the cache brings it back.
            Assert.Equal("hm", told.Text("choices.0.message.reasoning_content"));
            return;
        }
        string history = client == "responses" ? $$"""{"input":["q",{{told.At("output").GetRawText()[1..^1]}}]}"""
            : $$"""{"contents":[{"parts":[{"text":"q"}]},{{told.At("candidates.0.content").GetRawText()}}]}""";
        Same($$"""[{"type":"thinking","thinking":"hm","signature":"{{Signed}}"},{"type":"tool_use","id":"t1","name":"f","input":{} }]""",
            Request(client, history, "anthropic", "claude-opus-4-8").At("messages.1.content"));
    }

    [Fact]
    public void E35_ReasoningOfAnotherUpstream_IsLeftOut()
    {
        string blocks = $$"""{"type":"thinking","thinking":"hm","signature":"{{SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "one", "ZW5j"))}}"},""";
        JsonElement own = Request("anthropic", History(blocks), new OpenAIResponsesProtocol(new OpenAIResponsesTraits { Issuer = "one" })).At("input");
        Same("""{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"ZW5j"}""", own.At("1"));
        JsonElement other = Request("anthropic", History(blocks), new OpenAIResponsesProtocol(new OpenAIResponsesTraits { Issuer = "two" })).At("input");
        Assert.Equal("function_call", other.Text("1.type"));
    }
}
