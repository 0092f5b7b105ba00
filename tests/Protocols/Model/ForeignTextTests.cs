using System.Text.Json;
using Aiproxy.Protocols.Model;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Model;

/// <summary>What of other providers' tools is left in a history.</summary>
public sealed class ForeignTextTests
{
    [Theory]
    [InlineData("anthropic", "web_search_tool_result", """{"content":[{"type":"web_search_result","url":"https://a.invalid/","title":"A","encrypted_content":"c2VjcmV0"}]}""", "[result of web_search]\nA: https://a.invalid/")]
    [InlineData("anthropic", "web_search_tool_result", """{"content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}}""", null)]
    [InlineData("anthropic", "web_fetch_tool_result", """{"content":{"type":"web_fetch_result","url":"https://a.invalid/","content":{"type":"document","title":"T","source":{"type":"text","media_type":"text/plain","data":"words"}}}}""", "[result of web_fetch]\nhttps://a.invalid/\nwords")]
    [InlineData("anthropic", "web_fetch_tool_result", """{"content":{"type":"web_fetch_result","content":{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}}}""", null)]
    [InlineData("anthropic", "code_execution_tool_result", """{"content":{"type":"code_execution_result","stdout":"4\n","stderr":"warn","return_code":0,"content":[]}}""", "[result of code_execution]\n4\nwarn")]
    [InlineData("anthropic", "mcp_tool_result", """{"tool_use_id":"m","is_error":false,"content":[{"type":"text","text":"found"}]}""", "[result of mcp]\nfound")]
    [InlineData("anthropic", "tool_search_tool_result", """{"content":{"tool_references":[{"type":"tool_reference","tool_name":"x"}],"text":"x"}}""", null)]
    [InlineData("anthropic", "server_tool_use", """{"id":"s","name":"web_search","input":{"text":"query"}}""", null)]
    [InlineData("responses", "web_search_call", """{"action":{"type":"search","query":"q","sources":[{"type":"url","url":"https://a.invalid/"}]}}""", "[result of web_search]\nhttps://a.invalid/")]
    [InlineData("responses", "web_search_call", """{"action":{"type":"open_page","url":"https://a.invalid/"}}""", null)]
    [InlineData("responses", "file_search_call", """{"queries":["q"],"results":[{"file_id":"f","filename":"n","text":"words","score":0.5}]}""", "[result of file_search]\nwords")]
    [InlineData("responses", "code_interpreter_call", """{"code":"print(4)","outputs":[{"type":"logs","logs":"4"}]}""", "[result of code_interpreter]\n4")]
    [InlineData("responses", "mcp_call", """{"name":"n","arguments":"{}","output":"found"}""", "[result of mcp]\nfound")]
    [InlineData("responses", "local_shell_call_output", """{"output":"done"}""", "[result of local_shell]\ndone")]
    [InlineData("responses", "image_generation_call", """{"result":"iVBORw0KGgo="}""", null)]
    [InlineData("responses", "item_reference", """{"id":"rs_1","output":"x"}""", null)]
    [InlineData("responses", "web_search_call", """[]""", null)]
    [InlineData("gemini", "codeExecutionResult", """{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"4\n"}}""", "[result of code_execution]\n4")]
    [InlineData("gemini", "executableCode", """{"executableCode":{"code":"print(4)"}}""", null)]
    [InlineData("gemini", "toolResponse", """{"toolResponse":{"id":"t","toolType":"URL_CONTEXT","response":{"output":"page"}}}""", "[result of a server tool]\npage")]
    public void Result_IsTextWhereItIsReadable(string protocol, string type, string raw, string? expected) =>
        Assert.Equal(expected, ForeignText.Of(new ForeignPart(protocol, type, RequestTexts.Json(raw)))?.Text.ToString());

    [Fact]
    public void LongResult_IsLeftOut()
    {
        Assert.NotNull(Of(ForeignText.MaxCharacters - 10));
        Assert.Null(Of(ForeignText.MaxCharacters + 1));

        static TextPart? Of(int length) => ForeignText.Of(new ForeignPart("responses", "mcp_call", RequestTexts.Json($$"""{"output":"{{new string('x', length)}}"}""")));
    }

    [Fact]
    public void TurnThatIsOnlyACall_IsLeftOut_AndTheCacheMarkStays()
    {
        string body = """
            {"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}}]},{"role":"user","content":"go on"}]}
            """;
        foreach (string upstream in (string[])["openai", "responses", "gemini"])
            Assert.DoesNotContain("assistant", Request("anthropic", body, upstream).GetRawText().Replace("\"model\"", "\"assistant\"").Replace("\"assistant\":\"some-model\"", ""));
        TextPart marked = ForeignText.Of(new ForeignPart("anthropic", "mcp_tool_result", RequestTexts.Json("""{"content":"x"}""")) { CacheHint = true, Path = "p" })!;
        Assert.Equal((true, "p"), (marked.CacheHint, marked.Path));
    }

    /// <summary>Neither half of a pair reaches a provider that did not make it; its own goes back whole.</summary>
    [Fact]
    public void OwnBlocks_GoBackAsTheyCame()
    {
        const string Blocks = """[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"https://a.invalid/","title":"A","encrypted_content":"eA=="}]},{"type":"text","text":"so"}]""";
        string body = $$"""{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":{{Blocks}}},{"role":"user","content":"go on"}]}""";
        Same(Blocks, Request("anthropic", body, "anthropic", "claude-opus-4-8").At("messages.1.content"));
        foreach (string upstream in (string[])["openai", "responses", "gemini"])
        {
            string written = Request("anthropic", body, upstream).GetRawText();
            Assert.Contains("A: https://a.invalid/", written);
            Assert.DoesNotContain("web_search_tool_result", written);
            Assert.DoesNotContain("eA==", written);
        }
    }
}
