using System.Text.Json;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>Calls and results of a client's history on their way to an upstream of another protocol.</summary>
public sealed class CallHistoryEdgeTests
{
    private const string ThreeCalls = """
        {"role":"user","content":"q"},
        {"role":"assistant","content":null,"tool_calls":[
          {"id":"a","type":"function","function":{"name":"f","arguments":"{\"n\":1}"}},
          {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}},
          {"id":"c","type":"function","function":{"name":"f","arguments":"{\"n\":3}"}}]}
        """;

    private static string Tool(string id, string text) => $$"""{"role":"tool","tool_call_id":"{{id}}","content":"{{text}}"}""";

    /// <summary>A Messages history with calls t1 of f and t2 of g, and these blocks as the user's answer.</summary>
    private static string Answered(params string[] blocks) => $$"""
        {"max_tokens":100,"messages":[{"role":"user","content":"q"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"n":1} },{"type":"tool_use","id":"t2","name":"g","input":{} }]},
        {"role":"user","content":[{{string.Join(',', blocks)}}]}]}
        """;

    [Fact]
    public void E01_ThreeResultsAndText_AreOneUserMessageInCallOrder()
    {
        JsonElement body = Request("openai", $$"""{"messages":[{{ThreeCalls}},{{Tool("c", "3")}},{{Tool("a", "1")}},{{Tool("b", "2")}},{"role":"user","content":"and now"}]}""", "anthropic");
        Assert.Equal(3, body.At("messages").GetArrayLength());
        Same("""
            {"role":"user","content":[
              {"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"tool_result","tool_use_id":"b","content":"2"},
              {"type":"tool_result","tool_use_id":"c","content":"3"},{"type":"text","text":"and now"}]}
            """, body.At("messages.2"));
    }

