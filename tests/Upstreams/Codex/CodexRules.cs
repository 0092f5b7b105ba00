using System.Text.Json;

namespace Aiproxy.Tests.Upstreams.Codex;

/// <summary>What the Codex back end refuses in a body: the answer it gives, or null.</summary>
public static class CodexRules
{
    private static readonly string[] Refused =
    [
        "max_output_tokens", "max_completion_tokens", "max_tokens", "temperature", "top_p", "truncation", "user", "prompt_cache_retention", "prompt_cache_options",
        "safety_identifier", "stream_options", "context_management", "generate", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty", "background",
        "conversation", "max_tool_calls", "metadata", "previous_response_id",
    ];

    public static string? Refusal(JsonElement body)
    {
        if (!body.TryGetProperty("instructions", out JsonElement instructions) || instructions.ValueKind != JsonValueKind.String) return "Instructions are required";
        if (!body.TryGetProperty("store", out JsonElement store) || store.ValueKind != JsonValueKind.False) return "Store must be set to false";
        if (!body.TryGetProperty("stream", out JsonElement stream) || stream.ValueKind != JsonValueKind.True) return "Stream must be set to true";
        foreach (string name in Refused)
            if (body.TryGetProperty(name, out _)) return "Unsupported parameter: " + name;
        if (!body.TryGetProperty("input", out JsonElement input) || input.ValueKind != JsonValueKind.Array) return "Input must be a list";
        if (body.TryGetProperty("service_tier", out JsonElement tier) && tier.GetString() != "priority") return "Unsupported service_tier";
        if (body.TryGetProperty("parallel_tool_calls", out _) && !(body.TryGetProperty("tools", out JsonElement some) && some.GetArrayLength() > 0)) return "parallel_tool_calls without tools";
        foreach (JsonElement item in input.EnumerateArray())
            if (OfItem(item) is { } refusal) return refusal;
        if (!body.TryGetProperty("tools", out JsonElement tools)) return null;
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            if (tool.GetProperty("type").GetString()!.StartsWith("web_search_preview", StringComparison.Ordinal)) return "Unsupported tool type";
            if (tool.TryGetProperty("name", out JsonElement name) && !IsName(name.GetString()!)) return "Invalid tool name";
        }
        return null;
    }

    private static string? OfItem(JsonElement item)
    {
        if (item.TryGetProperty("id", out JsonElement id)) return $"Item with id '{id}' not found. Items are not persisted when store is set to false.";
        if (item.TryGetProperty("type", out JsonElement type) && type.GetString() == "item_reference") return "Item not found. Items are not persisted when store is set to false.";
        if (item.TryGetProperty("role", out JsonElement role) && role.GetString() == "system") return "System messages are not allowed";
        if (item.TryGetProperty("call_id", out JsonElement call) && call.GetString()!.Length > 64) return "Invalid call_id: string too long";
        if (item.TryGetProperty("type", out type) && type.GetString() == "function_call" && !IsName(item.GetProperty("name").GetString()!)) return "Invalid name in function_call";
        if (item.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.Array)
            foreach (JsonElement part in content.EnumerateArray())
                if (part.TryGetProperty("prompt_cache_breakpoint", out _)) return "Unsupported parameter: prompt_cache_breakpoint";
        return null;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 64 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
