using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Upstreams;

/// <summary>Arguments that fit a tool's schema well enough to be tried: every property, by its type.</summary>
public static class EchoArguments
{
    private const int MaxDepth = 8;

    // The text is repeated for every property.
    private const int MaxSaidChars = 1000;

    /// <summary>A JSON object.</summary>
    public static string For(JsonElement? schema, string said)
    {
        if (said.Length > MaxSaidChars) said = said[..(char.IsHighSurrogate(said[MaxSaidChars - 1]) ? MaxSaidChars - 1 : MaxSaidChars)];
        var output = new ArrayBufferWriter<byte>();
        try
        {
            using var writer = new Utf8JsonWriter(output);
            Object(writer, schema ?? default, said, 0);
        }
        catch (InvalidOperationException)
        {
            // A name in the schema has half a surrogate pair: it cannot be said.
            return "{}";
        }
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void Object(Utf8JsonWriter writer, JsonElement schema, string said, int depth)
    {
        writer.WriteStartObject();
        if (depth < MaxDepth && schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                writer.WritePropertyName(property.Name);
                Value(writer, property.Value, said, depth + 1);
            }
        }
        writer.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter writer, JsonElement schema, string said, int depth)
    {
        if (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("enum", out JsonElement choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0)
        {
            choices[0].WriteTo(writer);
            return;
        }
        switch (TypeOf(schema))
        {
            case "integer" or "number": writer.WriteNumberValue(1); break;
            case "boolean": writer.WriteBooleanValue(true); break;
            case "null": writer.WriteNullValue(); break;
            case "object": Object(writer, schema, said, depth); break;
            case "array": Array(writer, schema, said, depth); break;
            default: writer.WriteStringValue(said); break;
        }
    }

    private static void Array(Utf8JsonWriter writer, JsonElement schema, string said, int depth)
    {
        writer.WriteStartArray();
        if (depth < MaxDepth && schema.TryGetProperty("items", out JsonElement items)) Value(writer, items, said, depth + 1);
        writer.WriteEndArray();
    }

    private static string? TypeOf(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("type", out JsonElement type)) return null;
        if (type.ValueKind == JsonValueKind.Array) type = type.EnumerateArray().FirstOrDefault(one => one.ValueKind == JsonValueKind.String && !one.ValueEquals("null"));
        return type.ValueKind == JsonValueKind.String ? type.GetString()!.ToLowerInvariant() : null;
    }
}
