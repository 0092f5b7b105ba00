using System.Text;
using System.Text.Json;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What a client has understood of an answer, whatever its protocol.</summary>
/// <param name="Finish">The protocol's own word.</param>
public sealed record Heard(string Text, string Thinking, string? Tool, string Arguments, long Input, long Output, string? Finish)
{
    public static Heard Of(string client, bool stream, string body)
    {
        var heard = new Heard("", "", null, "", 0, 0, null);
        foreach (JsonElement part in stream ? Parts(body) : [JsonDocument.Parse(body).RootElement.Clone()])
        {
            heard = client switch
            {
                "anthropic" => stream ? heard.AnthropicEvent(part) : heard.Anthropic(part),
                "openai" => heard.Chat(part),
                "responses" => stream ? heard.ResponsesEvent(part) : heard.Responses(part),
                _ => heard.Gemini(part),
            };
        }
        return heard;
    }

    /// <summary>Checks the grammar of a stream.</summary>
    public static StreamEnd Check(string client, byte[] bytes, bool forwarded) => client switch
    {
        "anthropic" => AnthropicStream.Check(bytes),
        "openai" => ChatStream.Check(bytes, usageAsked: true, forwarded),
        "responses" => ResponsesStream.Check(bytes, forwarded),
        _ => GeminiStream.CheckSse(bytes, forwarded),
    };

    /// <summary>A client's word for an answer that came to its end.</summary>
    public static string FinishOf(string client, bool isCall) => client switch
    {
        "anthropic" => isCall ? "tool_use" : "end_turn",
        "openai" => isCall ? "tool_calls" : "stop",
        "responses" => "completed",
        _ => "STOP",
    };

    private static IEnumerable<JsonElement> Parts(string body) =>
        SseText.Parse(body).Where(block => block.Data is { } data && data.TrimStart().StartsWith('{')).Select(block => JsonDocument.Parse(block.Data!).RootElement.Clone());

    private Heard Anthropic(JsonElement message)
    {
        Heard heard = this with { Finish = String(message, "stop_reason") };
        foreach (JsonElement block in Items(message, "content")) heard = heard.AnthropicBlock(block) with { Arguments = Raw(block, "input") ?? heard.Arguments };
        return heard.AnthropicUsage(message);
    }

    private Heard AnthropicEvent(JsonElement told) => String(told, "type") switch
    {
        "message_start" => AnthropicUsage(told.GetProperty("message")),
        "content_block_start" => AnthropicBlock(told.GetProperty("content_block")),
        "content_block_delta" => AnthropicBlock(told.GetProperty("delta")),
        "message_delta" => AnthropicUsage(told) with { Finish = String(told.GetProperty("delta"), "stop_reason") ?? Finish },
        _ => this,
    };

    private Heard AnthropicBlock(JsonElement block) => this with
    {
        Text = Text + String(block, "text"),
        Thinking = Thinking + String(block, "thinking"),
        Tool = String(block, "type") == "tool_use" ? String(block, "name") : Tool,
        Arguments = Arguments + String(block, "partial_json"),
    };

    private Heard AnthropicUsage(JsonElement message) => !message.TryGetProperty("usage", out JsonElement usage) ? this : this with
    {
        // What a stream begins with may be an estimate; its end tells the count.
        Input = usage.TryGetProperty("input_tokens", out _) ? Number(usage, "input_tokens") + Number(usage, "cache_read_input_tokens") + Number(usage, "cache_creation_input_tokens") : Input,
        Output = Number(usage, "output_tokens"),
    };

    private Heard Chat(JsonElement told)
    {
        Heard heard = this;
        foreach (JsonElement choice in Items(told, "choices"))
        {
            JsonElement message = choice.TryGetProperty("delta", out JsonElement delta) ? delta : choice.GetProperty("message");
            heard = heard with
            {
                Text = heard.Text + String(message, "content"),
                Thinking = heard.Thinking + String(message, "reasoning_content"),
                Finish = String(choice, "finish_reason") ?? heard.Finish,
            };
            foreach (JsonElement call in Items(message, "tool_calls"))
                if (call.TryGetProperty("function", out JsonElement function)) heard = heard with { Tool = String(function, "name") ?? heard.Tool, Arguments = heard.Arguments + String(function, "arguments") };
        }
        return told.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object
            ? heard with { Input = Number(usage, "prompt_tokens"), Output = Number(usage, "completion_tokens") }
            : heard;
    }

    private Heard ResponsesEvent(JsonElement told) => String(told, "type") switch
    {
        "response.output_text.delta" => this with { Text = Text + String(told, "delta") },
        "response.reasoning_summary_text.delta" or "response.reasoning_text.delta" => this with { Thinking = Thinking + String(told, "delta") },
        "response.function_call_arguments.delta" => this with { Arguments = Arguments + String(told, "delta") },
        "response.output_item.added" when String(told.GetProperty("item"), "type") == "function_call" => this with { Tool = String(told.GetProperty("item"), "name") },
        "response.completed" => this.ResponsesUsage(told.GetProperty("response")) with { Finish = String(told.GetProperty("response"), "status") },
        _ => this,
    };

    private Heard Responses(JsonElement response)
    {
        Heard heard = this with { Finish = String(response, "status") };
        foreach (JsonElement item in Items(response, "output"))
        {
            foreach (JsonElement part in Items(item, "content")) heard = heard with { Text = heard.Text + String(part, "text") };
            foreach (JsonElement part in Items(item, "summary")) heard = heard with { Thinking = heard.Thinking + String(part, "text") };
            if (String(item, "type") == "function_call") heard = heard with { Tool = String(item, "name"), Arguments = String(item, "arguments") ?? "" };
        }
        return heard.ResponsesUsage(response);
    }

    private Heard ResponsesUsage(JsonElement response) => this with { Input = Number(response.GetProperty("usage"), "input_tokens"), Output = Number(response.GetProperty("usage"), "output_tokens") };

    private Heard Gemini(JsonElement chunk)
    {
        Heard heard = this;
        foreach (JsonElement candidate in Items(chunk, "candidates"))
        {
            heard = heard with { Finish = String(candidate, "finishReason") ?? heard.Finish };
            if (!candidate.TryGetProperty("content", out JsonElement content)) continue;
            foreach (JsonElement part in Items(content, "parts"))
            {
                bool isThought = part.TryGetProperty("thought", out JsonElement thought) && thought.ValueKind == JsonValueKind.True;
                heard = isThought ? heard with { Thinking = heard.Thinking + String(part, "text") } : heard with { Text = heard.Text + String(part, "text") };
                if (part.TryGetProperty("functionCall", out JsonElement call)) heard = heard with { Tool = String(call, "name"), Arguments = Raw(call, "args") ?? "" };
            }
        }
        if (chunk.TryGetProperty("usageMetadata", out JsonElement usage))
            heard = heard with { Input = Number(usage, "promptTokenCount"), Output = Number(usage, "candidatesTokenCount") + Number(usage, "thoughtsTokenCount") };
        return heard;
    }

    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static string? String(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Raw(JsonElement parent, string name) => parent.TryGetProperty(name, out JsonElement value) ? value.GetRawText() : null;

    private static long Number(JsonElement parent, string name) => parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;
}
