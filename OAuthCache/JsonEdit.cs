using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>One value to set in a JSON text.</summary>
/// <param name="Path">Member names from the root; in an array the index as decimal text.</param>
/// <param name="Value">JSON.</param>
/// <param name="IsAdded">A missing last member is added to the holder that is there; false: then nothing happens. Missing holders are never made.</param>
public sealed record JsonEdit(IReadOnlyList<string> Path, byte[] Value, bool IsAdded)
{
    public static JsonEdit Text(IReadOnlyList<string> path, string text, bool isAdded = true) => new(path, Quote(text), isAdded);

    public static JsonEdit Json(IReadOnlyList<string> path, string json, bool isAdded = true) => new(path, Encoding.UTF8.GetBytes(json), isAdded);

    /// <summary>A JSON string. Only what must be escaped is.</summary>
    public static byte[] Quote(string text)
    {
        ReadOnlySpan<byte> inner = JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;
        return [(byte)'"', .. inner, (byte)'"'];
    }

    /// <summary>Hides the value.</summary>
    public override string ToString() => string.Join('.', Path);
}
