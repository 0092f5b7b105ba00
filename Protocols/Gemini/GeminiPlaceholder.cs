using System.Buffers;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Takes the property out of a call's arguments that <see cref="GeminiProtoSchema"/> put into an empty object's schema.</summary>
public static class GeminiPlaceholder
{
    public const string Name = "aip_unused";

    /// <summary>Whether there is anything to do; nearly always not.</summary>
    public static bool IsIn(ReadOnlySpan<byte> arguments) => arguments.IndexOf("\"aip_unused\""u8) >= 0;

    /// <param name="json">Valid JSON.</param>
    public static byte[] Remove(ReadOnlySpan<byte> json)
    {
        var output = new ArrayBufferWriter<byte>(json.Length);
        Copy(output, json);
        return output.WrittenSpan.ToArray();
    }

    private static void Copy(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        var scan = new JsonScan(json);
        if (scan.Root is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            output.Write(json);
            return;
        }
        bool isObject = scan.Root == JsonTokenType.StartObject, isSecond = false;
        output.Write(isObject ? "{"u8 : "["u8);
        while (scan.Next())
        {
            if (isObject && scan.Is("aip_unused"u8)) continue;
            if (isSecond) output.Write(","u8);
            isSecond = true;
            if (isObject)
            {
                output.Write(ByteOutput.Quote(scan.Name));
                output.Write(":"u8);
            }
            Copy(output, scan.Value);
        }
        output.Write(isObject ? "}"u8 : "]"u8);
    }
}
