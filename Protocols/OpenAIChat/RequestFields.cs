using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Typed members of a client's request. A missing member and <c>null</c> are the same; a wrong type throws with its JSON path.</summary>
public static class RequestFields
{
    /// <summary>The member, when it is there and not null.</summary>
    public static bool TryGet(JsonElement owner, ReadOnlySpan<byte> name, out JsonElement value) =>
        owner.TryGetProperty(name, out value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public static bool TryGet(JsonElement owner, string name, out JsonElement value) =>
        owner.TryGetProperty(name, out value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public static string? String(JsonElement owner, string name, string path) =>
        TryGet(owner, name, out JsonElement value) ? Text(value, Join(path, name)) : null;

    public static string RequiredString(JsonElement owner, string name, string path) =>
        String(owner, name, path) ?? throw Wrong(Join(path, name), "required");

    public static JsonText? JsonString(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.String) throw Wrong(Join(path, name), "expected a string");
        return JsonText.From(value);
    }

    public static bool? Bool(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return null;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw Wrong(Join(path, name), "expected true or false");
        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A whole number; <c>12.0</c> counts as one.</summary>
    public static long? Long(JsonElement owner, string name, string path)
    {
        if (Number(owner, name, path) is not { } value) return null;
        return JsonSlice.Long(JsonMarshal.GetRawUtf8Value(value)) ?? throw Wrong(Join(path, name), "expected a whole number");
    }

    /// <summary>A limit of tokens: 1 or more, as the protocols' own providers demand.</summary>
    public static long? Limit(JsonElement owner, string name, string path) =>
        Long(owner, name, path) is { } limit ? limit >= 1 ? limit : throw Wrong(Join(path, name), $"expected 1 or more, found {limit}") : null;

    public static JsonElement? Number(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Number ? value : throw Wrong(Join(path, name), "expected a number");
    }

    public static JsonElement? Object(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Object ? value : throw Wrong(Join(path, name), "expected an object");
    }

    public static JsonElement? Array(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Array ? value : throw Wrong(Join(path, name), "expected an array");
    }

    public static JsonElement RequireObject(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Object ? value : throw Wrong(path, "expected an object");

    /// <summary>Decoded text of a string; a lone surrogate becomes U+FFFD.</summary>
    public static string Text(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String ? RawJson.Decode(JsonMarshal.GetRawUtf8Value(value)) : throw Wrong(path, "expected a string");

    /// <summary>JSON text inside a string, or the object itself where a sloppy client sent one; nothing and blank text become <c>{}</c>.</summary>
    public static ReadOnlyMemory<byte> Arguments(JsonElement owner, string name, string path)
    {
        if (!TryGet(owner, name, out JsonElement value)) return "{}"u8.ToArray();
        if (value.ValueKind is JsonValueKind.Object) return JsonMarshal.GetRawUtf8Value(value).ToArray();
        string text = Text(value, Join(path, name));
        return string.IsNullOrWhiteSpace(text) || text.Trim() == "null" ? "{}"u8.ToArray() : Encoding.UTF8.GetBytes(text);
    }

    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    public static ProtocolException Wrong(string path, string complaint) => new(ErrorKind.InvalidRequest, $"{path}: {complaint}", path);
}
