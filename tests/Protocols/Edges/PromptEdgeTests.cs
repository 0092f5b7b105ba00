using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>System prompts, the order of turns, and parameters.</summary>
public sealed class PromptEdgeTests
{
    private const string MidSystem = """
        {"max_tokens":100,"system":"be kind","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]},{"role":"system","content":[{"type":"text","text":"tokens left"}]},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}
        """;

    [Fact]
    public void E41_SystemInTheMiddle_StaysInItsPlaceAndIsNeitherAssistantNorHoisted()
    {
        JsonElement chat = Request("anthropic", MidSystem, new OpenAIChatProtocol(new OpenAIChatTraits { MidSystem = false })).At("messages");
        Assert.Equal(["system", "user", "assistant", "tool", "user", "assistant", "user"], chat.EnumerateArray().Select(message => message.Text("role")));
        Assert.Equal("be kind", chat.Text("0.content"));
        Assert.Equal("<system-reminder>\ntokens left\n</system-reminder>", chat.Text("4.content"));

        JsonElement knows = Request("anthropic", MidSystem, new OpenAIChatProtocol(new OpenAIChatTraits { MidSystem = true })).At("messages");
        Same("""{"role":"system","content":"tokens left"}""", knows.At("4"));

        JsonElement contents = Request("anthropic", MidSystem, "gemini").At("contents");
        Assert.Equal(["user", "model", "user", "model", "user"], contents.EnumerateArray().Select(content => content.Text("role")));
        Assert.True(contents.At("2.parts.0").Has("functionResponse"));
        Assert.Equal("<system-reminder>\ntokens left\n</system-reminder>", contents.Text("2.parts.1.text"));

        JsonElement input = Request("anthropic", MidSystem, "responses").At("input");
        Same("""{"type":"message","role":"developer","content":"tokens left"}""", input.At("3"));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E42_BillingBlock_IsRemovedAndThePrefixStaysTheSame(string upstream)
    {
        string[] bodies = [.. new[] { "a1", "b2" }.Select(version => $$"""
            {"max_tokens":9,"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.328.{{version}}; cc_entrypoint=sdk-cli;"},{"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral"} }],
             "messages":[{"role":"user","content":"q"}]}
            """).Select(body => Request("anthropic", body, upstream).GetRawText())];
        Assert.Equal(bodies[0], bodies[1]);
        Assert.DoesNotContain("billing", bodies[0]);
        Assert.Contains("You are Claude Code.", bodies[0]);
    }

    [Fact]
    public void E43_EmptyText_IsRemovedAndItsCacheMarkMovesForward()
    {
        const string Body = """
            {"messages":[{"role":"system","content":[{"type":"text","text":"be kind","prompt_cache_breakpoint":{}},{"type":"text","text":" "}]},
            {"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"\n","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":""},{"role":"user","content":"more"},{"role":"user","content":""}]}
            """;
        JsonElement written = Request("openai", Body, "anthropic");
        Same("""[{"type":"text","text":"be kind","cache_control":{"type":"ephemeral"}}]""", written.At("system"));
        Same("""[{"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral"}},{"type":"text","text":"more"}]}]""", written.At("messages"));
    }

    [Theory]
    [InlineData("responses", """{"input":["q",{"type":"message","role":"assistant","content":[{"type":"output_text","text":"I will look."}]}]}""")]
    [InlineData("openai", """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"I will look."}]}""")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"I will look."}]}]}""")]
    public void E45_TrailingAssistant_IsFollowedByContinue(string client, string body)
    {
        foreach (string model in (string[])["claude-opus-4-8", "claude-sonnet-4-5"])
        {
            JsonElement messages = Request(client, body, "anthropic", model).At("messages");
            Assert.Equal("assistant", messages.Text("-2.role"));
            Same("""{"role":"user","content":[{"type":"text","text":"Continue."}]}""", messages.At("-1"));
        }
        if (client != "gemini") Assert.Equal("Continue.", Request(client, body, "gemini").Text("contents.-1.parts.0.text"));
    }

    [Fact]
    public void E54_StopForResponses_IsFoundInTheAnswerAndTold()
    {
        ChatRequest request = Read("anthropic", """{"max_tokens":9,"stop_sequences":["END"],"messages":[{"role":"user","content":"q"}]}""");
        Assert.DoesNotContain("END", RequestTexts.Write(Speech.Of("responses").Upstream, request).GetRawText());
        string sse = Sse.Named("""{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}}""",
            """{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"one E"}""",
            """{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"ND two"}""",
            """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}""");
        string told = Scanned("responses", sse, "anthropic", request);
        Assert.Equal("one ", Sse.Blocks(told).Single().Text("text"));
        Assert.Equal(("stop_sequence", "END"), (Sse.StopReason(told), Sse.Events(told, "message_delta").Single().Text("delta.stop_sequence")));
    }

    [Fact]
    public void E55_FiveStops_FourAreSentAndTheFifthIsScanned()
    {
        ChatRequest request = Read("anthropic", """{"max_tokens":9,"stop_sequences":["a1","b2","c3","d4","e5e5"],"messages":[{"role":"user","content":"q"}]}""");
        Same("""["a1","b2","c3","d4"]""", RequestTexts.Write(Speech.Of("openai").Upstream, request).At("stop"));
        string told = Scanned("openai", Sse.Chat("\"content\":\"say e5\"", "\"content\":\"e5 more\"", Sse.Finish("stop")), "anthropic", request);
        Assert.Equal("say ", Sse.Blocks(told).Single().Text("text"));
        Assert.Equal("e5e5", Sse.Events(told, "message_delta").Single().Text("delta.stop_sequence"));
    }

    [Theory]
    [InlineData("responses", "max_output_tokens", 16)]
    [InlineData("openai", "max_tokens", 1)]
    public void E56_ProbeOfOneToken_IsRaisedOnlyWhereItMustBe(string upstream, string member, int sent) =>
        Assert.Equal(sent, Request("anthropic", """{"max_tokens":1,"messages":[{"role":"user","content":"q"}]}""", upstream).At(member).GetInt32());

    [Theory]
    [InlineData("openai", """{"messages":[{"role":"user","content":"q"}],"temperature":0.5,"top_p":0.9}""")]
    [InlineData("responses", """{"input":"q","temperature":0.5,"top_p":0.9}""")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"temperature":0.5,"topP":0.9}}""")]
    public void E57_TemperatureAndTopP_AreOneOrNoneForClaude(string client, string body)
    {
        JsonElement older = Request(client, body, "anthropic", "claude-sonnet-4-5");
        Assert.Equal(0.5, older.At("temperature").GetDouble());
        Assert.False(older.Has("top_p"));
        JsonElement newer = Request(client, body, "anthropic", "claude-opus-4-8");
        Assert.False(newer.Has("temperature") || newer.Has("top_p"));
    }

    [Fact]
    public void E71_TenCacheMarks_TheLastFourAreKept()
    {
        string parts = string.Join(',', Enumerable.Range(0, 10).Select(i => $$"""{"type":"text","text":"t{{i}}","prompt_cache_breakpoint":{} }"""));
        JsonElement content = Request("openai", $$"""{"messages":[{"role":"user","content":[{{parts}}]}]}""", "anthropic").At("messages.0.content");
        Assert.Equal([6, 7, 8, 9], content.EnumerateArray().Select((part, i) => (part, i)).Where(one => one.part.Has("cache_control")).Select(one => one.i));
    }

    [Fact]
    public void E73_LongUserId_IsSixtyFourHexDigits()
    {
        string id = "{\\\"device_id\\\":\\\"" + new string('d', 120) + "\\\"}";
        string body = $$"""{"max_tokens":9,"metadata":{"user_id":"{{id}}"},"messages":[{"role":"user","content":"q"}]}""";
        Assert.Matches("^[0-9a-f]{64}$", Request("anthropic", body, new OpenAIChatProtocol(new OpenAIChatTraits { IsOfficial = true })).Text("safety_identifier"));
        Assert.Matches("^[0-9a-f]{64}$", Request("anthropic", body, new OpenAIChatProtocol(new OpenAIChatTraits { IsOfficial = false })).Text("user"));
        Assert.Matches("^[0-9a-f]{64}$", Request("anthropic", body, "responses").Text("safety_identifier"));
        Assert.Equal(Request("anthropic", body, "responses").GetRawText(), Request("anthropic", body, "responses").GetRawText());
    }

    private static string Scanned(string upstream, string sse, string client, ChatRequest request) => Wire.Text(output =>
    {
        IResponseWriter writer = Speech.Of(client).Client.CreateWriter(output, Wire.Options(request: request));
        Wire.Read(Speech.Of(upstream).Upstream, sse, new Watch(new StopScanner(writer, request.Stop), new FakeClock()));
    });
}
