using System.Security.Cryptography;
using System.Text;
using Aiproxy.Protocols;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.Codex;

/// <summary>Shortens names that the provider finds too long, always the same way, and knows the way back. One object a request.</summary>
public sealed class CodexNames
{
    private const int HashChars = 12;

    private Dictionary<string, string>? _back;

    /// <summary>null: every name was short enough.</summary>
    public IReadOnlyDictionary<string, string>? ClientNames => _back;

    /// <param name="token">A JSON string; anything else stays.</param>
    public Change ShortName(ReadOnlySpan<byte> token)
    {
        if (token.Length <= CodexFacts.MostNameChars + 2 || token[0] != (byte)'"') return default;
        string name = RawJson.Decode(token);
        if (name.Length <= CodexFacts.MostNameChars) return default;
        string cut = Cut(name);
        (_back ??= new Dictionary<string, string>(StringComparer.Ordinal))[cut] = name;
        return Change.To(RawJson.Encode(cut));
    }

    /// <summary>Calls and their results name the same id, so the same cut keeps them together. The provider makes its own for new calls.</summary>
    public static Change ShortCallId(ReadOnlySpan<byte> token)
    {
        if (token.Length <= CodexFacts.MostNameChars + 2 || token[0] != (byte)'"') return default;
        string id = RawJson.Decode(token);
        return id.Length <= CodexFacts.MostNameChars ? default : Change.To(RawJson.Encode(Cut(id)));
    }

    private static string Cut(string name)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..HashChars];
        var kept = new StringBuilder();
        foreach (char c in name.AsSpan(0, CodexFacts.MostNameChars - HashChars - 1)) kept.Append(char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '_');
        return kept.Append('_').Append(hash).ToString();
    }
}
