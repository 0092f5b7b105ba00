using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>JSON Schema for <c>parametersJsonSchema</c> and <c>responseJsonSchema</c>: the documented keywords, the others told in the description.</summary>
public sealed class GeminiSchema
{
    /// <summary>Put in place, a few references that hold each other grow without end; beyond this many nodes everything is open.</summary>
    private const int MaxNodes = 20_000;

    /// <summary>Nodes inside nodes; a body cannot hold more, but what is put in place can.</summary>
    private const int MaxDepth = 250;

    private readonly Utf8JsonWriter _writer;
    private readonly JsonElement _root;
    private readonly GeminiReferences _references;

    /// <summary>References whose words stand in place in the node that is being written.</summary>
    private readonly List<string> _inlined = [];

    private int _nodes, _depth;

    /// <summary>The definition that is being written.</summary>
    private string _definition = "#";

    /// <summary>Nothing that is written now has to be there: a circle may go through it.</summary>
    private bool _isFree;

    /// <summary>A required property is being written.</summary>
    private bool _isProperty;

    /// <summary>That property closes a circle, and cannot be required.</summary>
    private bool _isLoop;

    private GeminiSchema(Utf8JsonWriter writer, JsonElement root)
    {
        (_writer, _root, _references) = (writer, root, new GeminiReferences(root));
    }

    public static void Write(Utf8JsonWriter writer, JsonElement schema) => new GeminiSchema(writer, schema).Root();

    private void Root()
    {
        JsonElement schema = _root;
        // Some generators put the whole schema under a name; it stands here all the same.
        for (var seen = new HashSet<string>(StringComparer.Ordinal); _references.Of(schema) is var (path, target) && seen.Add(path);)
        {
            (_definition, schema) = (path, target);
            _inlined.Add(path);
        }
        Write(schema, isRoot: true);
    }

    private void Write(JsonElement schema, bool isRoot = false)
    {
        // True, false and what refers to nothing stand for anything.
        if (schema.ValueKind != JsonValueKind.Object || ++_nodes > MaxNodes || _depth > MaxDepth)
        {
            Empty();
            return;
        }
        bool isMerged = GeminiAllOf.IsIn(schema);
        if (!isRoot && Lone(schema) is { } lone && _references.Of(lone) is var (path, target))
        {
            // What stands beside the reference could not stand there: the words of a plain value are put in place instead.
            isMerged = IsPlain(target) && (schema.TryGetProperty("description", out _) || schema.TryGetProperty("default", out _));
            if (!isMerged)
            {
                Reference(path);
                return;
            }
        }
        _depth++;
        if (isMerged) Merged(schema, isRoot);
        else Node(schema, isRoot);
        _depth--;
    }

    private void Merged(JsonElement schema, bool isRoot)
    {
        var merge = new GeminiAllOf(_references, _inlined);
        using JsonDocument merged = merge.Of(schema);
        if (merge.Circle is { } circle && !isRoot)
        {
            Reference(circle);
            return;
        }
        int entered = _inlined.Count;
        _inlined.AddRange(merge.Inlined);
        Node(merged.RootElement, isRoot);
        // The root's definitions are written inside of it, and have forgotten what was around.
        if (_inlined.Count > entered) _inlined.RemoveRange(entered, _inlined.Count - entered);
    }

    /// <summary>The node itself; of one that wraps a reference to put words beside it, the reference.</summary>
    private static JsonElement Lone(JsonElement schema)
    {
        bool isPlain = !schema.TryGetProperty("type", out _) && !schema.TryGetProperty("properties", out _);
        return isPlain && schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array && all.GetArrayLength() == 1 ? all[0] : schema;
    }

    private static bool IsPlain(JsonElement schema) => schema.ValueKind == JsonValueKind.Object && !schema.EnumerateObject().Any(static member =>
        member.Name is "$ref" || SchemaKeywords.IsMap(member.Name) || SchemaKeywords.IsList(member.Name) || SchemaKeywords.IsSchema(member.Name));

