using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Upstreams.Google;

/// <summary>One node of a schema in the words that Code Assist takes.</summary>
public sealed class CleanSchema
{
    private static readonly IReadOnlyDictionary<string, ArgumentCut> Nothing = new Dictionary<string, ArgumentCut>();

    /// <summary>As the client wrote it, in capitals or not.</summary>
    public required string Type { get; init; }

    /// <summary>With everything behind it that the dialect has no word for; empty: none.</summary>
    public required string Description { get; init; }

    public string? Title { get; init; }

    public bool IsNullable { get; init; }

    /// <summary>Its type named <c>null</c> too: the parent does not require it.</summary>
    public bool IsOptional { get; init; }

    public IReadOnlyList<string> Enum { get; init; } = [];

    /// <summary>null: no object.</summary>
    public IReadOnlyList<(string Name, CleanSchema Schema)>? Properties { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>null: no array.</summary>
    public CleanSchema? Items { get; init; }

    /// <summary><c>additionalProperties: false</c>.</summary>
    public bool IsClosed { get; init; }

    public JsonElement? Ordering { get; init; }

    /// <summary>The property that is here only because one must be; null: none.</summary>
    public string? Placeholder { get; init; }

    public bool IsEmptyObject => Properties is { Count: 0 };

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, Type);
        if (Title is not null) writer.WriteString("title"u8, Title);
        if (Description.Length > 0) writer.WriteString("description"u8, Description);
        if (IsNullable) writer.WriteBoolean("nullable"u8, true);
        if (Enum.Count > 0) WriteNames(writer, "enum", Enum);
        if (Properties is not null)
        {
            writer.WriteStartObject("properties"u8);
            foreach ((string name, CleanSchema schema) in Properties)
            {
                writer.WritePropertyName(name);
                schema.Write(writer);
            }
            writer.WriteEndObject();
        }
        if (Required.Count > 0) WriteNames(writer, "required", Required);
        if (Items is not null)
        {
            writer.WritePropertyName("items"u8);
            Items.Write(writer);
        }
        if (IsClosed) writer.WriteBoolean("additionalProperties"u8, false);
        if (Ordering is { } ordering)
        {
            writer.WritePropertyName("propertyOrdering"u8);
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(ordering), skipInputValidation: true);
        }
        writer.WriteEndObject();
    }

    /// <summary>What calls must lose again; null: nothing.</summary>
    public ArgumentCut? Cut()
    {
        Dictionary<string, ArgumentCut>? inner = null;
        foreach ((string name, CleanSchema schema) in Properties ?? [])
            if (schema.Cut() is { } cut) (inner ??= new Dictionary<string, ArgumentCut>(StringComparer.Ordinal))[name] = cut;
        ArgumentCut? items = Items?.Cut();
        return Placeholder is null && inner is null && items is null ? null : new ArgumentCut(Placeholder, inner ?? Nothing, items);
    }

    private static void WriteNames(Utf8JsonWriter writer, string member, IReadOnlyList<string> names)
    {
        writer.WriteStartArray(member);
        foreach (string name in names) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
