using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>A string that is either still a JSON string token of the client's request or text of our own. Spares decoding what is only copied.</summary>
/// <remarks>Lives no longer than the request's <see cref="JsonDocument"/>.</remarks>
public readonly struct JsonText
{
    private readonly string? _text;
    private readonly JsonElement _element;

    private JsonText(string? text, JsonElement element)
    {
        _text = text;
        _element = element;
    }

    /// <summary>Text of our own.</summary>
    public JsonText(string text) : this(text, default) { }

    /// <summary>A token of the client's; <paramref name="element"/> must be a JSON string.</summary>
    public static JsonText From(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? new(null, element) : throw new ArgumentException("not a JSON string", nameof(element));

    public static implicit operator JsonText(string text) => new(text);

    /// <summary>No character in it. A default value is empty too.</summary>
    public bool IsEmpty => _element.ValueKind == JsonValueKind.String ? RawToken.Length == 2 : string.IsNullOrEmpty(_text);

    /// <summary>Nothing in it but white space.</summary>
    public bool IsBlank => IsEmpty || string.IsNullOrWhiteSpace(ToString());

    /// <summary>The token as the client wrote it, quotes included; empty for text of our own.</summary>
    public ReadOnlySpan<byte> RawToken => _element.ValueKind == JsonValueKind.String ? JsonMarshal.GetRawUtf8Value(_element) : default;

    /// <summary>Writes the string as a JSON value; the client's token is copied as it stands.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        if (_element.ValueKind == JsonValueKind.String) writer.WriteRawValue(RawToken, skipInputValidation: true);
        else writer.WriteStringValue(_text ?? "");
    }

    /// <summary>The decoded text. A lone surrogate becomes U+FFFD instead of an exception.</summary>
    public override string ToString() => _element.ValueKind == JsonValueKind.String ? RawJson.Decode(RawToken) : _text ?? "";
}
