using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Which members of a JSON Schema hold schemas. Everything else, and every name inside <c>properties</c> and its like, is data and is never looked
/// into.</summary>
public static class SchemaKeywords
{
    /// <summary>Name to schema.</summary>
    public static bool IsMap(string keyword) => keyword is "properties" or "patternProperties" or "$defs" or "definitions" or "dependentSchemas";

    /// <summary>List of schemas.</summary>
    public static bool IsList(string keyword) => keyword is "anyOf" or "oneOf" or "allOf" or "prefixItems";

    /// <summary>One schema (<c>items</c> may be a list in old drafts).</summary>
    public static bool IsSchema(string keyword) => keyword is "items" or "additionalProperties" or "not" or "if" or "then" or "else" or "contains"
        or "propertyNames" or "unevaluatedProperties" or "unevaluatedItems" or "additionalItems";

    /// <summary>Says nothing about the data, or belongs to a vendor.</summary>
    public static bool IsNoise(string keyword) =>
        keyword is "$schema" or "$id" or "$comment" or "$anchor" or "$vocabulary" || keyword.StartsWith("x-", StringComparison.Ordinal) || keyword.StartsWith('~');

    public static bool IsComposition(string keyword) => keyword is "anyOf" or "oneOf" or "allOf";

    /// <summary>Describes a value. What only requires or forbids something beside other words would be anything by itself.</summary>
    public static bool SaysSomething(JsonElement schema) => schema.ValueKind == JsonValueKind.Object && schema.EnumerateObject().Any(static member => IsComposition(member.Name)
        || member.Name is "type" or "enum" or "const" or "properties" or "items" or "prefixItems" or "$ref" or "title" or "description");

    /// <summary>The first type that is not <c>null</c>, in lower case; empty: none told.</summary>
    public static string TypeOf(JsonElement schema)
    {
        if (!TryGet(schema, "type", out JsonElement type)) return "";
        if (type.ValueKind == JsonValueKind.String) return JsonFields.Decode(type).ToLowerInvariant();
        if (type.ValueKind != JsonValueKind.Array) return "";
        foreach (JsonElement item in type.EnumerateArray())
        {
            string name = item.ValueKind == JsonValueKind.String ? JsonFields.Decode(item).ToLowerInvariant() : "null";
            if (name != "null") return name;
        }
        return "null";
    }

    public static bool TryGet(JsonElement schema, string keyword, out JsonElement value)
    {
        value = default;
        return schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(keyword, out value);
    }

    /// <summary>What a reference into the same schema refers to; anything else stays.</summary>
    public static JsonElement Resolve(JsonElement root, JsonElement schema) =>
        TryGet(schema, "$ref", out JsonElement reference) && reference.ValueKind == JsonValueKind.String ? new SchemaPointers(root).Follow(JsonFields.Decode(reference)) ?? schema : schema;

    /// <summary>A keyword that stands there without a value: some clients write out what they left unset.</summary>
    public static bool IsUnset(JsonProperty member) => member.Value.ValueKind == JsonValueKind.Null && member.Name is not ("default" or "const" or "example");

    /// <summary>Names that <c>required</c> lists and <c>properties</c> has.</summary>
    public static List<string> Required(JsonElement schema)
    {
        var names = new List<string>();
        if (!TryGet(schema, "required", out JsonElement required) || required.ValueKind != JsonValueKind.Array) return names;
        if (!TryGet(schema, "properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object) return names;
        HashSet<string> known = [.. properties.EnumerateObject().Select(static property => property.Name)];
        foreach (JsonElement item in required.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String) continue;
            string name = JsonFields.Decode(item);
            if (known.Contains(name)) names.Add(name);
        }
        return names;
    }

    /// <summary>The description with what the target has no keyword for behind it, so that the model at least reads it.</summary>
    public static string Describe(JsonElement schema, IReadOnlyList<string> notes)
    {
        bool isTold = TryGet(schema, "description", out JsonElement description) && description.ValueKind == JsonValueKind.String;
        string told = isTold ? JsonFields.Decode(description) : "";
        if (notes.Count == 0) return told;
        return $"{told}{(told.Length > 0 ? " " : "")}({string.Join("; ", notes)})";
    }

    /// <summary><c>keyword: value</c> for <see cref="Describe"/>, short.</summary>
    public static string Note(string keyword, JsonElement value)
    {
        string raw = value.ValueKind == JsonValueKind.String ? JsonFields.Decode(value) : Encoding.UTF8.GetString(JsonFields.RawBytes(value));
        return $"{keyword}: {(raw.Length > 500 ? raw[..(char.IsHighSurrogate(raw[499]) ? 499 : 500)] : raw)}";
    }
}
