using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Tools that only their provider's models know, told apart by how their protocols spell them.</summary>
public static class ServerTools
{
    private static readonly string[] s_clientTools = ["bash_", "text_editor_", "memory_", "computer_", "browser_"];

    /// <summary>Beside other tools most of these can be done without, but not those that the client runs by a schema it does not send (their type ends in a date), and
    /// not a remote server whose tools it counts on.</summary>
    public static bool IsIndispensable(ToolDefinition tool)
    {
        if (tool is not { Kind: ToolKind.Foreign, Raw: { ValueKind: JsonValueKind.Object } raw } || !raw.TryGetProperty("type"u8, out JsonElement type)) return false;
        if (type.ValueKind != JsonValueKind.String) return false;
        string name = JsonFields.Decode(type);
        bool isDated = name.AsSpan(name.LastIndexOf('_') + 1).IndexOfAnyExceptInRange('0', '9') < 0;
        return name == "mcp" || (isDated && s_clientTools.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    /// <summary>What the web search is called where a name can be told, and what its calls say.</summary>
    public const string WebSearchName = "web_search";

    /// <summary>The choice demands this server tool: a Messages client says so by its name, an OpenAI one by its type.</summary>
    public static bool IsDemanded(ToolDefinition tool, ToolChoice choice)
    {
        if (tool.Kind != ToolKind.Foreign || choice.Foreign is not { ValueKind: JsonValueKind.Object } raw) return false;
        if (choice.Names is [var name]) return tool.Name == name;
        if (!raw.TryGetProperty("type"u8, out JsonElement told) || told.ValueKind != JsonValueKind.String) return false;
        string type = JsonFields.Decode(told);
        return tool.Name == type || (type.StartsWith(WebSearchName, StringComparison.Ordinal) && IsWebSearch(tool));
    }

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
