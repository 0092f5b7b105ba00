using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Small objects in this protocol's words.</summary>
public static class OpenAIResponsesNames
{
    /// <summary><c>text.format</c>.</summary>
    /// <param name="strict">null: not written.</param>
    public static void WriteFormat(Utf8JsonWriter json, OutputFormat? format, bool? strict)
    {
        json.WriteStartObject();
        if (format is null)
        {
            json.WriteString("type"u8, "text"u8);
        }
        else if (format.Schema is not { } schema)
        {
            json.WriteString("type"u8, "json_object"u8);
        }
        else
        {
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteString("name"u8, format.Name ?? "response");
            if (format.Description is { } description)
            {
                json.WritePropertyName("description"u8);
                description.WriteTo(json);
            }
            json.WritePropertyName("schema"u8);
            schema.WriteTo(json);
            if (strict is { } told) json.WriteBoolean("strict"u8, told);
        }
        json.WriteEndObject();
    }

    /// <param name="isCustom">Whether a tool of that name is a custom tool.</param>
    public static void WriteChoice(Utf8JsonWriter json, ToolChoice? choice, Func<string, bool> isCustom)
    {
        switch (choice)
        {
            case { Foreign: { } foreign }:
                foreign.WriteTo(json);
                break;
            case { Mode: ToolChoiceMode.None }:
                json.WriteStringValue("none"u8);
                break;
            case { Mode: ToolChoiceMode.Any, Names: [var only] }:
                Named(json, only, choice.IsCustom || isCustom(only));
                break;
            case { Names.Count: > 0 }:
                json.WriteStartObject();
                json.WriteString("type"u8, "allowed_tools"u8);
                json.WriteString("mode"u8, choice.Mode == ToolChoiceMode.Any ? "required"u8 : "auto"u8);
                json.WriteStartArray("tools"u8);
                foreach (string one in choice.Names) Named(json, one, isCustom(one));
                json.WriteEndArray();
                json.WriteEndObject();
                break;
            case { Mode: ToolChoiceMode.Any }:
                json.WriteStringValue("required"u8);
                break;
            default:
                json.WriteStringValue("auto"u8);
                break;
        }
    }

    /// <summary>The <c>format</c> of a custom tool; nothing where it has none. Chat nests a grammar one level deeper than this protocol.</summary>
    public static void WriteCustomFormat(Utf8JsonWriter json, JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } told) return;
        json.WritePropertyName("format"u8);
        if (!told.TryGetProperty("grammar"u8, out JsonElement grammar) || grammar.ValueKind != JsonValueKind.Object)
        {
            told.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type"u8, "grammar"u8);
        foreach (JsonProperty member in grammar.EnumerateObject()) member.WriteTo(json);
        json.WriteEndObject();
    }

    private static void Named(Utf8JsonWriter json, string name, bool isCustom)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, isCustom ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, name);
        json.WriteEndObject();
    }
}
