using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes tools and the choice among them.</summary>
public sealed class GeminiToolWriter(ChatRequest request, GeminiTraits traits)
{
    public static string Flat(string? space, string name) => string.IsNullOrEmpty(space) ? name : $"{space}__{name}";

    /// <summary>The client's own tools; the others are dropped beside them.</summary>
    public List<ToolDefinition> Functions { get; } = [.. request.Tools.Where(tool => tool.Kind != ToolKind.Foreign)];

    public void Write(Utf8JsonWriter writer)
    {
        List<ToolDefinition> hosted = Hosted();
        if (Functions.Count + hosted.Count > 0)
        {
            writer.WriteStartArray("tools"u8);
            if (Functions.Count > 0)
            {
                writer.WriteStartObject();
                writer.WriteStartArray("functionDeclarations"u8);
                foreach (ToolDefinition tool in Functions) WriteFunction(writer, tool);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            foreach (ToolDefinition tool in hosted) WriteHosted(writer, tool);
            writer.WriteEndArray();
        }
        WriteChoice(writer);
    }

    /// <summary>What of the provider's own tools goes along. One that stands alone or is demanded cannot be dropped.</summary>
    private List<ToolDefinition> Hosted()
    {
        var hosted = new List<ToolDefinition>();
        foreach (ToolDefinition tool in request.Tools)
        {
            if (tool.Kind != ToolKind.Foreign) continue;
            bool isOwn = request.Protocol == GeminiNames.Protocol;
            bool isSearch = traits.WebSearch && tool.Name.StartsWith("web_search", StringComparison.Ordinal) && Functions.Count == 0;
            if (isOwn || isSearch) hosted.Add(tool);
            else if (Functions.Count == 0 || IsClientTool(tool)) throw RequestRefusal.Of(tool.Path, GeminiRequestWriter.Target);
        }
        return hosted;
    }

    /// <summary>Tools that the client runs but whose schema only their provider's models know: dropped, the client would lose its hands.</summary>
    private static bool IsClientTool(ToolDefinition tool)
    {
        if (tool.Raw is not { ValueKind: JsonValueKind.Object } raw || !raw.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String) return false;
        string name = JsonFields.Decode(type);
        return name.StartsWith("bash_", StringComparison.Ordinal) || name.StartsWith("text_editor_", StringComparison.Ordinal) || name.StartsWith("memory_", StringComparison.Ordinal)
            || name.StartsWith("computer_", StringComparison.Ordinal) || name.StartsWith("browser_", StringComparison.Ordinal);
    }

    private void WriteHosted(Utf8JsonWriter writer, ToolDefinition tool)
    {
        if (request.Protocol == GeminiNames.Protocol && tool.Raw is { } raw)
        {
            // The client's object may hold functions too, which are declared already.
            writer.WriteStartObject();
            foreach (JsonProperty member in raw.EnumerateObject())
            {
                if (member.Name != tool.Name) continue;
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
            }
            writer.WriteEndObject();
            return;
        }
        writer.WriteStartObject();
        writer.WriteStartObject("googleSearch"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteFunction(Utf8JsonWriter writer, ToolDefinition tool)
    {
        string name = Flat(tool.Namespace, tool.Name);
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        string description = tool.Description?.ToString() ?? "";
        if (tool is { Kind: ToolKind.Custom, Raw: { } format }) description += $"\n\nFormat of `input`: {Encoding.UTF8.GetString(JsonFields.RawBytes(format))}";
        // Older models insist on one.
        if (description.Length == 0 && traits.LegacySchema) description = name;
        if (description.Length > 0) writer.WriteString("description"u8, description);
        if (tool.Kind == ToolKind.Custom) WriteCustomSchema(writer);
        else if (tool.Schema is { } schema && HasArguments(schema)) WriteSchema(writer, schema);
        writer.WriteEndObject();
    }

    private void WriteSchema(Utf8JsonWriter writer, JsonElement schema)
    {
        writer.WritePropertyName(traits.LegacySchema ? "parameters"u8 : "parametersJsonSchema"u8);
        if (traits.LegacySchema) new GeminiProtoSchema(schema).Write(writer);
        else GeminiSchema.Write(writer, schema);
    }

    private void WriteCustomSchema(Utf8JsonWriter writer)
    {
        writer.WritePropertyName(traits.LegacySchema ? "parameters"u8 : "parametersJsonSchema"u8);
        writer.WriteRawValue(traits.LegacySchema
            ? "{\"type\":\"OBJECT\",\"properties\":{\"input\":{\"type\":\"STRING\"}},\"required\":[\"input\"]}"u8
            : "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}"u8, skipInputValidation: true);
    }

    /// <summary>A function without parameters leaves the schema out: an object without properties is refused by older models.</summary>
    private static bool HasArguments(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return false;
        if (schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object && properties.EnumerateObject().Any()) return true;
        return schema.EnumerateObject().Any(member => member.Name is "$ref" or "anyOf" or "oneOf" or "allOf" or "additionalProperties" && member.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False));
    }

    private void WriteChoice(Utf8JsonWriter writer)
    {
        if (request.ToolChoice is not { } choice) return;
        if (choice.Foreign is not null && request.Protocol != GeminiNames.Protocol) throw RequestRefusal.Of(choice.Path, GeminiRequestWriter.Target);
        if (Functions.Count == 0)
        {
            if (choice.Mode == ToolChoiceMode.Any) throw RequestRefusal.Of(choice.Path, GeminiRequestWriter.Target);
            return;
        }
        string mode = choice.Mode switch
        {
            ToolChoiceMode.Any => "ANY",
            ToolChoiceMode.None => "NONE",
            ToolChoiceMode.Validated => "VALIDATED",
            // Names beside AUTO are refused; VALIDATED leaves the choice free as well.
            _ => choice.Names.Count > 0 ? "VALIDATED" : "AUTO",
        };
        writer.WriteStartObject("toolConfig"u8);
        writer.WriteStartObject("functionCallingConfig"u8);
        writer.WriteString("mode"u8, mode);
        if (choice.Names.Count > 0 && choice.Mode != ToolChoiceMode.None)
        {
            writer.WriteStartArray("allowedFunctionNames"u8);
            foreach (string name in choice.Names) writer.WriteStringValue(Resolve(name));
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private string Resolve(string name) => Functions.Find(tool => tool.Name == name) is { } tool ? Flat(tool.Namespace, tool.Name) : name;
}
