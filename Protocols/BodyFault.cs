using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Words for a body that is no JSON: where and why, never what it holds.</summary>
public static class BodyFault
{
    public static ProtocolException TooDeep(ReadOnlySpan<byte> json, int offset)
    {
        ReadOnlySpan<byte> before = json[..offset];
        return At(before.Count((byte)'\n'), offset - (before.LastIndexOf((byte)'\n') + 1), $"too deep: more than {BodyScan.MaxLevels} levels");
    }

    /// <param name="exception">What the in-box reader threw; its message is not used, it quotes the body.</param>
    /// <param name="afterEnd">The root object had ended.</param>
    public static ProtocolException Of(ReadOnlySpan<byte> json, JsonException exception, bool afterEnd)
    {
        long line = exception.LineNumber ?? 0, column = exception.BytePositionInLine ?? 0;
        return At(line, column, afterEnd ? "something follows the end of the JSON object" : Reason(json, line, column));
    }

    /// <summary>The kind of a JSON value with its article.</summary>
    public static string Name(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        _ => "null",
    };

    private static ProtocolException At(long line, long column, string reason) =>
        new(ErrorKind.InvalidRequest, $"the request body is not valid JSON: line {line + 1}, column {column + 1}: {reason}");

    private static string Reason(ReadOnlySpan<byte> json, long line, long column)
    {
        if (IsCut(json)) return "unexpected end of JSON";

        ReadOnlySpan<byte> rest = json;
        for (; line > 0; line--) rest = rest[(rest.IndexOf((byte)'\n') + 1)..];
        int offset = (int)Math.Min(json.Length - rest.Length + column, json.Length - 1);
        ReadOnlySpan<byte> before = json[..offset].TrimEnd(" \t\r\n"u8);
        return json[offset] switch
        {
            (byte)'/' => "comments are not allowed",
            (byte)'}' or (byte)']' when before is [.., (byte)','] => "trailing comma",
            < 0x20 => "a control character that is not escaped",
            _ when before is [.., (byte)'\\'] => "unknown escape in a string",
            _ => "unexpected character",
        };
    }

    /// <summary>Nothing is wrong but that it ends too early: a second pass that may expect more finds no fault.</summary>
    private static bool IsCut(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, new JsonReaderState(BodyScan.Options));
        try
        {
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
