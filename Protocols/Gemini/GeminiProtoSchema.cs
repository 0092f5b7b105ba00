using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>JSON Schema in the proto dialect of <c>parameters</c> and <c>responseSchema</c>, which answers 400 to any keyword but its own: an allow
/// list.</summary>
/// <remarks>References are put in place, recursion ends in an open string; what the dialect has no word for is told in the description.</remarks>
/// <param name="isArguments">Of a function: an object, whatever is told of it.</param>
public sealed class GeminiProtoSchema(JsonElement root, bool isArguments = false)
{
    /// <summary>References inside references beyond this are recursion in all but name.</summary>
    private const int MaxReferences = 8;

    /// <summary>Put in place, a few references that hold each other grow without end; beyond this many nodes everything is a string.</summary>
    private const int MaxNodes = 5_000;

    /// <summary>Nodes inside nodes; no model fills a form that is deeper.</summary>
    private const int MaxDepth = 100;

    private readonly GeminiReferences _pointers = new(root);
    private readonly List<string> _references = [];
    private readonly List<string> _inlined = [];
    private int _nodes, _depth;

    public void Write(Utf8JsonWriter writer) => Write(writer, root, isRoot: true);

    private void Write(Utf8JsonWriter writer, JsonElement schema, bool isRoot)
    {
        int entered = _references.Count;
        JsonElement described = schema;
        schema = Resolve(schema);
        if (!SchemaKeywords.TryGet(described, "description", out _)) described = schema;
        _depth++;
        if (++_nodes > MaxNodes || _depth > MaxDepth || schema.ValueKind != JsonValueKind.Object || !schema.EnumerateObject().Any())
        {
            WriteAnything(writer, described);
        }
        else if (GeminiAllOf.IsIn(schema))
        {
            int inlined = _inlined.Count;
            var merge = new GeminiAllOf(_pointers, [.. _references, .. _inlined]);
            using JsonDocument merged = merge.Of(schema);
            _inlined.AddRange(merge.Inlined);
            WriteNode(writer, merged.RootElement, SchemaKeywords.TryGet(described, "description", out _) ? described : merged.RootElement, isRoot);
            _inlined.RemoveRange(inlined, _inlined.Count - inlined);
        }
        else
        {
            WriteNode(writer, schema, described, isRoot);
        }
        _depth--;
        _references.RemoveRange(entered, _references.Count - entered);
    }

    private void WriteNode(Utf8JsonWriter writer, JsonElement schema, JsonElement described, bool isRoot)
    {
        var notes = new List<string>();
        List<JsonElement> branches = Branches(schema, out bool hasNull);
        List<string> types = Types(schema, ref hasNull);
        bool isNarrowed = types.Count > 0 || schema.TryGetProperty("properties", out _) || !branches.TrueForAll(SchemaKeywords.SaysSomething);
        if (branches.Count == 1 && !isNarrowed)
        {
            // One alternative beside null is that alternative, nullable.
            WriteBranch(writer, described, branches[0], hasNull, isRoot);
            return;
        }
        isNarrowed |= isRoot && isArguments;
        bool isObject = branches.Count > 0 && isNarrowed && types is [] or ["object"];
        if (isNarrowed)
        {
            // "When using any_of, it must be the only field set": beside a type the alternatives only narrow it.
            notes.AddRange(schema.EnumerateObject().Where(static member => member.Name is "anyOf" or "oneOf").Select(static member => SchemaKeywords.Note(member.Name, member.Value)));
            if (!isObject) branches.Clear();
        }
        string type = isObject ? "object" : types.Count == 1 ? types[0] : types.Count == 0 && branches.Count == 0 ? Guess(schema) : "";
        writer.WriteStartObject();
        if (type.Length > 0) writer.WriteString("type"u8, type.ToUpperInvariant());
        if (hasNull) writer.WriteBoolean("nullable"u8, true);
        if (type.Length == 0) WriteAlternatives(writer, schema, branches, types);
        WriteEnum(writer, schema, type, notes);
        WriteLimits(writer, schema, type, notes);
        if (type == "array") WriteItems(writer, schema);
        if (type == "object") WriteProperties(writer, schema, isObject ? branches : [], isRoot, notes);
        string description = SchemaKeywords.Describe(described, notes);
        if (description.Length > 0) writer.WriteString("description"u8, description);
        writer.WriteEndObject();
    }

