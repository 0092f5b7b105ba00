using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Tools that a provider runs itself, told apart by how their protocols spell them.</summary>
public static class ServerTools
{
    /// <summary>Web search of any of the four protocols.</summary>
    public static bool IsWebSearch(ToolDefinition tool)
    {
        if (tool.Kind != ToolKind.Foreign) return false;
        if (Says(tool.Name)) return true;
        return tool.Raw is { ValueKind: JsonValueKind.Object } raw
            && (raw.TryGetProperty("googleSearch"u8, out _) || raw.TryGetProperty("google_search"u8, out _)
                || (raw.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String && Says(type.GetString()!)));

        static bool Says(string name) => name.StartsWith("web_search", StringComparison.Ordinal) || name is "googleSearch" or "google_search";
    }

    /// <summary>Hosted tools of the Responses API, which an upstream of that protocol takes as they are.</summary>
    public static bool IsResponses(ToolDefinition tool) =>
        tool is { Kind: ToolKind.Foreign, Raw: { ValueKind: JsonValueKind.Object } raw }
        && raw.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String
        && IsHosted(type.GetString()!);

    private static bool IsHosted(string type) => type is "web_search" or "web_search_2025_08_26" or "web_search_preview" or "web_search_preview_2025_03_11"
        or "file_search" or "code_interpreter" or "image_generation"
        or "computer" or "computer_use_preview" or "local_shell" or "shell" or "apply_patch" or "mcp" or "tool_search" or "programmatic_tool_calling";
}
