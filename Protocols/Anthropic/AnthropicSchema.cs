using System.Text.Json;
using System.Runtime.InteropServices;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>JSON Schema as this protocol takes it: the root an object without <c>anyOf</c>, <c>oneOf</c>, <c>allOf</c>.</summary>
public static class AnthropicSchema
{
    /// <summary>For <c>input_schema</c>. Nested schemas keep every keyword but vendor noise.</summary>
    /// <param name="schema">null: a tool without arguments.</param>
    public static void WriteInput(Utf8JsonWriter writer, JsonElement? schema)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "object"u8);
        bool hasProperties = false;
        if (schema is { ValueKind: JsonValueKind.Object } root)
        {
            var branches = Branches(root);
            if (branches.Count > 0)
            {
                WriteMerged(writer, root, branches);
                hasProperties = true;
            }
            foreach (JsonProperty member in root.EnumerateObject())
            {
                if (member.Name == "type" || IsLeftOut(member) || SchemaKeywords.IsComposition(member.Name)) continue;
                if (branches.Count > 0 && member.Name is "properties" or "required" or "description") continue;
                hasProperties |= member.Name == "properties";
                WriteMember(writer, member, WriteLoose);
            }
        }
        if (!hasProperties)
        {
            writer.WriteStartObject("properties"u8);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    /// <summary>For structured output and strict tools, whose decoder knows a part of the keywords only: limits go into the description, every object is
    /// closed.</summary>
    public static void WriteStrict(Utf8JsonWriter writer, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
            return;
        }
        var notes = new List<string>();
        writer.WriteStartObject();
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (IsLeftOut(member) || member.Name is "description" or "additionalProperties") continue;
            if (IsDropped(member)) notes.Add(SchemaKeywords.Note(member.Name, member.Value));
            else if (member.Name == "oneOf") WriteNamed(writer, "anyOf", member.Value, WriteStrict);
            else WriteMember(writer, member, WriteStrict);
        }
        if (SchemaKeywords.TypeOf(schema) == "object" || schema.TryGetProperty("properties", out _)) writer.WriteBoolean("additionalProperties"u8, false);
        string description = SchemaKeywords.Describe(schema, notes);
        if (description.Length > 0) writer.WriteString("description"u8, description);
        writer.WriteEndObject();
    }

    /// <summary>Somewhere an object takes members that it does not name. Told strictly it would have to be empty.</summary>
    public static bool HasMap(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return false;
        bool isNamed = SchemaKeywords.TryGet(schema, "properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object && properties.EnumerateObject().Any();
        bool isPlain = SchemaKeywords.TypeOf(schema) == "object" && !isNamed && !schema.TryGetProperty("$ref", out _) && !schema.EnumerateObject().Any(member => SchemaKeywords.IsComposition(member.Name));
        bool isTold = SchemaKeywords.TryGet(schema, "additionalProperties", out JsonElement additional) && additional.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);
        if (isTold ? additional.ValueKind == JsonValueKind.Object || (additional.ValueKind == JsonValueKind.True && !isNamed) : isPlain) return true;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            JsonElement value = member.Value;
            if (member.Name == "patternProperties") return true;
            if (SchemaKeywords.IsMap(member.Name) && value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any(static one => HasMap(one.Value))) return true;
            if (!SchemaKeywords.IsList(member.Name) && !SchemaKeywords.IsSchema(member.Name)) continue;
            if (value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(HasMap) : HasMap(value)) return true;
        }
        return false;
    }

    private static bool IsLeftOut(JsonProperty member) => SchemaKeywords.IsNoise(member.Name) || SchemaKeywords.IsUnset(member);

    private static bool IsDropped(JsonProperty member) => member.Name switch
    {
        "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" or "minLength" or "maxLength" or "pattern" or "minItems" or "maxItems"
            or "uniqueItems" or "minProperties" or "maxProperties" or "not" or "if" or "then" or "else" or "patternProperties" or "propertyNames" or "contains"
            or "dependentRequired" or "dependentSchemas" or "unevaluatedProperties" or "unevaluatedItems" => true,
        "format" => member.Value.ValueKind != JsonValueKind.String || JsonFields.Decode(member.Value) is not ("date-time" or "time" or "date" or "duration"
            or "email" or "hostname" or "uri" or "ipv4" or "ipv6" or "uuid"),
        _ => false,
    };

    private static void WriteLoose(Utf8JsonWriter writer, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(schema), skipInputValidation: true);
            return;
        }
        writer.WriteStartObject();
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (!IsLeftOut(member)) WriteMember(writer, member, WriteLoose);
        }
        writer.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter writer, JsonProperty member, Action<Utf8JsonWriter, JsonElement> write) =>
        WriteNamed(writer, member.Name, member.Value, write);

    private static void WriteNamed(Utf8JsonWriter writer, string name, JsonElement value, Action<Utf8JsonWriter, JsonElement> write)
    {
        writer.WritePropertyName(name);
        if (SchemaKeywords.IsMap(name) && value.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (JsonProperty item in value.EnumerateObject())
            {
                writer.WritePropertyName(item.Name);
                write(writer, item.Value);
            }
            writer.WriteEndObject();
        }
        else if ((SchemaKeywords.IsList(name) || SchemaKeywords.IsSchema(name)) && value.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (JsonElement item in value.EnumerateArray()) write(writer, item);
            writer.WriteEndArray();
        }
        else if (SchemaKeywords.IsSchema(name) && value.ValueKind == JsonValueKind.Object)
        {
            write(writer, value);
        }
        else
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
        }
    }

    private static List<JsonElement> Branches(JsonElement root)
    {
        var branches = new List<JsonElement>();
        foreach (JsonProperty member in root.EnumerateObject())
        {
            if (!SchemaKeywords.IsComposition(member.Name) || member.Value.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement branch in member.Value.EnumerateArray())
            {
                if (branch.ValueKind == JsonValueKind.Object) branches.Add(SchemaKeywords.Resolve(root, branch));
            }
        }
        return branches;
    }

    /// <summary>One object that all branches fit into; the composition itself is told in the description.</summary>
    private static void WriteMerged(Utf8JsonWriter writer, JsonElement root, List<JsonElement> branches)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        writer.WriteStartObject("properties"u8);
        foreach (JsonElement schema in (IEnumerable<JsonElement>)[root, .. branches])
        {
            if (!SchemaKeywords.TryGet(schema, "properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object) continue;
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                if (!names.Add(property.Name)) continue;
                writer.WritePropertyName(property.Name);
                WriteLoose(writer, property.Value);
            }
        }
        writer.WriteEndObject();

        // Of alternatives only what all demand is demanded; what the root or an allOf demands is demanded always.
        HashSet<string>? common = null;
        var required = new HashSet<string>(Listed(root), StringComparer.Ordinal);
        var notes = new List<string>();
        foreach (JsonProperty member in root.EnumerateObject())
        {
            if (!SchemaKeywords.IsComposition(member.Name) || member.Value.ValueKind != JsonValueKind.Array) continue;
            notes.Add(SchemaKeywords.Note(member.Name, member.Value));
            foreach (JsonElement branch in member.Value.EnumerateArray().Select(one => SchemaKeywords.Resolve(root, one)))
            {
                if (member.Name == "allOf") required.UnionWith(Listed(branch));
                else if (common is null) common = [.. Listed(branch)];
                else common.IntersectWith(Listed(branch));
            }
        }
        required.UnionWith(common ?? []);
        required.IntersectWith(names);
        if (required.Count > 0)
        {
            writer.WriteStartArray("required"u8);
            foreach (string name in required.Order(StringComparer.Ordinal)) writer.WriteStringValue(name);
            writer.WriteEndArray();
        }
        writer.WriteString("description"u8, SchemaKeywords.Describe(root, notes));
    }

    private static IEnumerable<string> Listed(JsonElement schema) =>
        SchemaKeywords.TryGet(schema, "required", out JsonElement required) && required.ValueKind == JsonValueKind.Array
            ? required.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(JsonFields.Decode)
            : [];
}
