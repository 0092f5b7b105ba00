using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Rules of POST /v1/messages.</summary>
public sealed partial class AnthropicRules(JsonElement body)
{
    private const int MostBreakpoints = 4;

    private static readonly string[] s_images = ["image/jpeg", "image/png", "image/gif", "image/webp"];

    public IEnumerable<string> Check() => [.. Limits(), .. Tools(), .. Messages(), .. Blocks()];

    private IEnumerable<string> Limits()
    {
        if (body.Get("max_tokens") is not { ValueKind: JsonValueKind.Number } limit || limit.GetInt64() < 1) yield return "max_tokens is missing or below 1";
        else if (body.Get("thinking").Get("budget_tokens") is { } budget && (budget.GetInt64() < 1024 || budget.GetInt64() >= limit.GetInt64())) yield return "budget_tokens out of its range";
        if (body.Get("thinking").Text("type") == "enabled")
        {
            if (body.Get("temperature") is { } warm && warm.GetDouble() != 1) yield return "temperature beside thinking";
            if (body.Get("top_k") is not null) yield return "top_k beside thinking";
            if (body.Get("tool_choice").Text("type") is "any" or "tool") yield return "forced tool beside thinking";
        }
        if (body.Get("temperature") is { } temperature && temperature.GetDouble() is < 0 or > 1) yield return "temperature out of its range";
        if (body.Get("temperature") is not null && body.Get("top_p") is not null) yield return "temperature and top_p";
        if (Breakpoints(body) > MostBreakpoints) yield return "more than four cache breakpoints";
        foreach (JsonElement stop in body.List("stop_sequences"))
        {
            if (string.IsNullOrWhiteSpace(stop.GetString())) yield return "a stop sequence of white space";
        }
    }

    private IEnumerable<string> Tools()
    {
        var names = new HashSet<string>();
        foreach (JsonElement tool in body.List("tools"))
        {
            if (!NamePattern().IsMatch(tool.Text("name") ?? "")) yield return $"tool name {tool.Text("name")}";
            if (!names.Add(tool.Text("name") ?? "")) yield return $"tool {tool.Text("name")} twice";
            if (tool.Text("type") is not (null or "custom")) continue;
            if (tool.Get("input_schema").Text("type") != "object") yield return $"input_schema of {tool.Text("name")} is no object";
            foreach (string word in (string[])["oneOf", "anyOf", "allOf"])
            {
                if (tool.Get("input_schema").Get(word) is not null) yield return $"{word} at the root of {tool.Text("name")}";
            }
        }
        if (body.Get("tool_choice") is { } choice)
        {
            if (names.Count == 0) yield return "tool_choice without tools";
            if (choice.Text("type") is not ("auto" or "any" or "none" or "tool")) yield return "tool_choice of no known type";
            if (choice.Text("type") == "tool" && !names.Contains(choice.Text("name") ?? "")) yield return "tool_choice names no tool";
        }
        bool hasCalls = body.List("messages").Any(static message => message.List("content").Any(static block => block.Text("type") is "tool_use" or "tool_result"));
        if (hasCalls && names.Count == 0) yield return "calls in the history without tools";
    }

    private IEnumerable<string> Messages()
    {
        List<string> open = [];
        string last = "";
        foreach (JsonElement message in body.List("messages"))
        {
            string role = message.Text("role") ?? "";
            List<JsonElement> blocks = message.List("content");
            if (role is not ("user" or "assistant" or "system")) yield return $"role {role}";
            if (last.Length == 0 && role != "user") yield return "the first message is not the user's";
            if (role == last && role != "system") yield return "two messages of one role";
            if (blocks.Count == 0) yield return "a message without content";
            last = role;
            if (role == "system") continue;
            List<string> answered = [.. blocks.Where(static block => block.Text("type") == "tool_result").Select(static block => block.Text("tool_use_id") ?? "")];
            if (!open.Order().SequenceEqual(answered.Order())) yield return $"open calls [{string.Join(' ', open)}] and results [{string.Join(' ', answered)}]";
            int firstOther = blocks.FindIndex(static block => block.Text("type") != "tool_result"), lastResult = blocks.FindLastIndex(static block => block.Text("type") == "tool_result");
            if (firstOther >= 0 && lastResult > firstOther) yield return "a result behind another block";
            open = [.. blocks.Where(static block => block.Text("type") == "tool_use").Select(static block => block.Text("id") ?? "")];
            if (open.Distinct().Count() != open.Count) yield return "one id for two calls";
        }
        if (last.Length == 0) yield return "no messages";
        if (open.Count > 0) yield return "the last calls have no result";
        if (last == "assistant") yield return "the last message is the assistant's";
    }

