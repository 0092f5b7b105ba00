using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Base64 content made fit for a strict server: standard alphabet, padding, a media type that the bytes confirm.</summary>
public static class InlineMedia
{
    private static readonly SearchValues<char> s_unusual = SearchValues.Create("-_ \t\r\n");

    /// <summary>A data URL.</summary>
    public static string DataUrl(Base64Source source)
    {
        string data = Data(source);
        return $"data:{Type(source, data)};base64,{data}";
    }

    public static string Data(Base64Source source)
    {
        string data = source.Data.ToString();
        if (data.AsSpan().ContainsAny(s_unusual))
        {
            var text = new StringBuilder(data.Length);
            foreach (char c in data)
            {
                if (c is not (' ' or '\t' or '\r' or '\n')) text.Append(c switch { '-' => '+', '_' => '/', _ => c });
            }
            data = text.ToString();
        }
        return (data.Length & 3) switch { 2 => data + "==", 3 => data + "=", _ => data };
    }

    /// <summary>The declared type; for images what the first bytes say, since clients often declare PNG for everything.</summary>
    public static string Type(Base64Source source, string data)
    {
        string declared = source.MediaType.ToLowerInvariant();
        int parameters = declared.IndexOf(';');
        if (parameters >= 0) declared = declared[..parameters].Trim();
        if (declared == "image/jpg") declared = "image/jpeg";
        if (!declared.StartsWith("image/", StringComparison.Ordinal)) return declared;
        Span<byte> head = stackalloc byte[12];
        if (data.Length < 16 || !Convert.TryFromBase64Chars(data.AsSpan(0, 16), head, out _)) return declared;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return "image/png";
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "image/jpeg";
        if (head.StartsWith("GIF8"u8)) return "image/gif";
        if (head.StartsWith("RIFF"u8) && head[8..].SequenceEqual("WEBP"u8)) return "image/webp";
        return declared;
    }

    /// <summary>The forms that all three vendors take.</summary>
    public static bool IsCommonImage(string type) => type is "image/png" or "image/jpeg" or "image/gif" or "image/webp";
}