    /// <summary>"A node with $ref may hold nothing else".</summary>
    private void Reference(string path)
    {
        bool isLoop = !_isFree && _references.IsLoop(_definition, path);
        if (isLoop && !_isProperty)
        {
            Empty();
            return;
        }
        _isLoop |= isLoop;
        _writer.WriteStartObject();
        _writer.WriteString("$ref"u8, "#/$defs/" + _references.Use(path));
        _writer.WriteEndObject();
    }

    private void Node(JsonElement schema, bool isRoot)
    {
        var notes = new List<string>();
        var loosened = new HashSet<string>(StringComparer.Ordinal);
        _writer.WriteStartObject();
        if (!schema.TryGetProperty("type", out _) && schema.TryGetProperty("properties", out _)) _writer.WriteString("type"u8, "object"u8);
        foreach (JsonProperty member in schema.EnumerateObject()) Keyword(schema, member, notes, loosened);
        if (isRoot) Definitions();
        List<string> required = SchemaKeywords.Required(schema);
        required.RemoveAll(loosened.Contains);
        if (required.Count > 0)
        {
            _writer.WriteStartArray("required"u8);
            foreach (string name in required) _writer.WriteStringValue(name);
            _writer.WriteEndArray();
        }
        if (SchemaKeywords.TypeOf(schema) == "array" && !schema.TryGetProperty("items", out _) && !schema.TryGetProperty("prefixItems", out _))
        {
            _writer.WritePropertyName("items"u8);
            Empty();
        }
        string description = SchemaKeywords.Describe(schema, notes);
        if (description.Length > 0) _writer.WriteString("description"u8, description);
        _writer.WriteEndObject();
    }

    private void Keyword(JsonElement schema, JsonProperty member, List<string> notes, HashSet<string> loosened)
    {
        switch (member.Name)
        {
            case "required" or "description" or "$defs" or "definitions" or "$ref" or "nullable":
                break;
            case "type":
                Type(schema, member.Value);
                break;
            case "title" or "minItems" or "maxItems" or "minimum" or "maximum":
                Copy(member.Name, member.Value);
                break;
            case "const" when member.Value.ValueKind == JsonValueKind.Null:
                if (!schema.TryGetProperty("type", out _)) _writer.WriteString("type"u8, "null"u8);
                break;
            case "enum" or "const":
                if (member.Name == "enum" || !schema.TryGetProperty("enum", out _)) Values(member, notes);
                break;
            case "format":
                bool isKnown = member.Value.ValueKind == JsonValueKind.String && JsonFields.Decode(member.Value) is "date-time" or "date" or "time";
                if (isKnown) Copy("format", member.Value);
                else notes.Add(SchemaKeywords.Note("format", member.Value));
                break;
            case "properties" when member.Value.ValueKind == JsonValueKind.Object:
                Properties(schema, member.Value, loosened);
                break;
            // Alternatives that only say which properties must be there would all be written as anything.
            case "anyOf" or "oneOf" when member.Value.ValueKind == JsonValueKind.Array && member.Value.EnumerateArray().All(SchemaKeywords.SaysSomething):
            case "prefixItems" when member.Value.ValueKind == JsonValueKind.Array:
                List(schema, member);
                break;
            // Old drafts list one schema a position; the first is the best that is left of that.
            case "items":
                if (member.Value.ValueKind != JsonValueKind.False) Inside("items", member.Value.ValueKind != JsonValueKind.Array ? member.Value : member.Value.GetArrayLength() > 0 ? member.Value[0] : default, GeminiReferences.MayBeEmpty(schema));
                break;
            case "additionalProperties":
                if (member.Value.ValueKind == JsonValueKind.Object) Inside(member.Name, member.Value, isFree: false);
                else _writer.WriteBoolean(member.Name, member.Value.ValueKind != JsonValueKind.False);
                break;
            default:
                if (!SchemaKeywords.IsNoise(member.Name)) notes.Add(SchemaKeywords.Note(member.Name, member.Value));
                break;
        }
    }

