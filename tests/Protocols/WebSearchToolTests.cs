using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols;

/// <summary>The one server tool that all four protocols have, for upstreams that are configured for it; and those that only one has.</summary>
public sealed class WebSearchToolTests
{
    private const string Anthropic = """
        {"max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[{"type":"web_search_20260209","name":"web_search","max_uses":2,"blocked_domains":["b.invalid"],"user_location":{"type":"approximate","city":"Oslo","timezone":"Europe/Oslo","x":1}}]MORE}
        """;

    private const string Responses = """
        {"input":"q","tools":[{"type":"web_search_preview","search_context_size":"high","filters":{"allowed_domains":["a.invalid"]},"user_location":{"type":"approximate","country":"NO"}}]MORE}
        """;

    private const string Chat = """
        {"messages":[{"role":"user","content":"q"}],"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Oslo","region":"Oslo"}}}}
        """;

    private const string Gemini = """{"contents":[{"parts":[{"text":"q"}]}],"tools":[{"googleSearch":{"timeRangeFilter":{}}}]}""";

    [Theory]
    [InlineData("anthropic", Anthropic, "responses", "tools.0", """{"type":"web_search","user_location":{"type":"approximate","city":"Oslo","timezone":"Europe/Oslo"}}""")]
    [InlineData("anthropic", Anthropic, "openai", "web_search_options", """{"user_location":{"type":"approximate","approximate":{"city":"Oslo","timezone":"Europe/Oslo"}}}""")]
    [InlineData("anthropic", Anthropic, "gemini", "tools.0", """{"googleSearch":{}}""")]
    [InlineData("responses", Responses, "anthropic", "tools.0", """{"type":"web_search_20250305","name":"web_search","allowed_domains":["a.invalid"],"user_location":{"type":"approximate","country":"NO"}}""")]
    [InlineData("responses", Responses, "openai", "web_search_options", """{"search_context_size":"high","user_location":{"type":"approximate","approximate":{"country":"NO"}}}""")]
    [InlineData("openai", Chat, "anthropic", "tools.0", """{"type":"web_search_20250305","name":"web_search","user_location":{"type":"approximate","city":"Oslo","region":"Oslo"}}""")]
    [InlineData("openai", Chat, "responses", "tools.0", """{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","city":"Oslo","region":"Oslo"}}""")]
    [InlineData("gemini", Gemini, "anthropic", "tools.0", """{"type":"web_search_20250305","name":"web_search"}""")]
    [InlineData("gemini", Gemini, "openai", "web_search_options", "{}")]
    [InlineData("gemini", Gemini, "responses", "tools.0", """{"type":"web_search"}""")]
    public void Definition_KeepsWhatTheTargetHasAWordFor(string client, string body, string upstream, string at, string expected) =>
        Same(expected, Request(client, body.Replace("MORE", ""), upstream).At(at));

    [Theory]
    [InlineData("anthropic", Anthropic, "tool_choice")]
    [InlineData("responses", Responses, "tool_choice")]
    public void Demanded_IsDemandedThere_WhereThatCanBeSaid(string client, string body, string path)
    {
        string choice = client == "anthropic" ? """,\"tool_choice\":{"type":"tool","name":"web_search"}""" : """,\"tool_choice\":{"type":"web_search_preview"}""";
        body = body.Replace("MORE", choice.Replace("\\", ""));
        if (client != "anthropic") Same("""{"type":"tool","name":"web_search"}""", Request(client, body, "anthropic", "claude-opus-4-8").At("tool_choice"));
        if (client != "responses") Same("""{"type":"web_search"}""", Request(client, body, "responses").At("tool_choice"));
        Assert.False(Request(client, body, "openai").Has("tool_choice"));
        Assert.Equal(path, Refused(client, body, "gemini").Param);
    }

    [Fact]
    public void NotConfigured_IsRefusedAlone_AndDroppedBesideOthers()
    {
        IUpstreamProtocol[] upstreams = [new AnthropicProtocol(), new OpenAIChatProtocol(), new OpenAIResponsesProtocol(), new GeminiProtocol()];
        foreach (IUpstreamProtocol upstream in upstreams)
        {
            if (upstream.Name != "anthropic") Assert.Equal((ErrorKind.Unsupported, "tools[0]"), Param(RequestTexts.Refused(upstream, Read("anthropic", Anthropic.Replace("MORE", "")))));
            if (upstream.Name != "openai") Assert.Equal((ErrorKind.Unsupported, "web_search_options"), Param(RequestTexts.Refused(upstream, Read("openai", Chat))));
            string beside = """{"messages":[{"role":"user","content":"q"}],"web_search_options":{},"tools":[{"type":"function","function":{"name":"f"}}]}""";
            Assert.DoesNotContain("earch", RequestTexts.Write(upstream, Read("openai", beside)).GetRawText());
        }

        static (ErrorKind, string?) Param(ProxyError error) => (error.Kind, error.Param);
    }

    /// <summary>What only one provider has is never silently forgotten where it is all there is, or demanded.</summary>
    [Theory]
    [InlineData("anthropic", """{"max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[TOOL]}""", """{"type":"web_fetch_20250910","name":"web_fetch"}""", "tools[0]")]
    [InlineData("anthropic", """{"max_tokens":9,"messages":[{"role":"user","content":"q"}],"tools":[TOOL,{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"web_fetch"}}""", """{"type":"web_fetch_20250910","name":"web_fetch"}""", "tool_choice")]
    [InlineData("responses", """{"input":"q","tools":[TOOL]}""", """{"type":"file_search","vector_store_ids":["v"]}""", "tools[0]")]
    [InlineData("responses", """{"input":"q","tools":[TOOL,{"type":"function","name":"f"}],"tool_choice":{"type":"file_search"}}""", """{"type":"file_search","vector_store_ids":["v"]}""", "tool_choice")]
    [InlineData("responses", """{"input":"q","tools":[TOOL,{"type":"web_search"}],"tool_choice":{"type":"file_search"}}""", """{"type":"file_search","vector_store_ids":["v"]}""", "")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"q"}]}],"tools":[TOOL]}""", """{"codeExecution":{}}""", "tools[0].codeExecution")]
    public void ToolOfOneProvider_IsRefusedWithItsPath(string client, string body, string tool, string path)
    {
        foreach (string upstream in (string[])["anthropic", "openai", "responses", "gemini"])
        {
            if (upstream == client) continue;
            ProxyError refusal = Refused(client, body.Replace("TOOL", tool), upstream);
            Assert.Equal(ErrorKind.Unsupported, refusal.Kind);
            if (path.Length > 0) Assert.Equal(path, refusal.Param);
        }
    }
}
