using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A call's arguments for targets that want an object there.</summary>
public static class ToolArguments
{
    /// <summary>Raw JSON of an object: the client's digits and white space; nothing and <c>null</c> as <c>{}</c>; what is no object under <c>_raw</c>; a custom tool's text under <c>input</c>.</summary>
    public static ReadOnlyMemory<byte> AsObject(ToolCallPart call)
    {
        ReadOnlySpan<byte> raw = call.Arguments.Span.Trim(" \t\r\n"u8);
        if (call.IsCustom) return Member("input"u8, raw.StartsWith("\""u8) ? raw : ByteOutput.Quote(raw));
        if (raw.IsEmpty || raw.SequenceEqual("null"u8)) return "{}"u8.ToArray();
        return IsObject(raw) ? call.Arguments : Member("_raw"u8, ByteOutput.Quote(raw));
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        try
        {
            var scan = new JsonScan(json);
            while (scan.Next()) { }
            return scan.Root == JsonTokenType.StartObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static byte[] Member(ReadOnlySpan<byte> name, ReadOnlySpan<byte> token)
    {
        var json = new ArrayBufferWriter<byte>(token.Length + 16);
        json.Write("{"u8);
        json.WriteQuoted(name);
        json.Write(":"u8);
        json.Write(token);
        json.Write("}"u8);
        return json.WrittenSpan.ToArray();
    }
}
