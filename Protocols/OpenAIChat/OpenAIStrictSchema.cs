using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The part of JSON Schema that OpenAI enforces to the letter; any other schema is refused where <c>strict</c> is set.</summary>
/// <remarks>Every object closed, all its properties required, the root an object, and only keywords that the decoder knows.</remarks>
public static class OpenAIStrictSchema
{
    public static bool Fits(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && SchemaKeywords.TypeOf(root) == "object" && !SchemaKeywords.TryGet(root, "anyOf", out _) && IsStrict(root);

    private static bool IsStrict(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return false;
        bool hasMeaning = false;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (SchemaKeywords.IsNoise(member.Name)) continue;
            hasMeaning |= member.Name is "type" or "anyOf" or "$ref" or "enum" or "const";
            if (!IsKnown(member)) return false;
        }
        return hasMeaning && (SchemaKeywords.TypeOf(schema) != "object" || IsClosed(schema));
    }

    private static bool IsKnown(JsonProperty member) => member.Name switch
    {
        "properties" or "$defs" or "definitions" => member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().All(static one => IsStrict(one.Value)),
        "anyOf" => member.Value.ValueKind == JsonValueKind.Array && member.Value.EnumerateArray().All(IsStrict),
        "items" => IsStrict(member.Value),
        "additionalProperties" => member.Value.ValueKind == JsonValueKind.False,
        _ => member.Name is "type" or "$ref" or "enum" or "const" or "required" or "title" or "description" or "pattern" or "format" or "multipleOf" or "minimum"
            or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "minItems" or "maxItems",
    };

    private static bool IsClosed(JsonElement schema)
    {
        if (!schema.TryGetProperty("additionalProperties"u8, out _)) return false;
        int properties = SchemaKeywords.TryGet(schema, "properties", out JsonElement told) && told.ValueKind == JsonValueKind.Object ? told.EnumerateObject().Count() : 0;
        return SchemaKeywords.Required(schema).Distinct(StringComparer.Ordinal).Count() == properties;
    }
}
