using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Members of JSON objects that other programs wrote. A member of an unexpected kind counts as missing; of equal names the last counts.</summary>
public static class JsonMember
{
    /// <summary>null: no object there.</summary>
    public static JsonElement? Object(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>null: missing, JSON null or empty. Throws <see cref="InvalidOperationException"/> for text that is no Unicode.</summary>
    public static string? Text(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>The first that is there.</summary>
    public static string? Text(JsonElement holder, string name, string otherName) => Text(holder, name) ?? Text(holder, otherName);

    /// <summary>A string, or an array of strings joined by spaces.</summary>
    public static string? Words(JsonElement holder, string name)
    {
        if (Text(holder, name) is { } text) return text;
        if (holder.ValueKind != JsonValueKind.Object || !holder.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array) return null;
        string words = string.Join(' ', list.EnumerateArray().Where(word => word.ValueKind == JsonValueKind.String).Select(word => word.GetString()));
        return words.Length == 0 ? null : words;
    }

    /// <summary>A number, or a string that holds one.</summary>
    public static double? Number(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out JsonElement value) ? TimeText.Number(value) : null;

    public static bool IsTrue(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    /// <summary>A token without the blanks that copying leaves around it. null: missing or empty. Throws <see cref="FormatException"/> for what no HTTP header could carry.</summary>
    public static string? Token(JsonElement holder, string name)
    {
        string? token = Text(holder, name)?.Trim();
        if (string.IsNullOrEmpty(token)) return null;
        return IsToken(token) ? token : throw new FormatException($"{name} holds characters that no token has");
    }

    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
