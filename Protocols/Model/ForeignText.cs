using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>What of a server tool's block can be read by a model of another provider: results in words, never the call, and never half a pair.</summary>
public static class ForeignText
{
    /// <summary>Longer results are left out: they cost more than they inform, and the answer that was made of them stands behind.</summary>
    public const int MaxCharacters = 4000;

    /// <summary>The result as text; null: there is none, or it is not short.</summary>
    public static TextPart? Of(ForeignPart part)
    {
        var lines = new List<string>();
        foreach (JsonElement result in Results(part)) Collect(result, lines);
        if (lines.Count == 0 || lines.Sum(static line => line.Length + 1) > MaxCharacters) return null;
        return new TextPart(new JsonText($"[result of {Name(part)}]\n{string.Join('\n', lines)}")) { Path = part.Path, CacheHint = part.CacheHint, IsApart = true };
    }

    /// <summary>Where the block keeps what its tool found.</summary>
    private static IEnumerable<JsonElement> Results(ForeignPart part)
    {
        if (part.Raw.ValueKind != JsonValueKind.Object) return [];
        return (part.Protocol, part.Type) switch
        {
            // Which tools were found means nothing where all are declared.
            ("anthropic", "tool_search_tool_result") => [],
            ("anthropic", var type) when type.EndsWith("_tool_result", StringComparison.Ordinal) => Members(part.Raw, "content"),
            ("responses", "web_search_call") => [.. Members(part.Raw, "action").SelectMany(static action => Members(action, "sources")), .. Members(part.Raw, "results")],
            ("responses", "tool_search_output" or "program_output" or "image_generation_call") => [],
            ("responses", var type) when type.EndsWith("_call", StringComparison.Ordinal) || type.EndsWith("_output", StringComparison.Ordinal) =>
                Members(part.Raw, "results", "outputs", "output"),
            ("gemini", "codeExecutionResult") => Members(part.Raw, "codeExecutionResult", "code_execution_result"),
            ("gemini", "toolResponse") => Members(part.Raw, "toolResponse", "tool_response").SelectMany(static response => Members(response, "response")),
            _ => [],
        };
    }

    private static string Name(ForeignPart part)
    {
        string name = part.Type;
        foreach (string suffix in (string[])["_tool_result", "_call_output", "_call", "_output"])
        {
            if (name.EndsWith(suffix, StringComparison.Ordinal)) return name[..^suffix.Length];
        }
        return name == "codeExecutionResult" ? "code_execution" : "a server tool";
    }

    private static IEnumerable<JsonElement> Members(JsonElement owner, params string[] names)
    {
        if (owner.ValueKind != JsonValueKind.Object) yield break;
        foreach (string name in names)
        {
            if (owner.TryGetProperty(name, out JsonElement value)) yield return value;
        }
    }

    /// <summary>Texts and addresses in their order. What is meant for the provider alone (tokens, base64, ids) has other names.</summary>
    private static void Collect(JsonElement value, List<string> lines)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Add(JsonFields.Decode(value), lines);
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray()) Collect(item, lines);
                break;
            case JsonValueKind.Object:
                Page(value, lines);
                bool isText = Text(value, "type") is null or "text" || !value.TryGetProperty("data"u8, out _);
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    bool isNested = member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
                    bool isRead = member.Name is "text" or "stdout" or "stderr" or "logs" or "output" or "content" or "result" || (member.Name == "data" && isText);
                    if (isNested || isRead) Collect(member.Value, lines);
                }
                break;
        }
    }

    private static void Page(JsonElement value, List<string> lines)
    {
        if ((Text(value, "url") ?? Text(value, "uri")) is not { Length: > 0 } url) return;
        lines.Add(Text(value, "title") is { Length: > 0 } title ? $"{title}: {url}" : url);
    }

    private static void Add(string text, List<string> lines)
    {
        text = text.Trim();
        if (text.Length > 0 && !text.StartsWith("data:", StringComparison.Ordinal)) lines.Add(text);
    }

    private static string? Text(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? JsonFields.Decode(value) : null;
}
