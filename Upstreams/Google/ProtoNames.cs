using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Upstreams.Google;

/// <summary>Member names of proto3 JSON: Google's public API takes them with underscores too, this one does not.</summary>
public static class ProtoNames
{
    public static string Camel(string name)
    {
        if (name.IndexOf('_') <= 0) return name;
        return string.Create(name.Length - name.AsSpan().Count('_'), name, static (turned, name) =>
        {
            int at = 0;
            bool isNext = false;
            foreach (char letter in name)
            {
                if (letter == '_') isNext = true;
                else
                {
                    turned[at++] = isNext ? char.ToUpperInvariant(letter) : letter;
                    isNext = false;
                }
            }
        });
    }

    /// <summary>An object's members by their turned names, in their order; unset ones are left out, of a name said twice the last holds. Empty for anything but an object.</summary>
    public static OrderedDictionary<string, JsonElement> Members(JsonElement element)
    {
        var members = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (element.ValueKind != JsonValueKind.Object) return members;
        foreach (JsonProperty member in element.EnumerateObject())
            if (member.Value.ValueKind != JsonValueKind.Null) members[Camel(member.Name)] = member.Value;
        return members;
    }

    /// <summary>null: not there, or no object.</summary>
    public static JsonElement? Object(IReadOnlyDictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>An array's elements; a single value stands for an array of one.</summary>
    public static IEnumerable<JsonElement> Items(IReadOnlyDictionary<string, JsonElement> members, string name) =>
        !members.TryGetValue(name, out JsonElement value) ? [] : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];

    /// <summary>The object with turned names; the values of its members stay byte for byte.</summary>
    public static void WriteTurned(Utf8JsonWriter writer, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            Raw(writer, element);
            return;
        }
        writer.WriteStartObject();
        foreach ((string name, JsonElement value) in Members(element)) Raw(writer, name, value);
        writer.WriteEndObject();
    }

    public static void Raw(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        Raw(writer, value);
    }

    public static void Raw(Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
