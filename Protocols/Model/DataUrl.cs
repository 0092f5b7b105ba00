using System.Text;

namespace Aiproxy.Protocols.Model;

/// <summary>A <c>data:</c> URL, which may be many megabytes long: only its head is looked at.</summary>
public static class DataUrl
{
    /// <summary>Bytes of a head that no real one is longer than.</summary>
    private const int MaxHead = 1024;

    public static bool Is(JsonText url)
    {
        ReadOnlySpan<byte> raw = url.RawInner;
        if (raw.Length > 5 && raw[..5].IndexOf((byte)'\\') < 0) return Ascii.EqualsIgnoreCase(raw[..5], "data:"u8);
        return url.ToString().StartsWith("data:", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The head between <c>data:</c> and the comma, and what stands behind the comma, still as it is in the URL; null: it is no data URL.</summary>
    public static (string Head, JsonText Data)? Split(JsonText url)
    {
        if (!Is(url)) return null;
        ReadOnlySpan<byte> raw = url.RawInner;
        int comma = raw[..Math.Min(raw.Length, MaxHead)].IndexOf((byte)',');
        // No escape has a comma in it.
        if (comma >= 0 && url.IsOfTheClient) return (RawJson.Decode([(byte)'"', .. raw[..comma], (byte)'"'])[5..], url.Behind(comma + 1));
        string text = url.ToString();
        comma = text.IndexOf(',', StringComparison.Ordinal);
        return comma < 0 ? null : (text[5..comma], text[(comma + 1)..]);
    }
}
