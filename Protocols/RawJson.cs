using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>JSON strings as raw tokens: copied, joined and decoded without a round trip where none is needed.</summary>
public static class RawJson
{
    /// <summary>The text of a JSON string token, quotes included in <paramref name="token"/>. Lone surrogates and broken UTF-8 become U+FFFD; never throws.</summary>
    public static string Decode(ReadOnlySpan<byte> token)
    {
        ReadOnlySpan<byte> inner = token.Length >= 2 ? token[1..^1] : default;
        if (inner.IndexOf((byte)'\\') < 0) return Encoding.UTF8.GetString(inner);

        var text = new StringBuilder(inner.Length);
        while (!inner.IsEmpty)
        {
            int escape = inner.IndexOf((byte)'\\');
            if (escape < 0 || escape + 1 >= inner.Length)
            {
                text.Append(Encoding.UTF8.GetString(inner));
                break;
            }
            text.Append(Encoding.UTF8.GetString(inner[..escape]));
            byte kind = inner[escape + 1];
            if (kind == (byte)'u' && escape + 6 <= inner.Length && TryHex(inner.Slice(escape + 2, 4), out int unit))
            {
                AppendUnit(text, (char)unit, inner[(escape + 6)..], out int used);
                inner = inner[(escape + 6 + used)..];
                continue;
            }
            text.Append(kind switch { (byte)'n' => '\n', (byte)'r' => '\r', (byte)'t' => '\t', (byte)'b' => '\b', (byte)'f' => '\f', _ => (char)kind });
            inner = inner[(escape + 2)..];
        }
        return text.ToString();
    }

    /// <summary>The JSON string token of a text, quotes included.</summary>
    public static byte[] Encode(string text)
    {
        byte[] inner = JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();
        byte[] token = new byte[inner.Length + 2];
        token[0] = token[^1] = (byte)'"';
        inner.CopyTo(token, 1);
        return token;
    }

    private static void AppendUnit(StringBuilder text, char unit, ReadOnlySpan<byte> rest, out int used)
    {
        used = 0;
        if (!char.IsSurrogate(unit))
        {
            text.Append(unit);
            return;
        }
        if (char.IsHighSurrogate(unit) && rest.Length >= 6 && rest[0] == (byte)'\\' && rest[1] == (byte)'u'
            && TryHex(rest.Slice(2, 4), out int low) && char.IsLowSurrogate((char)low))
        {
            text.Append(unit).Append((char)low);
            used = 6;
            return;
        }
        text.Append('\uFFFD');
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            int nibble = digit switch
            {
                >= (byte)'0' and <= (byte)'9' => digit - '0',
                >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
                _ => -1,
            };
            if (nibble < 0) return false;
            value = value * 16 + nibble;
        }
        return true;
    }
}
