using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Brings a JSON Schema into the few words that Code Assist takes: an allow list. What it has no word for is told in the description.</summary>
/// <remarks>Given schemas alone, never a request: the same keys are data in a call's arguments.</remarks>
public sealed class SchemaCleaner
{
    /// <summary>Written into an empty object, and taken out of the arguments again.</summary>
    public const string ReasonName = "reason";

    /// <summary>Written into an object that requires nothing.</summary>
    public const string FlagName = "_";

    // Put in place, references grow; beyond this everything is an open object.
    private const int MaxNodes = 5_000;
    private const int MaxDepth = 64;

    private readonly SchemaGathering _gathering;
    private readonly SchemaUse _use;
    private int _nodes;

    private SchemaCleaner(JsonElement root, SchemaUse use)
    {
        _gathering = new SchemaGathering(root);
        _use = use;
    }

    /// <param name="root">Also what references begin at.</param>
    public static CleanSchema Clean(JsonElement root, SchemaUse use)
    {
        var cleaner = new SchemaCleaner(root, use);
        return cleaner.Node(root, null, 0);
    }

    private CleanSchema Node(JsonElement schema, SchemaDraft.Way? way, int depth)
    {
        if (++_nodes > MaxNodes || depth > MaxDepth) return new CleanSchema { Type = "string", Description = "Any value, as JSON." };
        SchemaDraft draft = _gathering.Gather(schema, way);
        // The arguments of a function are an object, whatever is told of them.
        string kind = draft.Kind.Length > 0 ? draft.Kind : depth == 0 && _use != SchemaUse.Response ? "object" : "string";
        List<string> values = Values(draft, ref kind);
        if (draft.IsClosed && _use != SchemaUse.Response) draft.Hints.Add("No further properties");
        return kind switch
        {
            "object" => Object(draft, depth),
            "array" => Made(draft, kind, values, items: Items(draft, depth)),
            _ => Made(draft, kind, values),
        };
    }

    private CleanSchema Object(SchemaDraft draft, int depth)
    {
        var properties = new List<(string Name, CleanSchema Schema)>(draft.Properties.Count);
        foreach (SchemaDraft.Child child in draft.Properties) properties.Add((child.Name, Node(child.Schema, child.Way, depth + 1)));
        List<string> required = [.. draft.Required.Distinct(StringComparer.Ordinal).Where(name => properties.Exists(property => property.Name == name && !property.Schema.IsOptional))];
        string? placeholder = null;
        if (_use == SchemaUse.ValidatedTool && required.Count == 0)
        {
            placeholder = properties.Count == 0 ? ReasonName : FlagName;
            while (properties.Exists(property => property.Name == placeholder)) placeholder += FlagName;
            properties.Add((placeholder, properties.Count == 0
                ? new CleanSchema { Type = "string", Description = "A short explanation of this call." }
                : new CleanSchema { Type = "boolean", Description = "Always true." }));
            required.Add(placeholder);
        }
        return Made(draft, "object", [], properties, required, placeholder: placeholder);
    }

    private CleanSchema Items(SchemaDraft draft, int depth) =>
        draft.Items is { } items ? Node(items.Schema, items.Way, depth + 1) : new CleanSchema { Type = "string", Description = "" };

    private CleanSchema Made(
        SchemaDraft draft, string kind, List<string> values, IReadOnlyList<(string, CleanSchema)>? properties = null, IReadOnlyList<string>? required = null, CleanSchema? items = null,
        string? placeholder = null) => new()
    {
        // The client's own capitals, where it told a type.
        Type = draft.Type.Equals(kind, StringComparison.OrdinalIgnoreCase) ? draft.Type : kind,
        Description = Described(draft),
        Title = _use == SchemaUse.Tool ? null : draft.Title,
        IsNullable = draft.IsNullable,
        IsOptional = draft.HasNullType,
        Enum = values,
        Properties = properties,
        Required = required ?? [],
        Items = items,
        IsClosed = draft.IsClosed && _use == SchemaUse.Response && kind == "object",
        Ordering = kind == "object" ? draft.Ordering : null,
        Placeholder = placeholder,
    };

    /// <summary>The values that stay a list. Of a function's arguments all are told in words, of an answer's form those that are no texts to the model.</summary>
    private List<string> Values(SchemaDraft draft, ref string kind)
    {
        if (draft.Enum is not { Count: > 0 } told) return [];
        List<string> texts = [.. told.Where(static value => value.ValueKind != JsonValueKind.Null).Select(Text)];
        if (texts.Count < told.Count) draft.IsNullable = true;
        if (_use == SchemaUse.Response && texts.Count > 0 && !told.TrueForAll(static value => value.ValueKind is JsonValueKind.True or JsonValueKind.False))
        {
            kind = "string";
            // "enum[0]: cannot be empty"
            return [.. texts.Where(static text => text.Length > 0)];
        }
        if (texts.Count > 0) draft.Hints.Insert(0, "Allowed: " + string.Join(", ", texts));
        return [];
    }

    private static string Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? JsonFields.Decode(value) : System.Text.Encoding.UTF8.GetString(JsonFields.RawBytes(value));

    private static string Described(SchemaDraft draft)
    {
        string told = draft.Description ?? "";
        return draft.Hints.Count == 0 ? told : $"{told}{(told.Length > 0 ? " " : "")}({string.Join("; ", draft.Hints)})";
    }
}
