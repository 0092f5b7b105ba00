using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Rules of POST /v1/responses at OpenAI, for a request that stores nothing.</summary>
public sealed partial class ResponsesRules(JsonElement body)
{
    private const int LongestId = 64, LeastLimit = 16;

    public IEnumerable<string> Check() => [.. Options(), .. Tools(), .. Items()];

    private IEnumerable<string> Options()
    {
        if (body.Get("max_output_tokens") is { } limit && (limit.ValueKind != JsonValueKind.Number || limit.GetInt64() < LeastLimit)) yield return "limit below 16";
        if (body.Get("temperature") is { } temperature && temperature.GetDouble() is < 0 or > 2) yield return "temperature out of its range";
        if (body.Get("top_p") is { } top && top.GetDouble() is < 0 or > 1) yield return "top_p out of its range";
        if (body.Text("safety_identifier") is { Length: > 64 }) yield return "safety_identifier too long";
        if (body.Get("stop") is not null) yield return "there are no stops";
        if (body.Get("text").Get("format") is { } format)
        {
            if (format.Text("type") is not ("text" or "json_object" or "json_schema")) yield return "format of no known type";
            if (format.Text("type") == "json_schema" && (!NamePattern().IsMatch(format.Text("name") ?? "") || !format.Get("schema").IsObject())) yield return "format without name or schema";
        }
    }

    private IEnumerable<string> Tools()
    {
        var names = new HashSet<string>();
        foreach (JsonElement tool in body.List("tools"))
        {
            if (tool.Text("type") is not ("function" or "custom")) continue;
            string name = tool.Text("name") ?? "";
            if (!NamePattern().IsMatch(name)) yield return $"tool name {name}";
            if (!names.Add(name)) yield return $"tool {name} twice";
            if (tool.Text("type") != "function") continue;
            if (tool.Get("strict") is null) yield return $"strict of {name} is left to the default";
            if (tool.Get("parameters").Text("type") != "object") yield return $"parameters of {name} are no object";
        }
        if (body.Get("tool_choice") is { ValueKind: JsonValueKind.Object } choice)
        {
            foreach (JsonElement one in choice.Text("type") == "allowed_tools" ? choice.List("tools") : [choice])
            {
                if (one.Text("type") is "function" or "custom" && !names.Contains(one.Text("name") ?? "")) yield return "tool_choice names no tool";
            }
        }
        if (body.Get("tool_choice") is not null && body.List("tools").Count == 0) yield return "tool_choice without tools";
    }

    private IEnumerable<string> Items()
    {
        List<JsonElement> items = body.List("input");
        if (items.Count == 0) yield return "no input";
        var open = new Dictionary<string, string>();
        for (int i = 0; i < items.Count; i++)
        {
            JsonElement item = items[i];
            string type = item.Text("type") ?? "message", call = item.Text("call_id") ?? "";
            switch (type)
            {
                case "message":
                    foreach (string fault in Message(item)) yield return fault;
                    break;
                case "function_call" or "custom_tool_call":
                    if (call.Length is 0 or > LongestId) yield return $"call id {call}";
                    if (!NamePattern().IsMatch(item.Text("name") ?? "")) yield return $"call name {item.Text("name")}";
                    if (!item.Get(type == "function_call" ? "arguments" : "input").IsString()) yield return "arguments are no string";
                    if (!open.TryAdd(call, type)) yield return $"one id for two open calls: {call}";
                    break;
                case "function_call_output" or "custom_tool_call_output":
                    if (!open.Remove(call, out string? kind) || type != kind + "_output") yield return $"output of no open call {call}";
                    if (item.Get("output") is null) yield return "an item without output";
                    break;
                case "reasoning":
                    if (string.IsNullOrEmpty(item.Text("encrypted_content"))) yield return "reasoning that nobody can look up";
                    if (item.Get("summary") is not { ValueKind: JsonValueKind.Array }) yield return "reasoning without a summary";
                    string follower = i + 1 < items.Count ? items[i + 1].Text("type") ?? "message" : "";
                    if (follower is not ("reasoning" or "function_call" or "custom_tool_call" or "message") || (follower == "message" && items[i + 1].Text("role") != "assistant")) yield return "reasoning without the item that follows it";
                    break;
                // Hosted tools keep their items, which only this wire has.
                case "compaction" or "mcp_list_tools" or "mcp_approval_request" or "mcp_approval_response" or "tool_search_output" or "program" or "program_output":
                    break;
                default:
                    if (!type.EndsWith("_call", StringComparison.Ordinal) && !type.EndsWith("_call_output", StringComparison.Ordinal)) yield return $"item of type {type}";
                    break;
            }
            if (type is "message" or "function_call" or "custom_tool_call" or "function_call_output" or "custom_tool_call_output" && item.Text("id") is not null) yield return "an id that the server does not know";
        }
        if (open.Count > 0) yield return $"calls without outputs: {string.Join(' ', open.Keys)}";
    }

    private static IEnumerable<string> Message(JsonElement item)
    {
        string role = item.Text("role") ?? "";
        if (role is not ("user" or "assistant" or "system" or "developer")) yield return $"role {role}";
        if (item.Get("content") is not { ValueKind: JsonValueKind.String or JsonValueKind.Array } content) yield return "a message without content";
        else if (content.ValueKind == JsonValueKind.Array && content.GetArrayLength() == 0) yield return "a message without parts";
        foreach (JsonElement part in item.List("content"))
        {
            bool holds = (part.Text("type"), role) switch
            {
                ("output_text", "assistant") => part.Get("text").IsString(),
                ("refusal", "assistant") => part.Get("refusal").IsString(),
                ("input_text", not "assistant") => part.Get("text").IsString(),
                ("input_image", not "assistant") => (part.Text("image_url") ?? part.Text("file_id")) is { Length: > 0 },
                ("input_file", not "assistant") => (part.Text("file_data") ?? part.Text("file_id") ?? part.Text("file_url")) is { Length: > 0 },
                _ => false,
            };
            if (!holds) yield return $"a part {part.Text("type")} of {role}";
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex NamePattern();
}
