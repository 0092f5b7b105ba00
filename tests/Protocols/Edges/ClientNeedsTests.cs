using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>What the command-line tools rely on where their upstream speaks another protocol.</summary>
public sealed class ClientNeedsTests
{
    private const string Role = "\"role\":\"assistant\",\"content\":\"\"";

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void ClaudeCode_ToolSearch_HasNoPlaceholderAndTellsTheToolInWords(string upstream)
    {
        const string Body = """
            {"max_tokens":9,"tools":[{"name":"ToolSearch","input_schema":{"type":"object","properties":{"query":{"type":"string"}}}},{"name":"DeferredToolPlaceholder","defer_loading":true,"input_schema":{"type":"object"}},
             {"name":"WebFetch","defer_loading":true,"input_schema":{"type":"object"}}],"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
             "messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"ToolSearch","input":{"query":"select:WebFetch"}}]},
             {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"tool_reference","tool_name":"WebFetch"}]}]}]}
            """;
        string written = Request("anthropic", Body, upstream).GetRawText();
        Assert.Contains("Tool WebFetch is now available.", written);
        Assert.Contains("\"name\":\"WebFetch\"", written);
        foreach (string gone in (string[])["DeferredToolPlaceholder", "defer_loading", "context_management", "tool_reference"]) Assert.DoesNotContain(gone, written);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("gemini")]
    public void Codex_GetsDoneItemsAnIdAndATotal(string upstream)
    {
        string sse = upstream switch
        {
            "anthropic" => Sse.Messages("tool_use", [.. Sse.TextBlock(0, "hi"), .. Sse.ToolBlock(1, "a", "f", "{}")]),
            "gemini" => Sse.Gemini("STOP", """{"text":"hi"}""", """{"functionCall":{"id":"a","name":"f","args":{}}}"""),
            _ => Sse.Chat(Role, "\"content\":\"hi\"", Sse.Call(0, "a", "f", "{}"), Sse.Finish("tool_calls")),
        };
        string told = Stream(upstream, sse, "responses");
        Assert.Equal(["message", "function_call"], Sse.Events(told, "response.output_item.done").Select(done => done.Text("item.type")));
        JsonElement completed = Sse.Events(told, "response.completed").Single().At("response");
        Assert.StartsWith("resp_", completed.Text("id"));
        foreach (string count in (string[])["input_tokens", "output_tokens", "total_tokens"]) Assert.Equal(JsonValueKind.Number, completed.At("usage." + count).ValueKind);
    }

    [Theory]
    [InlineData(ErrorKind.RateLimit, "rate_limit_exceeded")]
    [InlineData(ErrorKind.ContextTooLong, "context_length_exceeded")]
    [InlineData(ErrorKind.InvalidRequest, "invalid_prompt")]
    [InlineData(ErrorKind.Overloaded, "server_error")]
    [InlineData(ErrorKind.BadGateway, "server_error")]
    public void Codex_IsToldFailuresByResponseFailedOnly(ErrorKind kind, string code)
    {
        string told = Wire.Write(Speech.Of("responses").Client, Wire.Options(), writer =>
        {
            writer.Start(default, default);
            writer.Fail(new ProxyError(kind, "slow down") { RetryAfter = kind == ErrorKind.RateLimit ? TimeSpan.FromSeconds(7) : null });
        });
        Assert.Equal(StreamEnd.Failed, ResponsesStream.Check(System.Text.Encoding.UTF8.GetBytes(told)));
        Assert.DoesNotContain("event: error", told);
        JsonElement error = Sse.Events(told, "response.failed").Single().At("response.error");
        Assert.Equal(code, error.Text("code"));
        if (kind == ErrorKind.RateLimit) Assert.Contains("try again in 7s", error.Text("message"));
    }

    [Fact]
    public void Codex_UnknownToolTypes_AreDroppedNotRefused()
    {
        const string Body = """{"input":"q","tools":[{"type":"function","name":"f","parameters":{}},{"type":"tool_search","execution":"client"},{"type":"web_search","external_web_access":false},{"type":"brand_new"}],"client_metadata":{},"text":{"verbosity":"low"}}""";
        // None of them is configured for a web search.
        foreach (IUpstreamProtocol upstream in (IUpstreamProtocol[])[new AnthropicProtocol(), new OpenAIChatProtocol(), new GeminiProtocol()])
        {
            string written = Request("responses", Body, upstream).GetRawText();
            foreach (string gone in (string[])["tool_search", "web_search", "brand_new", "client_metadata"]) Assert.DoesNotContain(gone, written);
        }
    }

    [Theory]
    [InlineData("anthropic", "output_config.format.schema")]
    [InlineData("openai", "response_format.json_schema.schema")]
    [InlineData("responses", "text.format.schema")]
    public void GeminiCli_RouterSchemaInCapitals_IsJsonSchemaElsewhere(string upstream, string path)
    {
        const string Body = """
            {"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"OBJECT","properties":{"model":{"type":"STRING","enum":["flash","pro"]}},"required":["model"]}}}
            """;
        JsonElement schema = Request("gemini", Body, upstream, "claude-opus-4-8").At(path);
        Assert.Equal(("object", "string"), (schema.Text("type"), schema.Text("properties.model.type")));
        Same("""["flash","pro"]""", schema.At("properties.model.enum"));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public void GeminiCli_GetsDataLinesAndOneFinishReason(string upstream)
    {
        string sse = upstream switch
        {
            "anthropic" => Sse.Messages("end_turn", Sse.TextBlock(0, "hi")),
            "openai" => Sse.Chat(Role, "\"content\":\"hi\"", Sse.Finish("stop")),
            _ => Sse.Named("""{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""",
                """{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"hi"}""",
                """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}"""),
        };
        string told = Stream(upstream, sse, "gemini");
        Assert.All(told.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), line => Assert.StartsWith("data: ", line));
        Assert.Single(Sse.Events(told), chunk => chunk.At("candidates.0").Has("finishReason"));
    }

    /// <summary>In its agent mode, where the model's name is a Claude's.</summary>
    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void Cursor_CallsAndResultsInTheWordsOfMessages_AreReadInChat(string upstream)
    {
        const string Tools = "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}}],";
        string cursor = "{" + Tools + """
            "tool_choice":{"type":"auto"},"messages":[{"role":"system","content":[{"type":"text","text":"s"}]},{"role":"user","content":"q"},
            {"role":"assistant","content":[{"type":"text","text":"I call."},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"type":"text","text":"go on"}]}]}
            """;
        string messages = "{\"max_tokens\":32000," + cursor[1..].Replace("{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"s\"}]},", "").Insert(0, "\"system\":\"s\",");
        JsonElement expected = upstream == "anthropic" ? RequestTexts.Write(Speech.Of(upstream).Upstream, Read("anthropic", messages) with { Model = "m" }) : Request("anthropic", messages, upstream);
        JsonElement sent = Request("openai", cursor, upstream);
        string path = upstream switch { "anthropic" => "messages", "responses" => "input", _ => "contents" };
        Same(expected.At(path).GetRawText(), sent.At(path));
        Same(expected.At("tools").GetRawText(), sent.At("tools"));
    }
}
