using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>A client that is let in, and what it may use.</summary>
public sealed class ClientKey
{
    internal ClientKey(ClientKeyConfig config, byte[] digest)
    {
        Name = config.Name;
        Digest = digest;
        Models = config.Models;
        RequestsPerMinute = config.RequestsPerMinute;
        TokensPerMinute = config.TokensPerMinute;
        MaxConcurrent = config.MaxConcurrent;
    }

    /// <summary>For logs and metrics; no secret.</summary>
    public string Name { get; }

    public IReadOnlyList<string> Models { get; }

    public int? RequestsPerMinute { get; }

    public long? TokensPerMinute { get; }

    public int? MaxConcurrent { get; }

    /// <summary>SHA-256 of the key's UTF-8: the identity by which its counters survive a reload. Empty for the anonymous key.</summary>
    internal byte[] Digest { get; }

    /// <summary>The key may use this model; <c>*</c> in its patterns matches any run of characters.</summary>
    public bool Allows(string model)
    {
        if (Models.Count == 0)
            return true;
        foreach (string pattern in Models)
        {
            if (Glob.IsMatch(pattern, model))
                return true;
        }

        return false;
    }
}
