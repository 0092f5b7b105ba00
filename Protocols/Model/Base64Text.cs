using System.Buffers;
using System.Text;

namespace Aiproxy.Protocols.Model;

/// <summary>Base64 as clients write it, put into the one form that all providers take; and what its first bytes say it is.</summary>
public static class Base64Text
{
    private const int HeadChars = 16;

    /// <summary>Bytes that a character takes at most where it is escaped.</summary>
    private const int EscapeFactor = 6;

    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    /// <summary>Standard alphabet, padded, no white space. The client's token is kept where it is that already.</summary>
    public static JsonText Normal(JsonText data)
    {
        ReadOnlySpan<byte> raw = data.RawInner;
        if (raw.Length > 0 && raw.Length % 4 == 0 && raw.IndexOfAny("-_\\ "u8) < 0) return data;
        if (raw.Length > 0 && Mended(raw) is { } token) return JsonText.Of(token);
        var text = new StringBuilder();
        foreach (char letter in data.ToString())
        {
            if (!char.IsWhiteSpace(letter) && letter != '=') text.Append(letter switch { '-' => '+', '_' => '/', _ => letter });
        }
        return text.ToString().PadRight((text.Length + 3) / 4 * 4, '=');
    }

    /// <summary>The media type that the data itself shows; else what was declared, with the common misspelling put right.</summary>
    public static string MediaType(string declared, JsonText data)
    {
        Span<byte> head = stackalloc byte[12];
        string start = Head(data);
        if (Convert.TryFromBase64String(start, head, out int length) && Sniff(head[..length]) is { } seen) return seen;
        string type = declared.Split(';')[0].Trim().ToLowerInvariant();
        return type == "image/jpg" ? "image/jpeg" : type;
    }

    /// <summary>The decoded bytes as UTF-8 text; null where it is no base64.</summary>
    public static string? Decode(JsonText data)
    {
        string text = Normal(data).ToString();
        byte[] bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    /// <summary>The normal form of what large bodies come with, as a token: lines that were broken, slashes that were escaped, the alphabet of URLs. Null: there is
    /// something else in it.</summary>
    private static byte[]? Mended(ReadOnlySpan<byte> raw)
    {
        int letters = Letters(raw, default);
        if (letters < 0) return null;
        byte[] token = new byte[(letters + 3) / 4 * 4 + 2];
        token.AsSpan().Fill((byte)'=');
        token[0] = token[^1] = (byte)'"';
        Letters(raw, token.AsSpan(1));
        return token;
    }

    /// <summary>How many letters there are, padding not counted; -1: there is something else. Copies them where there is room to.</summary>
    private static int Letters(ReadOnlySpan<byte> raw, Span<byte> into)
    {
        int count = 0;
        while (true)
        {
            int odd = raw.IndexOfAnyExcept(Plain);
            ReadOnlySpan<byte> run = odd < 0 ? raw : raw[..odd];
            if (!into.IsEmpty) run.CopyTo(into[count..]);
            count += run.Length;
            if (odd < 0) return count;

            bool isEscape = raw[odd] == (byte)'\\' && odd + 1 < raw.Length;
            byte letter = isEscape ? raw[odd + 1] : raw[odd];
            raw = raw[(odd + (isEscape ? 2 : 1))..];
            if (isEscape ? letter is (byte)'n' or (byte)'r' or (byte)'t' : letter is (byte)' ' or (byte)'=') continue;
            if (isEscape ? letter != (byte)'/' : letter is not ((byte)'-' or (byte)'_')) return -1;
            if (!into.IsEmpty) into[count] = letter == (byte)'-' ? (byte)'+' : (byte)'/';
            count++;
        }
    }

    private static string Head(JsonText data)
    {
        // An escape that the cut parts lies behind what is asked for.
        ReadOnlySpan<byte> raw = data.RawInner;
        string text = raw.Length > HeadChars * EscapeFactor ? RawJson.Decode([(byte)'"', .. raw[..(HeadChars * EscapeFactor)], (byte)'"']) : data.ToString();
        return text.Length < HeadChars ? "" : text[..HeadChars].Replace('-', '+').Replace('_', '/');
    }

    private static string? Sniff(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47])) return "image/png";
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "image/jpeg";
        if (head.StartsWith("GIF8"u8)) return "image/gif";
        if (head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8)) return "image/webp";
        if (head.StartsWith("%PDF"u8)) return "application/pdf";
        return null;
    }
}
