using System.Security.Cryptography;
using System.Text;
using Aiproxy.Config;

namespace Aiproxy.Balancer;

/// <summary>Names for credentials that may stand in logs and survive a reload.</summary>
public static class CredentialIdentity
{
    /// <summary>The one of an upstream that needs no credential.</summary>
    public const string Anonymous = "none";

    // 64 bits: enough to tell the keys of one file apart, too few to say anything of them.
    private const int ShownBytes = 8;

    /// <summary>In the order of the configuration: sign-in files where there are any, else tokens, else <see cref="Anonymous"/>.</summary>
    public static IReadOnlyList<string> Of(UpstreamConfig upstream) =>
        upstream.AuthFiles.Count > 0 ? [.. upstream.AuthFiles.Select(Of)]
        : upstream.Tokens.Count > 0 ? [.. upstream.Tokens.Select(token => Of(token.Reveal()))]
        : [Anonymous];

    private static string Of(string credential) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(credential)).AsSpan(0, ShownBytes));
}
