using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Makes one node of a node and all that its <c>allOf</c> adds: the dialect has no such keyword, and the arguments that it brings would be lost.</summary>
/// <param name="entered">References whose words are in place around the node already.</param>
public sealed class GeminiAllOf(GeminiReferences references, IReadOnlyCollection<string> entered)
{
    private const int MaxDepth = 16;

    private readonly List<string> _inlined = [];
    private readonly OrderedDictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, JsonElement> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _required = [];
    private readonly List<JsonElement> _others = [];

    /// <summary>The references that were followed.</summary>
    public IReadOnlyList<string> Inlined => _inlined;

    /// <summary>A reference that is in place already, around the node itself; null: none.</summary>
    public string? Circle { get; private set; }

    public static bool IsIn(JsonElement schema) => schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array;

    /// <summary>The one node, with what does not go together in an <c>allOf</c> that is left.</summary>
    public JsonDocument Of(JsonElement schema)
    {
        Take(schema, 0);
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output)) Write(writer);
        return JsonDocument.Parse(output.WrittenMemory, new JsonDocumentOptions { MaxDepth = BodyScan.MaxLevels });
    }

    private void Take(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth) return;
        bool isOther = false;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (member.Name == "properties" && member.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in member.Value.EnumerateObject()) _properties.TryAdd(property.Name, property.Value);
            }
            else if (member.Name == "required" && member.Value.ValueKind == JsonValueKind.Array)
            {
                _required.AddRange(member.Value.EnumerateArray().Where(static name => name.ValueKind == JsonValueKind.String).Select(JsonFields.Decode));
            }
            else if (member.Name is not ("allOf" or "$ref" or "$defs" or "definitions"))
            {
                bool isFirst = _members.TryAdd(member.Name, member.Value);
                isOther |= !isFirst && member.Name is not ("type" or "description" or "title" or "default" or "additionalProperties") && !SchemaKeywords.IsNoise(member.Name);
            }
        }
        if (isOther) _others.Add(schema);
        Follow(schema, depth);
        if (!IsIn(schema)) return;
        foreach (JsonElement branch in schema.GetProperty("allOf").EnumerateArray()) Take(branch, depth + 1);
    }

    private void Follow(JsonElement schema, int depth)
    {
        if (references.Of(schema) is not var (path, target)) return;
        if (entered.Contains(path)) Circle ??= path;
        if (entered.Contains(path) || _inlined.Contains(path)) return;
        _inlined.Add(path);
        Take(target, depth + 1);
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach ((string name, JsonElement value) in _members) Raw(writer, name, value);
        if (_properties.Count > 0)
        {
            writer.WriteStartObject("properties"u8);
            foreach ((string name, JsonElement value) in _properties) Raw(writer, name, value);
            writer.WriteEndObject();
        }
        if (_others.Count > 0)
        {
            writer.WriteStartArray("allOf"u8);
            foreach (JsonElement other in _others) writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(other), skipInputValidation: true);
            writer.WriteEndArray();
        }
        writer.WriteStartArray("required"u8);
        foreach (string name in _required.Distinct(StringComparer.Ordinal)) writer.WriteStringValue(name);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Raw(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }
}
