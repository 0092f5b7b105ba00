using System.Text.Json;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>What a vendor answers a request with 400 for, as far as its pages and bug reports tell: written beside the writers, not with them.</summary>
public static class WireRules
{
    /// <returns>A line for each rule that the body breaks.</returns>
    public static List<string> Check(string protocol, ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 512 });
        JsonElement root = document.RootElement;
        return
        [
            .. protocol switch
            {
                "anthropic" => new AnthropicRules(root).Check(),
                "openai" => new ChatRules(root).Check(),
                "responses" => new ResponsesRules(root).Check(),
                "gemini" => new GeminiRules(root).Check(),
                _ => throw new ArgumentException($"no rules of {protocol}"),
            },
        ];
    }
}