    private void WriteBranch(Utf8JsonWriter writer, JsonElement outer, JsonElement branch, bool isNullable, bool isRoot)
    {
        var members = new System.Buffers.ArrayBufferWriter<byte>();
        using (var scratch = new Utf8JsonWriter(members)) Write(scratch, branch, isRoot);
        using JsonDocument written = JsonDocument.Parse(members.WrittenMemory, new JsonDocumentOptions { MaxDepth = 256 });
        writer.WriteStartObject();
        bool isDescribed = outer.TryGetProperty("description", out JsonElement description) && description.ValueKind == JsonValueKind.String;
        foreach (JsonProperty member in written.RootElement.EnumerateObject())
        {
            if (member.Name != "nullable" && !(member.Name == "description" && isDescribed)) Copy(writer, member.Name, member.Value);
        }
        if (isNullable || written.RootElement.TryGetProperty("nullable", out _)) writer.WriteBoolean("nullable"u8, true);
        if (isDescribed) Copy(writer, "description", description);
        writer.WriteEndObject();
    }

    private JsonElement Resolve(JsonElement schema)
    {
        while (SchemaKeywords.TryGet(schema, "$ref", out JsonElement reference))
        {
            string path = reference.ValueKind == JsonValueKind.String ? JsonFields.Decode(reference) : "";
            if (_references.Contains(path) || _inlined.Contains(path) || _references.Count >= MaxReferences || _pointers.Follow(path) is not { } target) return default;
            _references.Add(path);
            schema = target;
        }
        return schema;
    }

    private static List<JsonElement> Branches(JsonElement schema, out bool hasNull)
    {
        hasNull = schema.TryGetProperty("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True;
        var branches = new List<JsonElement>();
        foreach (string keyword in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (!schema.TryGetProperty(keyword, out JsonElement list) || list.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement branch in list.EnumerateArray())
            {
                if (SchemaKeywords.TypeOf(branch) == "null") hasNull = true;
                else branches.Add(branch);
            }
        }
        return branches;
    }

    private static List<string> Types(JsonElement schema, ref bool hasNull)
    {
        var types = new List<string>();
        if (!schema.TryGetProperty("type", out JsonElement type)) return types;
        foreach (JsonElement item in type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type])
        {
            if (item.ValueKind != JsonValueKind.String) continue;
            string name = JsonFields.Decode(item).ToLowerInvariant();
            if (name == "null") hasNull = true;
            else if (name is "string" or "number" or "integer" or "boolean" or "array" or "object" && !types.Contains(name)) types.Add(name);
        }
        return types;
    }

    private static string Guess(JsonElement schema)
    {
        if (schema.TryGetProperty("properties", out _) || (schema.TryGetProperty("additionalProperties", out JsonElement further) && further.ValueKind == JsonValueKind.Object)) return "object";
        if (schema.TryGetProperty("items", out _) || schema.TryGetProperty("prefixItems", out _)) return "array";
        JsonElement[] values = Values(schema);
        if (values.Length == 0) return "string";
        if (values.All(static value => value.ValueKind is JsonValueKind.True or JsonValueKind.False)) return "boolean";
        if (!values.All(static value => value.ValueKind == JsonValueKind.Number)) return "string";
        return values.All(static value => value.TryGetInt64(out _)) ? "integer" : "number";
    }

    private static JsonElement[] Values(JsonElement schema) =>
        schema.TryGetProperty("enum", out JsonElement list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()]
        : schema.TryGetProperty("const", out JsonElement constant) ? [constant] : [];

    private void WriteAlternatives(Utf8JsonWriter writer, JsonElement schema, List<JsonElement> branches, List<string> types)
    {
        writer.WriteStartArray("anyOf"u8);
        foreach (JsonElement branch in branches) Write(writer, branch, isRoot: false);
        // Several plain types are alternatives as well.
        foreach (string type in branches.Count == 0 ? types : [])
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, type.ToUpperInvariant());
            if (type == "array") WriteItems(writer, schema);
            if (type == "object") WriteProperties(writer, schema, [], isRoot: false, []);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteEnum(Utf8JsonWriter writer, JsonElement schema, string type, List<string> notes)
    {
        JsonElement[] values = Values(schema);
        if (values.Length == 0) return;
        JsonElement[] texts = [.. values.Where(value => value.ValueKind == JsonValueKind.String)];
        if (type != "string" || texts.Length != values.Count(value => value.ValueKind != JsonValueKind.Null))
        {
            notes.Add(SchemaKeywords.Note("allowed", schema.TryGetProperty("enum", out JsonElement list) ? list : values[0]));
            return;
        }
        // "enum[0]: cannot be empty"
        texts = [.. texts.Where(static text => JsonMarshal.GetRawUtf8Value(text).Length > 2)];
        if (texts.Length == 0) return;
        writer.WriteStartArray("enum"u8);
        foreach (JsonElement text in texts) Raw(writer, text);
        writer.WriteEndArray();
    }