    private IEnumerable<string> Blocks()
    {
        foreach (JsonElement message in body.List("messages"))
        {
            bool isUser = message.Text("role") == "user";
            foreach (JsonElement block in message.List("content"))
            {
                string? fault = block.Text("type") switch
                {
                    "text" => string.IsNullOrWhiteSpace(block.Text("text")) ? "empty text" : null,
                    "tool_use" => isUser ? "a call of the user" : !IdPattern().IsMatch(block.Text("id") ?? "") ? "call id" : !NamePattern().IsMatch(block.Text("name") ?? "") ? "call name" : block.Get("input").IsObject() ? null : "input is no object",
                    "tool_result" => Result(block),
                    "thinking" => isUser ? "thinking of the user" : block.Text("thinking") is null || string.IsNullOrEmpty(block.Text("signature")) ? "thinking without its signature" : null,
                    "redacted_thinking" => string.IsNullOrEmpty(block.Text("data")) ? "redacted thinking without data" : null,
                    "image" => isUser ? Image(block) : "an image of the assistant",
                    "document" => isUser ? null : "a document of the assistant",
                    null => "a block without a type",
                    _ => null,
                };
                if (fault is not null) yield return $"{fault}: {block.GetRawText()[..Math.Min(80, block.GetRawText().Length)]}";
            }
        }
        foreach (JsonElement block in body.List("system"))
        {
            if (block.Text("type") != "text" || string.IsNullOrWhiteSpace(block.Text("text"))) yield return "a system block that is no text";
        }
    }

    private static string? Result(JsonElement block)
    {
        foreach (JsonElement part in block.List("content"))
        {
            if (part.Text("type") == "text" && string.IsNullOrWhiteSpace(part.Text("text"))) return "empty text in a result";
            if (part.Text("type") is not ("text" or "image" or "document" or "search_result" or "tool_reference")) return $"{part.Text("type")} in a result";
            if (part.Text("type") == "image" && Image(part) is { } fault) return fault;
        }
        return null;
    }

    private static string? Image(JsonElement block)
    {
        JsonElement? source = block.Get("source");
        return source.Text("type") switch
        {
            "base64" => s_images.Contains(source.Text("media_type")) && !string.IsNullOrEmpty(source.Text("data")) ? null : "image source",
            "url" => source.Text("url")?.StartsWith("http", StringComparison.OrdinalIgnoreCase) == true ? null : "image url",
            "file" => string.IsNullOrEmpty(source.Text("file_id")) ? "image file" : null,
            _ => "image without a source",
        };
    }

    private static int Breakpoints(JsonElement value) => value.ValueKind switch
    {
        // What a schema or an argument is called is the client's.
        JsonValueKind.Object => value.EnumerateObject().Sum(static member => member.Name switch
        {
            "cache_control" => member.Value.ValueKind == JsonValueKind.Null ? 0 : 1,
            "input_schema" or "input" => 0,
            _ => Breakpoints(member.Value),
        }),
        JsonValueKind.Array => value.EnumerateArray().Sum(Breakpoints),
        _ => 0,
    };

    [GeneratedRegex("^[a-zA-Z0-9_-]+$")]
    private static partial Regex IdPattern();

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,128}$")]
    private static partial Regex NamePattern();
}
