using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The references of one JSON Schema: which definitions it needs, by what names, and where they go in circles that the provider refuses.</summary>
/// <remarks>It knows references to <c>$defs</c> at the root alone ("reference to undefined schema"), while generators also refer to where a schema stood first, such as
/// <c>#/properties/a/items</c>: that becomes a definition too.</remarks>
public sealed class GeminiReferences(JsonElement root)
{
    /// <summary>A schema that takes more steps than this to be looked through for circles is made of little else.</summary>
    private const int MaxSteps = 200_000;

    private readonly SchemaPointers _pointers = new(root);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Queue<(string Path, string Name)> _pending = new();
    private readonly Dictionary<string, IReadOnlyList<string>> _bound = new(StringComparer.Ordinal);
    private int _steps;

    /// <summary>As <see cref="SchemaPointers.Follow"/>.</summary>
    public JsonElement? Follow(string path) => _pointers.Follow(path);

    /// <summary>What a node refers to; null: it has no reference, or one that leads nowhere.</summary>
    public (string Path, JsonElement Target)? Of(JsonElement schema)
    {
        if (!SchemaKeywords.TryGet(schema, "$ref", out JsonElement reference) || reference.ValueKind != JsonValueKind.String) return null;
        string path = JsonFields.Decode(reference).TrimEnd('/');
        return Follow(path) is { } target ? (path, target) : null;
    }

    /// <summary>The definition's name, which is written later.</summary>
    public string Use(string path)
    {
        if (_names.TryGetValue(path, out string? known)) return known;
        string last = path is "#" ? "root" : string.Concat(path[(path.LastIndexOf('/') + 1)..].Select(static letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_')), name = last;
        for (int number = 2; !_taken.Add(name); number++) name = $"{last}_{number}";
        _names.Add(path, name);
        _pending.Enqueue((path, name));
        return name;
    }

    /// <summary>The next definition to write. Writing one may ask for others.</summary>
    public bool TryNext(out string path, out string name)
    {
        bool hasOne = _pending.TryDequeue(out (string Path, string Name) next);
        (path, name) = hasOne ? next : ("", "");
        return hasOne;
    }

    /// <summary>A value of the definition at <paramref name="from"/> that cannot be left out holds one of the definition at <paramref name="to"/>, and so on
    /// until the first.</summary>
    /// <remarks>"ref loops are only supported if they include optional or nullable property values, or a potentially-zero-length array items"</remarks>
    public bool IsLoop(string from, string to)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var ways = new Stack<string>([to]);
        while (ways.TryPop(out string? at))
        {
            if (at == from || ++_steps > MaxSteps) return true;
            if (!seen.Add(at)) continue;
            foreach (string next in Bound(at)) ways.Push(next);
        }
        return false;
    }

    /// <summary>The value of a property may be missing, or null.</summary>
    /// <param name="required">Of the object.</param>
    public static bool IsFree(IReadOnlySet<string> required, JsonProperty property)
    {
        if (!required.Contains(property.Name)) return true;
        JsonElement schema = property.Value;
        if (SchemaKeywords.TryGet(schema, "type", out JsonElement type) && type.ValueKind == JsonValueKind.Array && type.EnumerateArray().Any(IsNull)) return true;
        return Branches(schema, "anyOf").Concat(Branches(schema, "oneOf")).Any(static branch => SchemaKeywords.TypeOf(branch) == "null");
    }

    /// <summary>The array may be empty.</summary>
    public static bool MayBeEmpty(JsonElement array) =>
        !SchemaKeywords.TryGet(array, "minItems", out JsonElement least) || least.ValueKind != JsonValueKind.Number || !least.TryGetDouble(out double count) || count < 1;

    private static bool IsNull(JsonElement type) => type.ValueKind == JsonValueKind.String && JsonFields.Decode(type).Equals("null", StringComparison.OrdinalIgnoreCase);

    private IReadOnlyList<string> Bound(string path)
    {
        if (_bound.TryGetValue(path, out IReadOnlyList<string>? known)) return known;
        var found = new List<string>();
        if (Follow(path) is { } schema) Collect(schema, found);
        _bound[path] = found;
        return found;
    }

    /// <summary>References that no value can be without.</summary>
    private void Collect(JsonElement schema, List<string> found)
    {
        if (schema.ValueKind != JsonValueKind.Object || ++_steps > MaxSteps) return;
        if (Of(schema) is var (path, _)) found.Add(path);
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                case "properties" when member.Value.ValueKind == JsonValueKind.Object:
                    HashSet<string> required = [.. SchemaKeywords.Required(schema)];
                    foreach (JsonProperty property in member.Value.EnumerateObject())
                        if (!IsFree(required, property)) Collect(property.Value, found);
                    break;
                case "anyOf" or "oneOf" or "allOf" or "additionalProperties":
                case "items" or "prefixItems" when !MayBeEmpty(schema):
                    if (member.Value.ValueKind == JsonValueKind.Array) foreach (JsonElement branch in member.Value.EnumerateArray()) Collect(branch, found);
                    else Collect(member.Value, found);
                    break;
            }
        }
    }

    private static IEnumerable<JsonElement> Branches(JsonElement schema, string name) =>
        SchemaKeywords.TryGet(schema, name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
}
