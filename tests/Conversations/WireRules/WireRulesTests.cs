using System.Text;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Every request of the corpus as each upstream is sent it; and that the rules see a fault.</summary>
public sealed class WireRulesTests
{
    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void RequestOfTheCorpus_BreaksNoRule(string protocol)
    {
        var faults = new List<string>();
        foreach (string file in Directory.GetFiles(ConversationCase.Folder, $"*.{protocol}.request.golden").Order(StringComparer.Ordinal))
        {
            byte[] body = File.ReadAllBytes(file);
            if (body.AsSpan().StartsWith("{"u8)) faults.AddRange(WireRules.Check(protocol, body).Select(fault => $"{Path.GetFileName(file)}: {fault}"));
        }
        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("anthropic", """{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"q"}]}]}""", "")]
    [InlineData("anthropic", """{"messages":[{"role":"user","content":[{"type":"text","text":" "}]}]}""", "max_tokens is missing or below 1|empty text")]
    [InlineData("anthropic", """{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"q"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a.b","name":"f","input":{}}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}""",
        "the last calls have no result|the last message is the assistant's|call id")]
    [InlineData("anthropic", """{"max_tokens":9,"tool_choice":{"type":"tool","name":"g"},"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x"}]}],"tools":[{"name":"f","input_schema":{"anyOf":[]}}]}""",
        "input_schema of f is no object|anyOf at the root of f|tool_choice names no tool|open calls [] and results [x]")]
    [InlineData("openai", """{"messages":[{"role":"user","content":"q"}]}""", "")]
    [InlineData("openai", """{"messages":[{"role":"user","content":null},{"role":"tool","tool_call_id":"x","content":"r"}],"stop":["1","2","3","4","5"]}""",
        "more than four stops|user without content|result of no open call x")]
    [InlineData("openai", """{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f g","arguments":{}}}]},{"role":"user","content":"q"}],"tools":[]}""",
        "an empty list of tools|call name f g|arguments are no string|calls without results: c")]
    [InlineData("responses", """{"input":[{"role":"user","content":"q"}]}""", "")]
    [InlineData("responses", """{"max_output_tokens":1,"input":[{"type":"reasoning","id":"rs_1","summary":[]},{"role":"user","content":[{"type":"output_text","text":"q"}]}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]}""",
        "limit below 16|strict of f is left to the default|reasoning that nobody can look up|reasoning without the item that follows it|a part output_text of user")]
    [InlineData("responses", """{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}","id":"fc_1"},{"type":"function_call_output","call_id":"d","output":"r"}]}""",
        "an id that the server does not know|output of no open call d|calls without outputs: c")]
    [InlineData("gemini", """{"contents":[{"role":"user","parts":[{"text":"q"}]}]}""", "")]
    [InlineData("gemini", """{"model":"m","contents":[{"role":"user","parts":[{"text":""}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"g","response":"r"}}]}]}""",
        "unknown name model|an empty text|a response that is no object|calls [f#] and responses [g#]|a step whose first call has no signature")]
    [InlineData("gemini", """{"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{"const":{"const":1}},"required":["x"]}}]}]}""",
        "f: keyword const|f: x is required but no property")]
    public void Fault_IsSeen(string protocol, string body, string faults) =>
        Assert.Equal(faults, string.Join('|', WireRules.Check(protocol, Encoding.UTF8.GetBytes(body)).Select(static fault => fault.Split(": {")[0])));
}
