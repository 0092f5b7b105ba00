using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Turns the proto dialect of schemas into JSON Schema: types in lower case, <c>nullable</c> as a type, counts as numbers.</summary>
public static class GeminiSchemaReader
{
    /// <summary>A schema of its own memory. JSON Schema that merely spells its types in capitals comes out right too.</summary>
    public static JsonElement ToJsonSchema(JsonElement schema)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output)) Write(writer, schema);
        using JsonDocument parsed = JsonDocument.Parse(output.WrittenMemory, new JsonDocumentOptions { MaxDepth = 256 });
        return parsed.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            Raw(writer, schema);
            return;
        }
        bool isNullable = schema.TryGetProperty("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True;
        writer.WriteStartObject();
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                case "nullable" or "propertyOrdering" or "property_ordering" or "example":
                    break;
                // The proto's word for no type.
                case "type" when Says(member.Value, "TYPE_UNSPECIFIED"):
                case "format" when Says(member.Value, "enum"):
                    break;
                case "type":
                    WriteType(writer, member.Value, isNullable);
                    break;
                case "minItems" or "maxItems" or "minLength" or "maxLength" or "minProperties" or "maxProperties"
                    or "min_items" or "max_items" or "min_length" or "max_length" or "min_properties" or "max_properties":
                    WriteCount(writer, Camel(member.Name), member.Value);
                    break;
                case "anyOf" or "any_of" when member.Value.ValueKind == JsonValueKind.Array:
                    WriteList(writer, "anyOf", member.Value, isNullable && !schema.TryGetProperty("type", out _));
                    break;
                default:
                    WriteMember(writer, member.Name, member.Value);
                    break;
            }
        }
        writer.WriteEndObject();
    }

    private static bool Says(JsonElement value, string word) => value.ValueKind == JsonValueKind.String && JsonFields.Decode(value) == word;

    private static void WriteType(Utf8JsonWriter writer, JsonElement type, bool isNullable)
    {
        List<string> names = [.. (type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type])
            .Select(static name => GeminiNames.Word(name, GeminiNames.SchemaTypes)?.ToLowerInvariant()).OfType<string>().Where(static name => name.Length > 0)];
        if (isNullable && names.Count > 0 && !names.Contains("null")) names.Add("null");
        if (names.Count == 0) return;
        writer.WritePropertyName("type"u8);
        if (names.Count == 1 && type.ValueKind != JsonValueKind.Array)
        {
            writer.WriteStringValue(names[0]);
            return;
        }
        writer.WriteStartArray();
        foreach (string name in names) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    /// <summary>int64 travels as a string in proto3 JSON.</summary>
    private static void WriteCount(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        bool isText = value.ValueKind == JsonValueKind.String;
        if (isText && long.TryParse(JsonFields.Decode(value), CultureInfo.InvariantCulture, out long count)) writer.WriteNumberValue(count);
        else Raw(writer, value);
    }

    private static void WriteList(Utf8JsonWriter writer, string name, JsonElement schemas, bool isNullable)
    {
        writer.WriteStartArray(name);
        foreach (JsonElement schema in schemas.EnumerateArray()) Write(writer, schema);
        if (isNullable)
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "null"u8);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteMember(Utf8JsonWriter writer, string name, JsonElement value)
    {
        if (SchemaKeywords.IsList(name) && value.ValueKind == JsonValueKind.Array)
        {
            WriteList(writer, name, value, isNullable: false);
            return;
        }
        writer.WritePropertyName(name);
        if (SchemaKeywords.IsMap(name) && value.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (JsonProperty item in value.EnumerateObject())
            {
                writer.WritePropertyName(item.Name);
                Write(writer, item.Value);
            }
            writer.WriteEndObject();
        }
        else if (SchemaKeywords.IsSchema(name))
        {
            Write(writer, value);
        }
        else
        {
            Raw(writer, value);
        }
    }

    private static string Camel(string name)
    {
        int cut = name.IndexOf('_', StringComparison.Ordinal);
        return cut < 0 ? name : $"{name[..cut]}{char.ToUpperInvariant(name[cut + 1])}{name[(cut + 2)..]}";
    }

    private static void Raw(Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
