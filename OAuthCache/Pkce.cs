using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>The proof that the code is exchanged by whoever asked for it (RFC 7636, method S256).</summary>
/// <param name="Verifier">Secret until the exchange; 86 characters, where 43 to 128 are legal.</param>
/// <param name="Challenge">Goes into the authorize URL.</param>
public sealed record Pkce(string Verifier, string Challenge)
{
    public static Pkce New() => From(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(64)));

    public static Pkce From(string verifier) => new(verifier, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));

    /// <summary>43 characters that nobody guesses: they tell our callback from one that another page made.</summary>
    public static string NewState() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>In constant time.</summary>
    public static bool IsSame(string state, string? given) =>
        given is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(given));

    public override string ToString() => nameof(Pkce);
}
