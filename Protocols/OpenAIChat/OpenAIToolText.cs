using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Description and schema of a function for both OpenAI protocols.</summary>
public static class OpenAIToolText
{
    /// <summary>With what the schema's root had to lose appended.</summary>
    public static void WriteDescription(Utf8JsonWriter json, ToolDefinition tool)
    {
        string? note = tool is { Kind: ToolKind.Function, Schema: { } schema } ? OpenAISchema.RootNote(schema) : null;
        if (note is not null) json.WriteString("description"u8, tool.Description is { IsEmpty: false } text ? $"{text}\n\n{note}" : note);
        else if (tool.Description is { } description)
        {
            json.WritePropertyName("description"u8);
            description.WriteTo(json);
        }
    }

    public static void WriteSchema(Utf8JsonWriter json, ToolDefinition tool) =>
        new OpenAISchema(json).WriteRoot(tool.Schema ?? default);
}
