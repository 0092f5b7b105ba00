using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>One call of a token endpoint, ready to be sent as often as needed.</summary>
public sealed record RefreshRequest
{
    public required Uri Url { get; init; }

    public required byte[] Body { get; init; }

    /// <summary><c>application/json</c> or <c>application/x-www-form-urlencoded</c>.</summary>
    public required string ContentType { get; init; }

    public required bool HasClientSecret { get; init; }

    /// <summary>Equal for requests that must end the same way: a digest over address, client and refresh token.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Hides the body.</summary>
    public override string ToString() => Url.Host;

    internal static string FingerprintOf(params ReadOnlySpan<string?> parts) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))));
}
