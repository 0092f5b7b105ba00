using System.Text;

namespace Aiproxy.Protocols.Model;

/// <summary>Base64 as clients write it, put into the one form that all providers take; and what its first bytes say it is.</summary>
public static class Base64Text
{
    /// <summary>Standard alphabet, padded, no white space. The client's token is kept where it is that already.</summary>
    public static JsonText Normal(JsonText data)
    {
        ReadOnlySpan<byte> token = data.RawToken;
        if (token.Length > 2 && (token.Length - 2) % 4 == 0 && token.IndexOfAny("-_\\ "u8) < 0) return data;
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

    private static string Head(JsonText data)
    {
        ReadOnlySpan<byte> token = data.RawToken;
        string text = token.Length > 18 && token[1..17].IndexOf((byte)'\\') < 0 ? Encoding.ASCII.GetString(token[1..17]) : data.ToString();
        return text.Length < 16 ? "" : text[..16].Replace('-', '+').Replace('_', '/');
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
