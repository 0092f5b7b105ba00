using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Anthropic;

namespace Aiproxy.Protocols.Kiro;

/// <summary>JSON Schema for <c>inputSchema.json</c>: the root an object with properties as Messages wants it, and without the keywords that the service refuses.</summary>
public static class KiroSchema
{
    /// <param name="schema">null: a tool without arguments.</param>
    public static void Write(Utf8JsonWriter writer, JsonElement? schema)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var merged = new Utf8JsonWriter(buffer)) AnthropicSchema.WriteInput(merged, schema);
        // Two levels beyond what a body may have, for the root that was put together anew.
        using JsonDocument document = JsonDocument.Parse(buffer.WrittenMemory, new JsonDocumentOptions { MaxDepth = BodyScan.MaxLevels + 2 });
        Write(writer, document.RootElement, isRoot: true);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement schema, bool isRoot = false)
    {
        writer.WriteStartObject();
        if (schema.ValueKind != JsonValueKind.Object)
        {
            // True and false stand for anything and nothing.
            if (schema.ValueKind == JsonValueKind.False)
            {
                writer.WriteStartObject("not"u8);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
            return;
        }
        var notes = new List<string>();
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                // "delete additionalProperties, empty required, $schema; required:null is refused"
                case "$schema" or "description":
                    break;
                case "required" when member.Value.ValueKind != JsonValueKind.Array || member.Value.GetArrayLength() == 0:
                    break;
                case "additionalProperties":
                    if (member.Value.ValueKind == JsonValueKind.Object) notes.Add(SchemaKeywords.Note(member.Name, member.Value));
                    break;
                case "properties" when isRoot && member.Value.ValueKind != JsonValueKind.Object:
                    writer.WriteStartObject("properties"u8);
                    writer.WriteEndObject();
                    break;
                default:
                    WriteMember(writer, member);
                    break;
            }
        }
        string description = SchemaKeywords.Describe(schema, notes);
        if (description.Length > 0) writer.WriteString("description"u8, description);
        writer.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter writer, JsonProperty member)
    {
        JsonElement value = member.Value;
        writer.WritePropertyName(member.Name);
        if (SchemaKeywords.IsMap(member.Name) && value.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (JsonProperty item in value.EnumerateObject())
            {
                writer.WritePropertyName(item.Name);
                Write(writer, item.Value);
            }
            writer.WriteEndObject();
        }
        else if ((SchemaKeywords.IsList(member.Name) || SchemaKeywords.IsSchema(member.Name)) && value.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (JsonElement item in value.EnumerateArray()) Write(writer, item);
            writer.WriteEndArray();
        }
        else if (SchemaKeywords.IsSchema(member.Name) && value.ValueKind is JsonValueKind.Object)
        {
            Write(writer, value);
        }
        else
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
        }
    }
}
