using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Puts together what one node of a schema says: references in place, <c>allOf</c>, conditions and alternatives merged, the rest told in words.</summary>
/// <remarks>A name directly under <c>properties</c> is data, never a keyword.</remarks>
public sealed class SchemaGathering(JsonElement root)
{
    // References inside references beyond this are recursion in all but name.
    private const int MaxReferences = 8;

    // Branches inside branches of one node.
    private const int MaxBranchDepth = 16;

    // References that hold each other grow without end, also where no node holds itself.
    private const int MaxGathered = 20_000;

    private readonly SchemaPointers _pointers = new(root);

    private int _gathered;

    public SchemaDraft Gather(JsonElement schema, SchemaDraft.Way? way)
    {
        var draft = new SchemaDraft();
        Take(schema, way, draft, 0);
        return draft;
    }

    private void Take(JsonElement schema, SchemaDraft.Way? way, SchemaDraft draft, int depth)
    {
        // True and false stand for anything and nothing.
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxBranchDepth || ++_gathered > MaxGathered) return;
        if (IsBareMap(schema))
        {
            foreach (JsonProperty property in schema.EnumerateObject()) AddProperty(draft, property, way);
            return;
        }
        foreach (JsonProperty member in schema.EnumerateObject()) Word(member, way, draft);
        if (schema.TryGetProperty("$ref", out JsonElement reference)) Follow(reference, way, draft, depth);
        if (List(schema, "allOf") is { } all)
            foreach (JsonElement branch in all) draft.Fill(Branch(branch, way, depth), isBranch: false);
        foreach (string condition in (ReadOnlySpan<string>)["then", "else"])
        {
            if (!schema.TryGetProperty(condition, out JsonElement then)) continue;
            foreach (SchemaDraft.Child property in Branch(then, way, depth).Properties) draft.Add(property);
        }
        foreach (string choice in (ReadOnlySpan<string>)["anyOf", "oneOf"])
            if (List(schema, choice) is { } branches) Choose(branches, way, draft, depth);
    }

    private SchemaDraft Branch(JsonElement schema, SchemaDraft.Way? way, int depth)
    {
        var draft = new SchemaDraft();
        Take(schema, way, draft, depth + 1);
        return draft;
    }

    private void Word(JsonProperty member, SchemaDraft.Way? way, SchemaDraft draft)
    {
        JsonElement value = member.Value;
        switch (member.Name)
        {
            case "type": TakeType(value, draft); break;
            case "description" when value.ValueKind == JsonValueKind.String: draft.Description ??= JsonFields.Decode(value); break;
            case "title" when value.ValueKind == JsonValueKind.String: draft.Title ??= JsonFields.Decode(value); break;
            case "nullable": draft.IsNullable |= value.ValueKind == JsonValueKind.True; break;
            case "const": draft.Enum ??= [value]; break;
            case "enum" when value.ValueKind == JsonValueKind.Array: draft.Enum ??= [.. value.EnumerateArray()]; break;
            case "properties" when value.ValueKind == JsonValueKind.Object:
                draft.HasProperties = true;
                foreach (JsonProperty property in value.EnumerateObject()) AddProperty(draft, property, way);
                break;
            case "required" when value.ValueKind == JsonValueKind.Array:
                foreach (JsonElement name in value.EnumerateArray())
                    if (name.ValueKind == JsonValueKind.String) draft.Required.Add(JsonFields.Decode(name));
                break;
            // Old drafts, and prefixItems in newer ones, list one schema a position: the first is the best that is left of that.
            case "items" or "prefixItems":
                JsonElement items = value.ValueKind != JsonValueKind.Array ? value : value.GetArrayLength() > 0 ? value[0] : default;
                if (items.ValueKind == JsonValueKind.Object) draft.Items ??= new SchemaDraft.Child("", items, way);
                break;
            case "additionalProperties":
                draft.IsClosed |= value.ValueKind == JsonValueKind.False;
                // The keys are the model's own; nothing else tells it that it may name some.
                if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any()) draft.Hints.Add(SchemaKeywords.Note("Further properties", value));
                break;
            case "propertyOrdering" when value.ValueKind == JsonValueKind.Array: draft.Ordering ??= value; break;
            default:
                bool isScalar = value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;
                if (isScalar && !IsSilent(member.Name)) draft.Hints.Add(SchemaKeywords.Note(member.Name, value));
                break;
        }
    }

    private static void AddProperty(SchemaDraft draft, JsonProperty property, SchemaDraft.Way? way)
    {
        draft.Add(new SchemaDraft.Child(property.Name, property.Value, way));
        // An old habit: the property itself says whether it is required.
        if (SchemaKeywords.TryGet(property.Value, "required", out JsonElement required) && required.ValueKind == JsonValueKind.True) draft.Required.Add(property.Name);
    }

    private static void TakeType(JsonElement type, SchemaDraft draft)
    {
        foreach (JsonElement item in type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type])
        {
            if (item.ValueKind != JsonValueKind.String) continue;
            string name = JsonFields.Decode(item);
            if (name.Equals("null", StringComparison.OrdinalIgnoreCase)) draft.IsNullable = draft.HasNullType = true;
            else if (draft.Type.Length == 0) draft.Type = name;
        }
    }

    private void Follow(JsonElement reference, SchemaDraft.Way? way, SchemaDraft draft, int depth)
    {
        string path = reference.ValueKind == JsonValueKind.String ? JsonFields.Decode(reference) : "";
        bool isCircle = way is not null && (way.Holds(path) || way.Length >= MaxReferences);
        if (!isCircle && _pointers.Follow(path) is { } target)
        {
            // The node's own words win over those of what it refers to.
            draft.Fill(Branch(target, new SchemaDraft.Way(path, way), depth), isBranch: false);
            return;
        }
        draft.Hints.Add("See: " + path[(path.LastIndexOf('/') + 1)..]);
        if (draft.Kind.Length == 0) draft.Type = "object";
    }

    private void Choose(JsonElement[] branches, SchemaDraft.Way? way, SchemaDraft draft, int depth)
    {
        var real = new List<SchemaDraft>();
        foreach (JsonElement branch in branches)
        {
            if (SchemaKeywords.TypeOf(branch) == "null") draft.IsNullable = true;
            else real.Add(Branch(branch, way, depth));
        }
        if (real.Count == 0) return;
        if (real.Count > 1 && real.TrueForAll(static one => one.Enum is not null))
        {
            // Single values, each with a title of its own, are one list of values.
            draft.Enum ??= [.. real.SelectMany(static one => one.Enum!)];
            if (draft.Type.Length == 0 && real.TrueForAll(one => one.Kind == real[0].Kind)) draft.Type = real[0].Type;
            draft.Hints.AddRange(real.SelectMany(static one => one.Hints).Distinct());
            return;
        }
        SchemaDraft best = real.MaxBy(static one => one.Rank)!;
        if (real.Count > 1)
        {
            string[] kinds = [.. real.Select(static one => one.Kind).Where(static kind => kind.Length > 0).Distinct()];
            if (kinds.Length > 1) draft.Hints.Add("Accepts: " + string.Join(" | ", kinds));
            else if (kinds.Length == 1 && real.Exists(one => one != best && one.HasProperties)) draft.Hints.Add("Or: " + Alternatives(real, best));
        }
        draft.Fill(best, isBranch: real.Count > 1);
    }

    private static string Alternatives(List<SchemaDraft> real, SchemaDraft best) =>
        string.Join(" | ", real.Where(one => one != best && one.HasProperties).Select(static one => "{" + string.Join(", ", one.Properties.Select(static property => property.Name)) + "}"));

    private static JsonElement[]? List(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : null;

    /// <summary>Properties without the object around them.</summary>
    private static bool IsBareMap(JsonElement schema)
    {
        bool hasAny = false;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Object || IsKeyword(member.Name)) return false;
            hasAny = true;
        }
        return hasAny;
    }

    private static bool IsKeyword(string name) =>
        name.StartsWith('$') || SchemaKeywords.IsMap(name) || SchemaKeywords.IsList(name) || SchemaKeywords.IsSchema(name) || SchemaKeywords.IsNoise(name)
        || name is "type" or "enum" or "const" or "default" or "example" or "examples" or "required" or "description" or "title" or "format" or "nullable";

    /// <summary>Goes without a word: it says nothing about the data.</summary>
    private static bool IsSilent(string name) =>
        SchemaKeywords.IsNoise(name) || name.StartsWith('$')
        || name is "required" or "definitions" or "enumDescriptions" or "enumTitles" or "prefill" or "deprecated" or "encrypted" or "readOnly" or "writeOnly" or "strict"
            or "if" or "then" or "else" or "not" or "propertyNames" or "patternProperties" or "unevaluatedProperties" or "additionalItems" or "unevaluatedItems" or "contains"
            or "example" or "contentEncoding" or "contentMediaType" or "propertyOrdering" or "properties";
}
