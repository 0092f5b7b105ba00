using System.Buffers;
using System.Buffers.Text;

namespace Aiproxy.Protocols;

/// <summary>JSON text put together from raw pieces.</summary>
public static class ByteOutput
{
    public static void WriteNumber(this IBufferWriter<byte> output, long value)
    {
        Utf8Formatter.TryFormat(value, output.GetSpan(20), out int written);
        output.Advance(written);
    }

    /// <summary>Text that is already escaped as the inside of a JSON string, with quotes around it.</summary>
    public static void WriteQuoted(this IBufferWriter<byte> output, ReadOnlySpan<byte> inner)
    {
        output.Write("\""u8);
        output.Write(inner);
        output.Write("\""u8);
    }

    /// <summary>JSON text as the inside of a JSON string: quotes, backslashes and white-space controls get escaped.</summary>
    public static void WriteEscaped(this IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        while (true)
        {
            int plain = json.IndexOfAnyInRange((byte)0, (byte)0x1F);
            int special = json.IndexOfAny((byte)'"', (byte)'\\');
            int next = plain < 0 ? special : special < 0 ? plain : Math.Min(plain, special);
            if (next < 0)
            {
                output.Write(json);
                return;
            }
            output.Write(json[..next]);
            switch (json[next])
            {
                case (byte)'"': output.Write("\\\""u8); break;
                case (byte)'\\': output.Write("\\\\"u8); break;
                case (byte)'\n': output.Write("\\n"u8); break;
                case (byte)'\r': output.Write("\\r"u8); break;
                case (byte)'\t': output.Write("\\t"u8); break;
                default: output.Write(" "u8); break;
            }
            json = json[(next + 1)..];
        }
    }

    /// <summary>JSON text as a JSON string token, quotes included.</summary>
    public static byte[] Quote(ReadOnlySpan<byte> json)
    {
        var token = new ArrayBufferWriter<byte>(json.Length + json.Length / 8 + 2);
        token.Write("\""u8);
        token.WriteEscaped(json);
        token.Write("\""u8);
        return token.WrittenSpan.ToArray();
    }

    /// <summary>JSON text on one line. Raw line breaks can only be white space there, so that a space means the same.</summary>
    public static void WriteOneLine(this IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        while (true)
        {
            int end = json.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0) break;
            output.Write(json[..end]);
            output.Write(" "u8);
            json = json[(end + 1)..];
        }
        output.Write(json);
    }
}
