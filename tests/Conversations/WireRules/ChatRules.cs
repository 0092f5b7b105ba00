using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Rules of POST /v1/chat/completions at OpenAI.</summary>
public sealed partial class ChatRules(JsonElement body)
{
    private const int LongestId = 64;

    public IEnumerable<string> Check() => [.. Options(), .. Tools(), .. Messages()];

    private IEnumerable<string> Options()
    {
        if (body.Get("max_tokens") is not null && body.Get("max_completion_tokens") is not null) yield return "both limits";
        if ((body.Get("max_completion_tokens") ?? body.Get("max_tokens")) is { } limit && (limit.ValueKind != JsonValueKind.Number || limit.GetInt64() < 1)) yield return "limit below 1";
        if (body.Get("temperature") is { } temperature && temperature.GetDouble() is < 0 or > 2) yield return "temperature out of its range";
        if (body.Get("top_p") is { } top && top.GetDouble() is < 0 or > 1) yield return "top_p out of its range";
        if (body.List("stop").Count > 4) yield return "more than four stops";
        if (body.Get("user") is { ValueKind: JsonValueKind.String } user && user.GetString()!.Length > 64) yield return "user too long";
        if (body.Text("safety_identifier") is { Length: > 64 }) yield return "safety_identifier too long";
        if (body.Get("stream_options") is not null && body.Get("stream") is not { ValueKind: JsonValueKind.True }) yield return "stream_options without stream";
        if (body.Get("response_format") is { } format)
        {
            if (format.Text("type") is not ("text" or "json_object" or "json_schema")) yield return "response_format of no known type";
            if (format.Text("type") == "json_schema" && !NamePattern().IsMatch(format.Get("json_schema").Text("name") ?? "")) yield return "name of the schema";
        }
    }

    private IEnumerable<string> Tools()
    {
        var names = new HashSet<string>();
        foreach (JsonElement tool in body.List("tools"))
        {
            JsonElement? inner = tool.Get(tool.Text("type") ?? "");
            if (tool.Text("type") is not ("function" or "custom")) yield return $"tool of type {tool.Text("type")}";
            string name = inner.Text("name") ?? "";
            if (!NamePattern().IsMatch(name)) yield return $"tool name {name}";
            if (!names.Add(name)) yield return $"tool {name} twice";
            if (inner.Get("parameters") is { } schema && (schema.ValueKind != JsonValueKind.Object || schema.Text("type") != "object")) yield return $"parameters of {name} are no object";
            if (inner.Get("parameters") is { } root && (root.Get("anyOf") ?? root.Get("oneOf") ?? root.Get("allOf")) is not null) yield return $"a choice at the root of {name}";
        }
        if (body.Get("tools") is not null && names.Count == 0) yield return "an empty list of tools";
        if (names.Count == 0 && (body.Get("tool_choice") ?? body.Get("parallel_tool_calls")) is not null) yield return "tool_choice or parallel_tool_calls without tools";
        if (body.Get("tool_choice") is { ValueKind: JsonValueKind.Object } choice)
        {
            IEnumerable<JsonElement> named = choice.Text("type") == "allowed_tools" ? choice.Get("allowed_tools").List("tools") : [choice];
            foreach (JsonElement one in named)
            {
                if (!names.Contains(one.Get(one.Text("type") ?? "").Text("name") ?? "")) yield return "tool_choice names no tool";
            }
        }
    }

    private IEnumerable<string> Messages()
    {
        List<string> open = [];
        int count = 0;
        foreach (JsonElement message in body.List("messages"))
        {
            count++;
            string role = message.Text("role") ?? "";
            if (role == "tool")
            {
                if (!open.Remove(message.Text("tool_call_id") ?? "")) yield return $"result of no open call {message.Text("tool_call_id")}";
                if (message.Get("content") is null || message.List("content").Any(static part => part.Text("type") != "text")) yield return "a result that is no text";
                continue;
            }
            if (open.Count > 0) yield return $"calls without results: {string.Join(' ', open)}";
            if (role is not ("system" or "developer" or "user" or "assistant")) yield return $"role {role}";
            open = [];
            foreach (JsonElement call in message.List("tool_calls"))
            {
                string id = call.Text("id") ?? "";
                JsonElement? inner = call.Get(call.Text("type") ?? "");
                if (id.Length is 0 or > LongestId) yield return $"call id {id}";
                if (open.Contains(id)) yield return "one id for two calls";
                if (!NamePattern().IsMatch(inner.Text("name") ?? "")) yield return $"call name {inner.Text("name")}";
                if (!inner.Get(call.Text("type") == "custom" ? "input" : "arguments").IsString()) yield return "arguments are no string";
                open.Add(id);
            }
            if (message.Get("tool_calls") is not null && open.Count == 0) yield return "an empty list of calls";
            if (message.Get("content") is null && (role != "assistant" || open.Count == 0)) yield return $"{role} without content";
            foreach (JsonElement part in message.List("content"))
            {
                if (Part(part, role) is { } fault) yield return fault;
            }
            if (message.Get("content") is { ValueKind: JsonValueKind.Array } content && content.GetArrayLength() == 0) yield return "an empty list of parts";
        }
        if (open.Count > 0) yield return "the last calls have no result";
        if (count == 0) yield return "no messages";
    }

    private static string? Part(JsonElement part, string role) => (part.Text("type"), role) switch
    {
        ("text", _) => part.Get("text").IsString() ? null : "a text part without text",
        ("refusal", "assistant") => part.Get("refusal").IsString() ? null : "a refusal part without text",
        ("image_url", "user") => part.Get("image_url").Text("url") is { } url && (url.StartsWith("http", StringComparison.OrdinalIgnoreCase) || url.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase)) ? null : "image url",
        ("input_audio", "user") => part.Get("input_audio").Text("format") is "wav" or "mp3" && !string.IsNullOrEmpty(part.Get("input_audio").Text("data")) ? null : "audio part",
        ("file", "user") => (part.Get("file").Text("file_data") ?? part.Get("file").Text("file_id")) is { Length: > 0 } ? null : "file part",
        (var type, _) => $"a part {type} of {role}",
    };

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex NamePattern();
}
