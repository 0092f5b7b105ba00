using System.Text.Json;

namespace Aiproxy.Upstreams.Google;

/// <summary>What was gathered for one node out of a schema, its references and its branches. Of a word said twice the first holds.</summary>
public sealed class SchemaDraft
{
    /// <summary>The references that led to a child; a child of itself is not followed again.</summary>
    public sealed record Way(string Reference, Way? Outer)
    {
        public int Length => 1 + (Outer?.Length ?? 0);

        public bool Holds(string reference) => Reference == reference || Outer?.Holds(reference) == true;
    }

    public sealed record Child(string Name, JsonElement Schema, Way? Way);

    /// <summary>Empty: none told.</summary>
    public string Type { get; set; } = "";

    public string? Description { get; set; }

    public string? Title { get; set; }

    public bool IsNullable { get; set; }

    /// <summary><c>null</c> stood among the types.</summary>
    public bool HasNullType { get; set; }

    public bool IsClosed { get; set; }

    public List<JsonElement>? Enum { get; set; }

    public List<Child> Properties { get; } = [];

    public bool HasProperties { get; set; }

    public List<string> Required { get; } = [];

    public Child? Items { get; set; }

    public JsonElement? Ordering { get; set; }

    /// <summary>For the description.</summary>
    public List<string> Hints { get; } = [];

    /// <summary>object > array > other typed > anything.</summary>
    public int Rank => Kind switch { "object" => 3, "array" => 2, "" => 0, _ => 1 };

    /// <summary>The type in small letters, also where only its parts tell it; empty: not known.</summary>
    public string Kind =>
        Type.Length > 0 ? Type.ToLowerInvariant()
        : HasProperties ? "object"
        : Items is not null ? "array"
        : Enum is [{ } first, ..] ? KindOf(first)
        : "";

    public void Add(Child property)
    {
        HasProperties = true;
        if (!Properties.Exists(known => known.Name == property.Name)) Properties.Add(property);
    }

    /// <summary>Takes over what this one does not say itself.</summary>
    /// <param name="isBranch">One of several: what it requires holds only with the properties it brings.</param>
    public void Fill(SchemaDraft other, bool isBranch)
    {
        if (!isBranch || other.Properties.Count > 0) Required.AddRange(other.Required);
        if (Type.Length == 0 && Kind.Length == 0) Type = other.Type;
        Description ??= other.Description;
        Title ??= other.Title;
        Enum ??= other.Enum;
        Items ??= other.Items;
        Ordering ??= other.Ordering;
        IsNullable |= other.IsNullable;
        IsClosed |= other.IsClosed && isBranch;
        foreach (Child property in other.Properties) Add(property);
        HasProperties |= other.HasProperties;
        foreach (string hint in other.Hints)
            if (!Hints.Contains(hint)) Hints.Add(hint);
    }

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => "number",
        _ => "string",
    };
}
