using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Gemini;

/// <summary>Damaged requests of both clients to both targets: an answer or a refusal, never another exception; and what is written is a legal conversation.</summary>
public sealed class RequestFuzzTests
{
    private static readonly AnthropicProtocol Anthropic = new();
    private static readonly GeminiProtocol Gemini = new(), Legacy = new(new GeminiTraits { LegacySchema = true });

    private static readonly byte[] AnthropicBody = """
        {"model":"claude-x","max_tokens":100,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"thinking":{"type":"enabled","budget_tokens":2000},
         "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"$ref":"#/$defs/T"}},"required":["a"],"$defs":{"T":{"anyOf":[{"type":"string"},{"type":"null"}]}}}}],
         "tool_choice":{"type":"auto"},"messages":[{"role":"user","content":"go"},
         {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"sig"},{"type":"text","text":"x"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}},{"type":"tool_use","id":"t2","name":"f","input":{}}]},
         {"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAAANSUhEUg=="}}]},{"type":"tool_result","tool_use_id":"t1","is_error":true}]},
         {"role":"system","content":"rule"},{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"w"}}]}]}
        """u8.ToArray();

    private static readonly byte[] GeminiBody = """
        {"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"text":"t","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"f"}}]},
         {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"r"}}},{"functionResponse":{"name":"f","response":{"x":1}}},{"text":"and"}]}],
         "systemInstruction":{"parts":[{"text":"s"}]},"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}},"required":["a"]}}]}],
         "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"temperature":0.5,"maxOutputTokens":50,"thinkingConfig":{"thinkingBudget":100}}}
        """u8.ToArray();

    [Theory]
    [InlineData("claude-opus-4-5")]
    [InlineData("claude-sonnet-5-5")]
    [InlineData("gemini-2.5-pro")]
    [InlineData("gemini-3.8-flash")]
    public void DamagedRequests_AreAnsweredOrRefused(string model)
    {
        var random = new Random(model.Length);
        int written = 0;
        for (int round = 0; round < 2500; round++)
        {
            bool isAnthropic = random.Next(2) == 0;
            byte[] body = round == 0 ? AnthropicBody : round == 1 ? GeminiBody : Wire.Mutate(isAnthropic ? AnthropicBody : GeminiBody, random);
            IClientProtocol client = round == 0 || (round > 1 && isAnthropic) ? Anthropic : Gemini;
            foreach (IUpstreamProtocol target in (IUpstreamProtocol[])[Anthropic, Gemini, Legacy])
            {
                if (Translate(client, target, body, model) is not { } sent) continue;
                written++;
                if (target == Anthropic) CheckMessages(sent.GetProperty("messages"));
                else CheckContents(sent.GetProperty("contents"));
            }
        }
        Assert.InRange(written, 500, 7500);
    }

    private static JsonElement? Translate(IClientProtocol client, IUpstreamProtocol target, byte[] body, string model)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 256 });
        }
        catch (JsonException)
        {
            return null;
        }
        try
        {
            ChatRequest request = client.ReadRequest(document.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = model, Stream = true });
            return JsonDocument.Parse(Wire.Text(output => target.WriteRequest(output, request))).RootElement;
        }
        catch (ProtocolException refused)
        {
            Assert.NotEmpty(refused.Error.Message);
            return null;
        }
    }

    /// <summary>Roles alternate, the user begins, each call is answered in the next message and nothing else is.</summary>
    private static void CheckMessages(JsonElement messages)
    {
        List<string> open = [];
        string role = "assistant";
        foreach (JsonElement message in messages.EnumerateArray())
        {
            string next = message.GetProperty("role").GetString()!;
            Assert.True(next != role, "roles alternate");
            role = next;
            List<JsonElement> blocks = [.. message.GetProperty("content").EnumerateArray()];
            Assert.NotEmpty(blocks);
            List<string> answered = [.. blocks.Where(block => Type(block) == "tool_result").Select(block => block.GetProperty("tool_use_id").GetString()!)];
            if (next == "user")
            {
                Assert.Equal(open, answered);
                open = [];
            }
            Assert.All(blocks.Where(block => Type(block) == "text"), block => Assert.False(string.IsNullOrWhiteSpace(block.GetProperty("text").GetString())));
            if (next == "assistant") open = [.. blocks.Where(block => Type(block) == "tool_use").Select(block => block.GetProperty("id").GetString()!)];
        }
        Assert.Empty(open);
    }

    private static string? Type(JsonElement block) => block.GetProperty("type").GetString();

    private static void CheckContents(JsonElement contents)
    {
        List<string> open = [];
        string role = "model";
        foreach (JsonElement content in contents.EnumerateArray())
        {
            string next = content.GetProperty("role").GetString()!;
            Assert.NotEqual(role, next);
            role = next;
            List<JsonElement> parts = [.. content.GetProperty("parts").EnumerateArray()];
            Assert.NotEmpty(parts);
            Assert.Equal(open, Names(parts, "functionResponse"));
            open = Names(parts, "functionCall");
        }
        Assert.Equal("user", role);
    }

    private static List<string> Names(List<JsonElement> parts, string member) =>
        [.. parts.Where(part => part.TryGetProperty(member, out _)).Select(part => part.GetProperty(member).GetProperty("name").GetString()!)];
}
