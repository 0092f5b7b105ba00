using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>JSON Schema for <c>parametersJsonSchema</c> and <c>responseJsonSchema</c>: the documented keywords, the others told in the description.</summary>
public static class GeminiSchema
{
    public static void Write(Utf8JsonWriter writer, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            // True and false stand for anything and nothing.
            if (schema.ValueKind == JsonValueKind.False) writer.WriteBooleanValue(false);
            else Empty(writer);
            return;
        }
        if (schema.TryGetProperty("$ref", out JsonElement reference) && reference.ValueKind == JsonValueKind.String)
        {
            // "A node with $ref may hold nothing else", but for the definitions at the root.
            writer.WriteStartObject();
            writer.WriteString("$ref"u8, JsonFields.Decode(reference).Replace("#/definitions/", "#/$defs/", StringComparison.Ordinal));
            WriteDefinitions(writer, schema);
            writer.WriteEndObject();
            return;
        }

        // Generators wrap a lone reference so, to put a description beside it.
        if (!schema.TryGetProperty("type", out _) && !schema.TryGetProperty("properties", out _)
            && schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array && all.GetArrayLength() == 1)
        {
            Write(writer, all[0]);
            return;
        }

        var notes = new List<string>();
        writer.WriteStartObject();
        foreach (JsonProperty member in schema.EnumerateObject()) WriteKeyword(writer, schema, member, notes);
        WriteDefinitions(writer, schema);
        List<string> required = SchemaKeywords.Required(schema);
        if (required.Count > 0)
        {
            writer.WriteStartArray("required"u8);
            foreach (string name in required) writer.WriteStringValue(name);
            writer.WriteEndArray();
        }
        if (SchemaKeywords.TypeOf(schema) == "array" && !schema.TryGetProperty("items", out _) && !schema.TryGetProperty("prefixItems", out _))
        {
            writer.WritePropertyName("items"u8);
            Empty(writer);
        }
        string description = SchemaKeywords.Describe(schema, notes);
        if (description.Length > 0) writer.WriteString("description"u8, description);
        writer.WriteEndObject();
    }

    private static void WriteKeyword(Utf8JsonWriter writer, JsonElement schema, JsonProperty member, List<string> notes)
    {
        switch (member.Name)
        {
            case "required" or "description" or "$defs" or "definitions":
                break;
            case "type":
                WriteType(writer, member.Value);
                break;
            case "title" or "enum" or "minItems" or "maxItems" or "minimum" or "maximum":
                Copy(writer, member.Name, member.Value);
                break;
            case "format":
                bool isKnown = member.Value.ValueKind == JsonValueKind.String && JsonFields.Decode(member.Value) is "date-time" or "date" or "time";
                if (isKnown) Copy(writer, "format", member.Value);
                else notes.Add(SchemaKeywords.Note("format", member.Value));
                break;
            case "const" when !schema.TryGetProperty("enum", out _):
                writer.WriteStartArray("enum"u8);
                Raw(writer, member.Value);
                writer.WriteEndArray();
                break;
            case "properties" when member.Value.ValueKind == JsonValueKind.Object:
                writer.WriteStartObject("properties"u8);
                foreach (JsonProperty property in member.Value.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }
                writer.WriteEndObject();
                break;
            case "anyOf" or "oneOf" or "prefixItems" when member.Value.ValueKind == JsonValueKind.Array:
                writer.WriteStartArray(member.Name);
                foreach (JsonElement branch in member.Value.EnumerateArray()) Write(writer, branch);
                writer.WriteEndArray();
                break;
            case "items":
                writer.WritePropertyName("items"u8);
                // Old drafts list one schema a position; the first is the best that is left of that.
                if (member.Value.ValueKind != JsonValueKind.Array) Write(writer, member.Value);
                else if (member.Value.GetArrayLength() > 0) Write(writer, member.Value[0]);
                else Empty(writer);
                break;
            case "additionalProperties":
                writer.WritePropertyName("additionalProperties"u8);
                if (member.Value.ValueKind == JsonValueKind.Object) Write(writer, member.Value);
                else writer.WriteBooleanValue(member.Value.ValueKind != JsonValueKind.False);
                break;
            default:
                if (!SchemaKeywords.IsNoise(member.Name)) notes.Add(SchemaKeywords.Note(member.Name, member.Value));
                break;
        }
    }

    private static void WriteType(Utf8JsonWriter writer, JsonElement type)
    {
        writer.WritePropertyName("type"u8);
        if (type.ValueKind == JsonValueKind.String) writer.WriteStringValue(JsonFields.Decode(type).ToLowerInvariant());
        else Raw(writer, type);
    }

    private static void WriteDefinitions(Utf8JsonWriter writer, JsonElement schema)
    {
        bool hasNew = SchemaKeywords.TryGet(schema, "$defs", out JsonElement definitions);
        if (!hasNew && !SchemaKeywords.TryGet(schema, "definitions", out definitions)) return;
        if (definitions.ValueKind != JsonValueKind.Object) return;
        writer.WriteStartObject("$defs"u8);
        foreach (JsonProperty definition in definitions.EnumerateObject())
        {
            writer.WritePropertyName(definition.Name);
            Write(writer, definition.Value);
        }
        writer.WriteEndObject();
    }

    private static void Empty(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        Raw(writer, value);
    }

    private static void Raw(Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
