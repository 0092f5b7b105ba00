using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>A string that is either still a JSON string token, the client's or one put together here, or text of our own. Spares decoding what is only copied.</summary>
/// <remarks>A token of the client's lives no longer than the request's <see cref="JsonDocument"/>.</remarks>
public readonly struct JsonText
{
    /// <summary>A string, or a byte array that holds a JSON string token; null: the element counts.</summary>
    private readonly object? _own;

    private readonly JsonElement _element;

    /// <summary>Bytes of the element's inside that do not belong to the text: what stands in front of it.</summary>
    private readonly int _skipped;

    private JsonText(object? own, JsonElement element, int skipped = 0)
    {
        _own = own;
        _element = element;
        _skipped = skipped;
    }

    /// <summary>Text of our own.</summary>
    public JsonText(string text) : this(text, default) { }

    /// <summary>A token of the client's; <paramref name="element"/> must be a JSON string.</summary>
    public static JsonText From(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? new(null, element) : throw new ArgumentException("not a JSON string", nameof(element));

    /// <summary>A JSON string token, quotes included, that is not written to any more.</summary>
    public static JsonText Of(byte[] token) => new(token, default);

    public static implicit operator JsonText(string text) => new(text);

    /// <summary>No character in it. A default value is empty too.</summary>
    public bool IsEmpty => IsRaw ? RawInner.IsEmpty : string.IsNullOrEmpty(_own as string);

    /// <summary>Nothing in it but white space.</summary>
    public bool IsBlank => IsEmpty || (!BeginsPlainly && string.IsNullOrWhiteSpace(ToString()));

    /// <summary>The whole token, quotes included; empty for text of our own, and where only the end of a token is meant.</summary>
    public ReadOnlySpan<byte> RawToken => _own is byte[] token ? token : _skipped == 0 && IsRaw ? JsonMarshal.GetRawUtf8Value(_element) : default;

    /// <summary>The inside of the token, still escaped; empty for text of our own.</summary>
    public ReadOnlySpan<byte> RawInner => _own is byte[] token ? token.AsSpan(1..^1) : IsRaw ? JsonMarshal.GetRawUtf8Value(_element)[(1 + _skipped)..^1] : default;

    /// <summary>A token of the client's, or the end of one.</summary>
    public bool IsOfTheClient => _own is null && _element.ValueKind == JsonValueKind.String;

    private bool IsRaw => _own is byte[] || IsOfTheClient;

    // Most texts begin with a character that is no white space, which spares looking at the rest.
    private bool BeginsPlainly => RawInner is [> (byte)' ' and < 0x7F and not (byte)'\\', ..];

    /// <summary>The text without the first so many bytes of <see cref="RawInner"/>, which must not end inside an escape.</summary>
    /// <exception cref="InvalidOperationException">It is not <see cref="IsOfTheClient"/>.</exception>
    public JsonText Behind(int bytes) => IsOfTheClient
        ? new(null, _element, _skipped + bytes)
        : throw new InvalidOperationException("not a token of the client's");

    /// <summary>Writes the string as a JSON value; a token is copied as it stands.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        if (RawToken is { IsEmpty: false } token) writer.WriteRawValue(token, skipInputValidation: true);
        else writer.WriteStringValue(ToString());
    }

    /// <summary>Likewise with something in front of it. However long the text is, it is copied once and nothing else is made of it.</summary>
    /// <param name="output">What <paramref name="writer"/> writes to.</param>
    public void WriteTo(Utf8JsonWriter writer, IBufferWriter<byte> output, string prefix = "")
    {
        if (!IsRaw || (prefix.Length == 0 && RawToken.Length > 0))
        {
            if (prefix.Length == 0) WriteTo(writer);
            else writer.WriteStringValue(prefix + ToString());
            return;
        }
        // The writer takes the beginning of the token for a whole value and goes on behind it; the rest goes past it.
        writer.WriteRawValue(RawJson.Encode(prefix).AsSpan(..^1), skipInputValidation: true);
        writer.Flush();
        output.Write(RawInner);
        output.Write("\""u8);
    }

    /// <summary>The decoded text. A lone surrogate becomes U+FFFD instead of an exception.</summary>
    public override string ToString() =>
        !IsRaw ? _own as string ?? "" : RawToken is { IsEmpty: false } token ? RawJson.Decode(token) : RawJson.Decode([(byte)'"', .. RawInner, (byte)'"']);
}