    [Theory]
    [InlineData("""{"type":"tool_result","tool_use_id":"t1","content":"1"},{"type":"text","text":"and now"}""")]
    [InlineData("""{"type":"text","text":"and now"},{"type":"tool_result","tool_use_id":"t1","content":"1"}""")]
    public void E02_TextBesideAResult_IsAMessageOfItsOwn(string blocks)
    {
        string history = Answered(blocks, """{"type":"tool_result","tool_use_id":"t2","content":"2"}""");
        JsonElement messages = Request("anthropic", history, "openai").At("messages");
        Same("""[{"role":"tool","tool_call_id":"t1","content":"1"},{"role":"tool","tool_call_id":"t2","content":"2"},{"role":"user","content":"and now"}]""",
            RequestTexts.Json($"[{messages.At("2")},{messages.At("3")},{messages.At("4")}]"));
        Assert.Equal(5, messages.GetArrayLength());

        JsonElement input = Request("anthropic", history, "responses").At("input");
        Assert.Equal(["message", "function_call", "function_call", "function_call_output", "function_call_output", "message"], input.EnumerateArray().Select(item => item.Text("type")));
        Assert.Equal("and now", input.Text("5.content.0.text"));

        JsonElement last = Request("anthropic", history, "gemini").At("contents.-1.parts");
        Assert.Equal("1 2 and now", $"{last.At("0.functionResponse.response.output")} {last.At("1.functionResponse.response.output")} {last.At("2.text")}");
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public void E14_GeminiCallId_ComesBackOnCallAndResult(string client)
    {
        string answer = """{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"fc-1","name":"f","args":{}}}]},"finishReason":"STOP"}]}""";
        JsonElement told = Whole("gemini", answer, client);
        string id = client switch
        {
            "anthropic" => told.Text("content.0.id"),
            "openai" => told.Text("choices.0.message.tool_calls.0.id"),
            _ => told.Text("output.0.call_id"),
        };
        Assert.Equal("fc-1", id);
        JsonElement contents = Request(client, client switch
        {
            "anthropic" => """{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"fc-1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"fc-1","content":"1"}]}]}""",
            "openai" => """{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"fc-1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"fc-1","content":"1"}]}""",
            _ => """{"input":["q",{"type":"function_call","call_id":"fc-1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"fc-1","output":"1"}]}""",
        }, "gemini", "gemini-3-pro").At("contents");
        Assert.Equal("fc-1", contents.Text("1.parts.0.functionCall.id"));
        Assert.Equal("fc-1", contents.Text("2.parts.0.functionResponse.id"));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public void E15_OneToolTwiceWithoutIds_GetsTwoIdsPairedInOrder(string upstream)
    {
        const string Call = """{"functionCall":{"name":"f","args":{"n":1}}},{"functionCall":{"name":"f","args":{"n":2}}}""";
        const string Result = """{"functionResponse":{"name":"f","response":{"output":"first"}}},{"functionResponse":{"name":"f","response":{"output":"second"}}}""";
        JsonElement body = Request("gemini",
            $$"""{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{{Call}}]},{"role":"user","parts":[{{Result}}]}]}""", upstream);
        (string one, string two, string first, string second) = upstream switch
        {
            "anthropic" => (body.Text("messages.1.content.0.id"), body.Text("messages.1.content.1.id"), body.Text("messages.2.content.0.tool_use_id"), body.Text("messages.2.content.1.tool_use_id")),
            "openai" => (body.Text("messages.1.tool_calls.0.id"), body.Text("messages.1.tool_calls.1.id"), body.Text("messages.2.tool_call_id"), body.Text("messages.3.tool_call_id")),
            _ => (body.Text("input.1.call_id"), body.Text("input.2.call_id"), body.Text("input.3.call_id"), body.Text("input.4.call_id")),
        };
        Assert.NotEqual(one, two);
        Assert.Equal((one, two), (first, second));
        Assert.True(body.GetRawText().IndexOf("first", StringComparison.Ordinal) < body.GetRawText().IndexOf("second", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("gemini-2.5-flash")]
    [InlineData("gemini-3-pro")]
    public void E16_ResultToGemini_IsNamedAfterItsFunction(string model)
    {
        JsonElement parts = Request("anthropic",
            Answered("""{"type":"tool_result","tool_use_id":"t2","content":"2"}""", """{"type":"tool_result","tool_use_id":"t1","content":"1"}"""), "gemini", model).At("contents.-1.parts");
        Assert.Equal(["f 1", "g 2"], parts.EnumerateArray().Select(part => $"{part.At("functionResponse.name")} {part.At("functionResponse.response.output")}"));
    }

    [Fact]
    public void E17_UnansweredCall_GetsASyntheticErrorEverywhere()
    {
        string history = $$"""{"messages":[{{ThreeCalls}},{{Tool("a", "1")}},{{Tool("c", "3")}},{"role":"user","content":"go on"}]}""";
        JsonElement messages = Request("openai", history, "anthropic").At("messages.2.content");
        Same("""{"type":"tool_result","tool_use_id":"b","content":"no result: the call was interrupted","is_error":true}""", messages.At("1"));
        JsonElement parts = Request("openai", history, "gemini").At("contents.-1.parts");
        Same("""{"error":"no result: the call was interrupted"}""", parts.At("1.functionResponse.response"));
        Assert.Equal("g", parts.Text("1.functionResponse.name"));
        JsonElement items = Request("openai", history, "responses").At("input");
        Assert.Equal("Error: no result: the call was interrupted", items.Text("5.output"));
        JsonElement chat = Request("anthropic", Answered("""{"type":"tool_result","tool_use_id":"t2","content":"2"}"""), "openai").At("messages");
        Same("""{"role":"tool","tool_call_id":"t1","content":"Error: no result: the call was interrupted"}""", chat.At("2"));
    }

    [Theory]
    [InlineData("""{"name":"f","arguments":""}""")]
    [InlineData("""{"name":"f","arguments":null}""")]
    [InlineData("""{"name":"f","arguments":"null"}""")]
    [InlineData("""{"name":"f"}""")]
    [InlineData("""{"name":"f","arguments":{}}""")]
    public void E21_HistoryCallWithoutArguments_HasAnEmptyObject(string function)
    {
        string history = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{{function}} }]},{{Tool("a", "1")}}]}""";
        Assert.Equal("{}", Request("openai", history, "anthropic").At("messages.1.content.0.input").GetRawText());
        Assert.Equal("{}", Request("openai", history, "gemini").At("contents.1.parts.0.functionCall.args").GetRawText());
        Assert.Equal("{}", Request("openai", history, "responses").Text("input.1.arguments"));
    }

    [Theory]
    [InlineData("{\\\"n\\\":", "{\\\"n\\\":")]
    [InlineData("[1]", "[1]")]
    [InlineData("plain", "plain")]
    public void E22_BrokenArgumentsOfTheHistory_AreWrappedForEachUpstream(string arguments, string kept)
    {
        string history = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{{arguments}}"} }]},{{Tool("a", "1")}}]}""";
        string wrapped = $$"""{"_raw":"{{kept}}"}""";
        Same(wrapped, Request("openai", history, "anthropic").At("messages.1.content.0.input"));
        Same(wrapped, Request("openai", history, "gemini").At("contents.1.parts.0.functionCall.args"));
        Same(wrapped, RequestTexts.Json(Request("openai", history, "responses").Text("input.1.arguments")));
    }

    [Fact]
    public void E24_BigNumbers_KeepTheirDigitsOnEveryRoute()
    {
        const string Arguments = """{"id":9007199254740993,"x":1.10,"y":1e400}""";
        string quoted = JsonSerializer.Serialize(Arguments);
        string chat = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{{quoted}} } }]},{{Tool("a", "1")}}]}""";
        Assert.Equal(Arguments, Request("openai", chat, "anthropic").At("messages.1.content.0.input").GetRawText());
        Assert.Equal(Arguments, Request("openai", chat, "gemini").At("contents.1.parts.0.functionCall.args").GetRawText());
        Assert.Equal(Arguments, Request("openai", chat, "responses").Text("input.1.arguments"));
        string messages = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{{Arguments}} }]}]}""";
        Assert.Equal(Arguments, Request("anthropic", messages, "openai").Text("messages.1.tool_calls.0.function.arguments"));
        string contents = $$"""{"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{{Arguments}} } }]}]}""";
        Assert.Equal(Arguments, Request("gemini", contents, "responses").Text("input.1.arguments"));

        string answer = Sse.Chat("\"role\":\"assistant\"", Sse.Call(0, "a", "f", Arguments[..9]), Sse.Call(0, "", "", Arguments[9..]), Sse.Finish("tool_calls"));
        Assert.Equal(Arguments, Sse.Blocks(Stream("openai", answer, "anthropic")).Single().Text("raw"));
        Assert.Equal(Arguments, Joined("openai", answer, "anthropic").At("content.0.input").GetRawText());
        Assert.Contains($"\"args\":{Arguments}", Stream("openai", answer, "gemini"));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("[]")]
    public void E44_AssistantWithoutContent_HasOnlyItsCalls(string content)
    {
        string history = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":{{content}},"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"} }]},{{Tool("a", "1")}}]}""";
        Same("""[{"type":"tool_use","id":"a","name":"f","input":{}}]""", Request("openai", history, "anthropic").At("messages.1.content"));
        Same("""[{"functionCall":{"name":"f","args":{}}}]""", Request("openai", history, "gemini", "gemini-2.5-pro").At("contents.1.parts"));
        Assert.Equal("function_call", Request("openai", history, "responses").Text("input.1.type"));
    }

    [Fact]
    public void E46_ScreenshotInAResult_FollowsAfterAllToolMessages()
    {
        const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        string image = $$"""{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{Png}}"} }""";
        string history = Answered($$"""{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"shot"},{{image}}]}""", """{"type":"tool_result","tool_use_id":"t2","content":"2"}""");
        JsonElement chat = Request("anthropic", history, "openai").At("messages");
        Assert.Equal(["user", "assistant", "tool", "tool", "user"], chat.EnumerateArray().Select(message => message.Text("role")));
        Assert.Equal("shot\n[image 1 follows in the next message]", chat.Text("2.content"));
        Assert.Contains("t1", chat.Text("4.content.0.text"));
        Assert.Equal($"data:image/png;base64,{Png}", chat.Text("4.content.1.image_url.url"));
        Same($$"""[{"type":"input_text","text":"shot"},{"type":"input_image","image_url":"data:image/png;base64,{{Png}}"}]""", Request("anthropic", history, "responses").At("input.3.output"));
        Same($$"""[{"inlineData":{"mimeType":"image/png","data":"{{Png}}"} }]""", Request("anthropic", history, "gemini", "gemini-3-pro").At("contents.2.parts.0.functionResponse.parts"));
        JsonElement older = Request("anthropic", history, "gemini", "gemini-2.5-pro").At("contents.2.parts");
        Assert.True(older.At("2").Has("inlineData") && older.At("1").Has("functionResponse"));
    }

    [Theory]
    [InlineData("true", "Error: gone", """{"error":"gone"}""")]
    [InlineData("false", "gone", """{"output":"gone"}""")]
    [InlineData("null", "gone", """{"output":"gone"}""")]
    public void E47_IsError_GetsThePrefixOrTheErrorMember(string flag, string text, string response)
    {
        string history = Answered($$"""{"type":"tool_result","tool_use_id":"t1","content":"gone","is_error":{{flag}} }""", """{"type":"tool_result","tool_use_id":"t2","content":"2"}""");
        Assert.Equal(text, Request("anthropic", history, "openai").Text("messages.2.content"));
        Assert.Equal(text, Request("anthropic", history, "responses").Text("input.3.output"));
        Same(response, Request("anthropic", history, "gemini").At("contents.2.parts.0.functionResponse.response"));
    }

    [Fact]
    public void E47_PrefixThatIsThere_IsNotRepeated()
    {
        string history = Answered("""{"type":"tool_result","tool_use_id":"t1","content":"Error: gone","is_error":true}""", """{"type":"tool_result","tool_use_id":"t2"}""");
        Assert.Equal("Error: gone", Request("anthropic", history, "openai").Text("messages.2.content"));
        Assert.Equal("", Request("anthropic", history, "openai").Text("messages.3.content"));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    public void E48_LongId_IsHashedOnBothSides(string upstream)
    {
        string id = "toolu_" + new string('x', 114);
        string history = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"{{id}}","name":"f","input":{} }]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"{{id}}","content":"1"}]}]}""";
        JsonElement body = Request("anthropic", history, upstream);
        string call = upstream == "openai" ? body.Text("messages.1.tool_calls.0.id") : body.Text("input.1.call_id");
        Assert.Matches("^call_[0-9a-f]{24}$", call);
        Assert.Equal(call, upstream == "openai" ? body.Text("messages.2.tool_call_id") : body.Text("input.2.call_id"));
    }

    [Fact]
    public void E48_LongIdOfAnAnswer_GoesToTheClientAsItIs()
    {
        string id = "call_" + new string('x', 115);
        Assert.Equal(id, Sse.Blocks(Stream("openai", Sse.Chat(Sse.Call(0, id, "f", "{}"), Sse.Finish("tool_calls")), "anthropic")).Single().Text("id"));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E75_CallsInTheHistoryWithoutTools_AreDeclaredForAnthropic(string client)
    {
        string history = client switch
        {
            "openai" => $$"""{"messages":[{{ThreeCalls}},{{Tool("a", "1")}},{{Tool("b", "2")}},{{Tool("c", "3")}}]}""",
            "responses" => """{"input":["q",{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"g","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":"1"}]}""",
            _ => """{"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]},{"parts":[{"functionResponse":{"name":"f","response":{}}},{"functionResponse":{"name":"g","response":{}}}]}]}""",
        };
        JsonElement body = Request(client, history, "anthropic");
        Assert.Equal(["f", "g"], body.At("tools").EnumerateArray().Select(tool => tool.Text("name")));
        Assert.Equal("object", body.Text("tools.0.input_schema.type"));
        Same("""{"type":"none"}""", body.At("tool_choice"));
    }

    [Fact]
    public void E14_WithoutIds_NeitherSideHasOne()
    {
        string history = Answered("""{"type":"tool_result","tool_use_id":"t1","content":"1"}""");
        JsonElement body = Request("anthropic", history, new GeminiProtocol(new GeminiTraits { SendsIds = false }), "gemini-3-pro");
        Assert.DoesNotContain("\"id\"", body.GetRawText());
        Assert.Contains("\"id\"", Request("anthropic", history, new GeminiProtocol(new GeminiTraits { SendsIds = true }), "gemini-2.5-pro").GetRawText());
    }
}