    private static void WriteLimits(Utf8JsonWriter writer, JsonElement schema, string type, List<string> notes)
    {
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                case "title" or "minItems" or "maxItems" or "minProperties" or "maxProperties" or "minLength" or "maxLength"
                    or "pattern" or "minimum" or "maximum":
                case "default" when member.Value.ValueKind != JsonValueKind.Null:
                    Copy(writer, member.Name, member.Value);
                    break;
                case "format" when IsKnownFormat(member.Value, type):
                    Copy(writer, "format", member.Value);
                    break;
                case "type" or "nullable" or "enum" or "const" or "anyOf" or "oneOf" or "allOf" or "items" or "prefixItems" or "properties" or "required"
                    or "description" or "$defs" or "definitions" or "$ref" or "additionalProperties" or "default" or "examples" or "readOnly" or "writeOnly"
                    or "deprecated" or "strict":
                    break;
                default:
                    if (!SchemaKeywords.IsNoise(member.Name)) notes.Add(SchemaKeywords.Note(member.Name, member.Value));
                    break;
            }
        }
    }

    /// <summary>"only 'enum' and 'date-time' are supported for STRING type", and others for others.</summary>
    private static bool IsKnownFormat(JsonElement format, string type) => format.ValueKind == JsonValueKind.String
        && (type, JsonFields.Decode(format)) is ("string", "date-time") or ("integer", "int32" or "int64") or ("number", "float" or "double");

    private void WriteItems(Utf8JsonWriter writer, JsonElement schema)
    {
        if (!schema.TryGetProperty("items", out JsonElement items)) schema.TryGetProperty("prefixItems", out items);
        if (items.ValueKind == JsonValueKind.Array) items = items.GetArrayLength() > 0 ? items[0] : default;
        if (items.ValueKind != JsonValueKind.Object)
        {
            StringItems(writer);
            return;
        }
        writer.WritePropertyName("items"u8);
        Write(writer, items, isRoot: false);
    }

    /// <param name="branches">Alternatives whose properties the object has too; required is what all of them require.</param>
    private void WriteProperties(Utf8JsonWriter writer, JsonElement schema, IReadOnlyList<JsonElement> branches, bool isRoot, List<string> notes)
    {
        var properties = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        int entered = _references.Count, inlined = _inlined.Count;
        List<string> required = Collect(schema, properties);
        List<string>? common = null;
        foreach (JsonElement branch in branches)
        {
            List<string> own = Collect(Resolve(branch), properties);
            // Their words stand in this node: what refers to them from inside goes in a circle.
            _inlined.AddRange(_references.Skip(entered));
            _references.RemoveRange(entered, _references.Count - entered);
            common = common is null ? own : [.. common.Intersect(own, StringComparer.Ordinal)];
        }
        required.AddRange(common ?? []);
        // The model must know that it may name some itself: the dialect cannot say it.
        if (SchemaKeywords.TryGet(schema, "additionalProperties", out JsonElement further) && further.ValueKind == JsonValueKind.Object)
            notes.Add(SchemaKeywords.Note("additionalProperties", further));
        if (properties.Count == 0)
        {
            _inlined.RemoveRange(inlined, _inlined.Count - inlined);
            // "should be non-empty for OBJECT type"
            if (!isRoot) Placeholder(writer);
            return;
        }
        writer.WriteStartObject("properties"u8);
        foreach ((string name, JsonElement property) in properties)
        {
            writer.WritePropertyName(name);
            Write(writer, property, isRoot: false);
        }
        writer.WriteEndObject();
        _inlined.RemoveRange(inlined, _inlined.Count - inlined);
        required.RemoveAll(name => !properties.ContainsKey(name));
        if (required.Count == 0) return;
        writer.WriteStartArray("required"u8);
        foreach (string name in required.Distinct(StringComparer.Ordinal)) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    /// <summary>Adds the properties of a schema; returns what it requires.</summary>
    private static List<string> Collect(JsonElement schema, OrderedDictionary<string, JsonElement> properties)
    {
        if (SchemaKeywords.TryGet(schema, "properties", out JsonElement own) && own.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in own.EnumerateObject()) properties.TryAdd(property.Name, property.Value);
        }
        if (!SchemaKeywords.TryGet(schema, "required", out JsonElement names) || names.ValueKind != JsonValueKind.Array) return [];
        return [.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(JsonFields.Decode)];
    }

    /// <summary>One optional property, since an object must have some; answers lose it again.</summary>
    private static void Placeholder(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("properties"u8);
        writer.WriteStartObject(GeminiPlaceholder.Name);
        writer.WriteString("type"u8, "STRING"u8);
        writer.WriteString("description"u8, "Leave out."u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void StringItems(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("items"u8);
        writer.WriteString("type"u8, "STRING"u8);
        writer.WriteEndObject();
    }

    private static void WriteAnything(Utf8JsonWriter writer, JsonElement schema)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "STRING"u8);
        string told = schema.ValueKind == JsonValueKind.Object ? SchemaKeywords.Describe(schema, []) : "";
        writer.WriteString("description"u8, told.Length > 0 ? told : "Any value, as JSON.");
        writer.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        Raw(writer, value);
    }

    private static void Raw(Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
