using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What Anthropic's Messages API refuses in a body, as far as translations could go wrong with it.</summary>
public static class MessagesRules
{
    public static string? Broken(JsonElement body)
    {
        if (body.TryGetProperty("betas", out _)) return "betas: Extra inputs are not permitted";
        if (!body.TryGetProperty("max_tokens", out JsonElement max)) return "max_tokens: Field required";
        if (!body.TryGetProperty("messages", out JsonElement messages) || messages.GetArrayLength() == 0) return "messages: at least one message is required";
        if (body.TryGetProperty("tools", out JsonElement tools))
        {
            foreach (JsonElement tool in tools.EnumerateArray())
            {
                if (!Regex.IsMatch(tool.GetProperty("name").GetString()!, "^[a-zA-Z0-9_-]{1,128}$")) return "tools.0.name: String should match pattern";
                if (!tool.TryGetProperty("input_schema", out JsonElement schema) || schema.GetProperty("type").GetString() != "object") return "tools.0.input_schema: Field required";
            }
        }
        if (body.TryGetProperty("thinking", out JsonElement thinking) && thinking.GetProperty("type").GetString() is "enabled" or "adaptive")
        {
            if (thinking.TryGetProperty("budget_tokens", out JsonElement budget) && (budget.GetInt64() < 1024 || budget.GetInt64() >= max.GetInt64())) return "`max_tokens` must be greater than `thinking.budget_tokens`";
            if (body.TryGetProperty("temperature", out JsonElement heat) && heat.GetDouble() != 1) return "`temperature` may only be set to 1 when thinking is enabled";
            if (body.TryGetProperty("top_k", out _)) return "`top_k` must be unset when thinking is enabled";
        }
        return Turns(messages);
    }

    private static string? Turns(JsonElement messages)
    {
        var open = new HashSet<string>();
        foreach (JsonElement message in messages.EnumerateArray())
        {
            if (message.GetProperty("role").GetString() is not ("user" or "assistant" or "system")) return "messages: Unexpected role";
            JsonElement content = message.GetProperty("content");
            if (content.ValueKind == JsonValueKind.String)
            {
                if (content.GetString()!.Length == 0) return "messages: content must not be empty";
                if (open.Count > 0) return "`tool_use` ids were found without `tool_result` blocks immediately after";
                continue;
            }
            if (content.GetArrayLength() == 0) return "messages: content must not be empty";
            var calls = new HashSet<string>();
            foreach (JsonElement block in content.EnumerateArray())
            {
                switch (block.GetProperty("type").GetString())
                {
                    case "text" when block.GetProperty("text").GetString()!.Length == 0: return "messages: text content blocks must be non-empty";
                    case "tool_use": calls.Add(block.GetProperty("id").GetString()!); break;
                    case "tool_result" when !open.Remove(block.GetProperty("tool_use_id").GetString()!): return "unexpected `tool_use_id` found in `tool_result` blocks";
                }
            }
            if (open.Count > 0) return "`tool_use` ids were found without `tool_result` blocks immediately after";
            open = calls;
        }
        return null;
    }
}
