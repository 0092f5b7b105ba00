using System.Text.Json;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Looks into a body; what is not there is empty.</summary>
public static class Json
{
    public static JsonElement? Get(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static JsonElement? Get(this JsonElement? owner, string name) => owner?.Get(name);

    public static string? Text(this JsonElement owner, string name) => owner.Get(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static string? Text(this JsonElement? owner, string name) => owner?.Text(name);

    public static List<JsonElement> List(this JsonElement owner, string name) => owner.Get(name) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];

    public static List<JsonElement> List(this JsonElement? owner, string name) => owner?.List(name) ?? [];

    public static bool IsObject(this JsonElement? value) => value is { ValueKind: JsonValueKind.Object };

    public static bool IsString(this JsonElement? value) => value is { ValueKind: JsonValueKind.String };
}
