using System.Text.Json;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiToolWriterTests
{
    // "Must start with a letter or an underscore": some MCP servers number their tools or are called by a number.
    [Theory]
    [InlineData("21st_magic_component_builder")]
    [InlineData("-odd")]
    [InlineData("1234567890123456789012345678901234567890123456789012345678901234")]
    public void NameThatBeginsWithNoLetter_GetsOneInFrontEverywhereAndComesBack(string name)
    {
        string body = $$"""
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"{{name}}","arguments":"{}"} } ] },
             {"role":"tool","tool_call_id":"c","content":"r"}],
             "tools":[{"type":"function","function":{"name":"{{name}}","parameters":{"type":"object"} } }],"tool_choice":{"type":"function","function":{"name":"{{name}}"} } }
            """;
        JsonElement written = Request("openai", body, "gemini", "gemini-3.8-flash");
        string sent = written.Text("tools.0.functionDeclarations.0.name");
        Assert.Matches("^[A-Za-z_][A-Za-z0-9_-]{0,63}$", sent);
        Assert.Equal(sent, written.Text("toolConfig.functionCallingConfig.allowedFunctionNames.0"));
        Assert.Equal(sent, written.Text("contents.1.parts.0.functionCall.name"));
        Assert.Equal(sent, written.Text("contents.2.parts.0.functionResponse.name"));

        string sse = Sse.Gemini("STOP", $$"""{"functionCall":{"name":"{{sent}}","args":{} } }""");
        Assert.Equal(name, Joined("gemini", sse, "openai", Read("openai", body)).Text("choices.0.message.tool_calls.0.function.name"));
        Assert.Equal(name, Request("openai", body, "responses").Text("tools.0.name"));
    }
}