    private void Type(JsonElement schema, JsonElement type)
    {
        bool isNullable = SchemaKeywords.TryGet(schema, "nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True;
        if (type.ValueKind == JsonValueKind.String && !isNullable)
        {
            _writer.WriteString("type"u8, JsonFields.Decode(type).ToLowerInvariant());
            return;
        }
        List<string> told = [.. (type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type])
            .Where(static name => name.ValueKind == JsonValueKind.String).Select(JsonFields.Decode)];
        List<string> names = [.. told.Select(static name => name.ToLowerInvariant())];
        if (names.Count == 0) return;
        if (isNullable && !names.Contains("null")) names.Add("null");
        if (names.SequenceEqual(told))
        {
            Copy("type", type);
            return;
        }
        _writer.WriteStartArray("type"u8);
        foreach (string name in names) _writer.WriteStringValue(name);
        _writer.WriteEndArray();
    }

    /// <summary>"enum: strings or numbers".</summary>
    private void Values(JsonProperty member, List<string> notes)
    {
        JsonElement[] values = member.Name == "const" ? [member.Value] : member.Value.ValueKind == JsonValueKind.Array ? [.. member.Value.EnumerateArray()] : [];
        JsonElement[] told = [.. values.Where(static value => value.ValueKind is JsonValueKind.String or JsonValueKind.Number)];
        if (values.Any(static value => value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Null)) || told.Length == 0)
        {
            if (values.Length > 0) notes.Add(SchemaKeywords.Note("allowed", member.Value));
            return;
        }
        if (member.Name == "enum" && told.Length == values.Length)
        {
            Copy("enum", member.Value);
            return;
        }
        _writer.WriteStartArray("enum"u8);
        foreach (JsonElement value in told) Raw(value);
        _writer.WriteEndArray();
    }

    private void Properties(JsonElement owner, JsonElement properties, HashSet<string> loosened)
    {
        (bool isFree, bool isProperty, bool isLoop) = (_isFree, _isProperty, _isLoop);
        HashSet<string> required = [.. SchemaKeywords.Required(owner)];
        _writer.WriteStartObject("properties"u8);
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            (_isFree, _isProperty, _isLoop) = (isFree || GeminiReferences.IsFree(required, property), true, false);
            _writer.WritePropertyName(property.Name);
            Write(property.Value);
            if (_isLoop) loosened.Add(property.Name);
        }
        _writer.WriteEndObject();
        (_isFree, _isProperty, _isLoop) = (isFree, isProperty, isLoop);
    }

    private void List(JsonElement owner, JsonProperty member)
    {
        bool isFree = _isFree;
        _isFree |= member.Name == "prefixItems" && GeminiReferences.MayBeEmpty(owner);
        _writer.WriteStartArray(member.Name);
        foreach (JsonElement branch in member.Value.EnumerateArray()) Write(branch);
        _writer.WriteEndArray();
        _isFree = isFree;
    }

    private void Inside(string name, JsonElement schema, bool isFree)
    {
        bool outer = _isFree;
        _isFree |= isFree;
        _writer.WritePropertyName(name);
        Write(schema);
        _isFree = outer;
    }

    /// <summary>All that was referred to; behind everything that refers, but for the definitions themselves.</summary>
    private void Definitions()
    {
        bool hasAny = false;
        while (_references.TryNext(out string path, out string name))
        {
            if (!hasAny) _writer.WriteStartObject("$defs"u8);
            hasAny = true;
            (_definition, _isFree, _isProperty, _isLoop) = (path, false, false, false);
            _writer.WritePropertyName(name);
            _inlined.Clear();
            _inlined.Add(path);
            Write(_references.Follow(path) ?? default);
        }
        _inlined.Clear();
        if (hasAny) _writer.WriteEndObject();
    }

    private void Empty()
    {
        _writer.WriteStartObject();
        _writer.WriteEndObject();
    }

    private void Copy(string name, JsonElement value)
    {
        _writer.WritePropertyName(name);
        Raw(value);
    }

    private void Raw(JsonElement value) => _writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
