using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Writes a JSON Schema as the OpenAI protocols take it.</summary>
/// <remarks>Changes schema positions only: names inside <c>properties</c> and values inside <c>enum</c> or <c>default</c> are data.</remarks>
public sealed class OpenAISchema(Utf8JsonWriter json)
{
    private static readonly string[] s_combinators = ["anyOf", "oneOf", "allOf"];

    /// <summary>What <see cref="WriteRoot"/> takes out of the root, as JSON text for the description; null: nothing.</summary>
    public static string? RootNote(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return null;
        var notes = new List<string>();
        foreach (string name in s_combinators)
        {
            if (schema.TryGetProperty(name, out JsonElement list)) notes.Add($"\"{name}\":{list.GetRawText()}");
        }
        return notes.Count == 0 ? null : $"The arguments must match {{{string.Join(",", notes)}}}";
    }

    /// <summary>A root must be an object without combinators: those are merged into its properties.</summary>
    public void WriteRoot(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            json.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
            return;
        }
        List<(JsonElement Branch, bool IsAll)> branches = [];
        foreach (string name in s_combinators)
        {
            if (!schema.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement branch in list.EnumerateArray()) branches.Add((SchemaKeywords.Resolve(schema, branch), name == "allOf"));
        }
        json.WriteStartObject();
        json.WriteString("type"u8, "object"u8);
        bool hasProperties = false;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (member.Name == "properties" && !hasProperties)
            {
                hasProperties = true;
                Properties(schema, branches);
            }
            if (member.Name is "type" or "properties") continue;
            if (branches.Count > 0 && (member.Name == "required" || SchemaKeywords.IsComposition(member.Name))) continue;
            Member(member);
        }
        if (!hasProperties) Properties(schema, branches);
        if (branches.Count > 0) Required(schema, branches);
        json.WriteEndObject();
    }

    private void Properties(JsonElement schema, List<(JsonElement Branch, bool IsAll)> branches)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        json.WriteStartObject("properties"u8);
        foreach (JsonElement source in branches.Select(static one => one.Branch).Prepend(schema))
        {
            if (!SchemaKeywords.TryGet(source, "properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object) continue;
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                if (!written.Add(property.Name)) continue;
                json.WritePropertyName(property.Name);
                Write(property.Value);
            }
        }
        json.WriteEndObject();
    }

    /// <summary>Required is what every alternative requires.</summary>
    private void Required(JsonElement schema, List<(JsonElement Branch, bool IsAll)> branches)
    {
        HashSet<string> required = Names(schema);
        HashSet<string>? shared = null;
        foreach ((JsonElement branch, bool isAll) in branches)
        {
            HashSet<string> names = Names(branch);
            if (isAll) required.UnionWith(names);
            else if (shared is null) shared = names;
            else shared.IntersectWith(names);
        }
        if (shared is not null) required.UnionWith(shared);
        if (required.Count == 0) return;
        json.WriteStartArray("required"u8);
        foreach (string name in required) json.WriteStringValue(name);
        json.WriteEndArray();
    }

    private static HashSet<string> Names(JsonElement schema) =>
        SchemaKeywords.TryGet(schema, "required", out JsonElement required) && required.ValueKind == JsonValueKind.Array
            ? [.. required.EnumerateArray().Where(static name => name.ValueKind == JsonValueKind.String).Select(static name => name.GetString()!)] : [];

    private void Write(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            schema.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        foreach (JsonProperty member in schema.EnumerateObject()) Member(member);
        bool has(string name) => schema.TryGetProperty(name, out _);
        if (IsType(schema, "object") && !has("properties") && !has("$ref"))
        {
            json.WriteStartObject("properties"u8);
            json.WriteEndObject();
        }
        if (IsType(schema, "array") && !has("items") && !has("prefixItems"))
        {
            json.WriteStartObject("items"u8);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static bool IsType(JsonElement schema, string type)
    {
        if (!schema.TryGetProperty("type"u8, out JsonElement told)) return false;
        return told.ValueKind switch
        {
            JsonValueKind.String => string.Equals(told.GetString(), type, StringComparison.OrdinalIgnoreCase),
            JsonValueKind.Array => told.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() == type),
            _ => false,
        };
    }

    private void Member(JsonProperty member)
    {
        string name = member.Name;
        if (SchemaKeywords.IsNoise(name)) return;
        json.WritePropertyName(name);
        switch (name)
        {
            case var map when SchemaKeywords.IsMap(map) && member.Value.ValueKind == JsonValueKind.Object:
                json.WriteStartObject();
                foreach (JsonProperty property in member.Value.EnumerateObject())
                {
                    json.WritePropertyName(property.Name);
                    Write(property.Value);
                }
                json.WriteEndObject();
                break;
            case var list when (SchemaKeywords.IsList(list) || list == "items") && member.Value.ValueKind == JsonValueKind.Array:
                json.WriteStartArray();
                foreach (JsonElement item in member.Value.EnumerateArray()) Write(item);
                json.WriteEndArray();
                break;
            case var one when SchemaKeywords.IsSchema(one):
                Write(member.Value);
                break;
            default:
                member.Value.WriteTo(json);
                break;
        }
    }
}
