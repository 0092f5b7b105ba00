using System.Buffers.Text;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Questions about the raw value that <see cref="JsonScan"/> hands out. An empty span is a member that was not there.</summary>
public static class JsonSlice
{
    public static bool IsString(ReadOnlySpan<byte> value) => value.Length >= 2 && value[0] == (byte)'"';

    public static bool IsObject(ReadOnlySpan<byte> value) => value.Length >= 2 && value[0] == (byte)'{';

    public static bool IsArray(ReadOnlySpan<byte> value) => value.Length >= 2 && value[0] == (byte)'[';

    /// <summary>A JSON string with at least one character in it.</summary>
    public static bool IsText(ReadOnlySpan<byte> value) => value.Length > 2 && value[0] == (byte)'"';

    /// <summary>Neither missing nor <c>null</c>, <c>false</c>, <c>0</c> or <c>""</c>: how the clients' libraries ask for an error member.</summary>
    public static bool IsTruthy(ReadOnlySpan<byte> value) =>
        !value.IsEmpty && !value.SequenceEqual("null"u8) && !value.SequenceEqual("false"u8) && !value.SequenceEqual("0"u8) && !value.SequenceEqual("\"\""u8);

    /// <summary>The bytes between the quotes of a string token; empty for anything else.</summary>
    public static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> value) => IsString(value) ? value[1..^1] : default;

    /// <summary>Decoded text of a string token; null for anything else.</summary>
    public static string? Text(ReadOnlySpan<byte> value) => IsString(value) ? RawJson.Decode(value) : null;

    /// <summary>A whole number, also when a sloppy server wrote it as <c>12.0</c>. Null for anything else and for numbers outside of long.</summary>
    public static long? Long(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return null;
        if (Utf8Parser.TryParse(value, out long whole, out int used) && used == value.Length) return whole;
        if (Utf8Parser.TryParse(value, out double real, out used) && used == value.Length && Math.Abs(real) < 9e15) return (long)real;
        return null;
    }

    /// <summary>The members of an object that a scan has handed out; none for anything else, a member that was not there included.</summary>
    public static JsonScan Members(ReadOnlySpan<byte> value) => JsonScan.Inside(IsObject(value) ? value : default);

    /// <summary>The elements of an array that a scan has handed out; none for anything else, a member that was not there included.</summary>
    public static JsonScan Elements(ReadOnlySpan<byte> value) => JsonScan.Inside(IsArray(value) ? value : default);

    /// <summary>The members of an object that nobody has looked at yet; none for anything else, nothing included.</summary>
    /// <exception cref="System.Text.Json.JsonException">No JSON.</exception>
    public static JsonScan NewMembers(ReadOnlySpan<byte> json) => new(json.IsEmpty || IsArray(json) ? "null"u8 : json);

    /// <summary>The elements of an array that nobody has looked at yet; none for anything else.</summary>
    /// <exception cref="System.Text.Json.JsonException">No JSON.</exception>
    public static JsonScan NewElements(ReadOnlySpan<byte> json) => new(IsArray(json) ? json : "null"u8);
}
