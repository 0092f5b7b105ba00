using System.Security.Cryptography;
using System.Text;
using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>The configured client keys. Immutable; a reload makes a new one.</summary>
public sealed class ClientKeys
{
    private readonly ClientKey[] _keys;

    public ClientKeys(IReadOnlyList<ClientKeyConfig> configs)
    {
        _keys = [.. configs.Select(config => new ClientKey(config, config.KeySha256 ?? DigestOf(config.Key!.Reveal())))];
        Anonymous = new ClientKey(new ClientKeyConfig { Name = "anonymous" }, []);
    }

    /// <summary>No keys are configured: every client is let in as <see cref="Anonymous"/>.</summary>
    public bool IsOpen => _keys.Length == 0;

    /// <summary>Whom requests belong to while no keys are configured. No limits.</summary>
    public ClientKey Anonymous { get; }

    public IReadOnlyList<ClientKey> All => _keys;

    /// <summary>The client, or null where none of the keys it presented is known. One good key admits, whatever else came with it.</summary>
    /// <remarks>Takes the same time whether and where a key matches: digests are compared, and always all of them.</remarks>
    public ClientKey? Match(PresentedKeys presented)
    {
        if (IsOpen)
            return Anonymous;
        ClientKey? match = null;
        foreach (string candidate in presented.Candidates())
        {
            byte[] digest = DigestOf(candidate);
            foreach (ClientKey key in _keys)
            {
                bool isEqual = CryptographicOperations.FixedTimeEquals(digest, key.Digest);
                match = isEqual && match is null ? key : match;
            }
        }

        return match;
    }

    /// <summary>A presented key against one secret, such as the admin key, in constant time.</summary>
    public static bool IsMatch(PresentedKeys presented, Secret expected)
    {
        byte[] wanted = DigestOf(expected.Reveal());
        bool isMatch = false;
        foreach (string candidate in presented.Candidates())
            isMatch |= CryptographicOperations.FixedTimeEquals(DigestOf(candidate), wanted);
        return isMatch;
    }

    private static byte[] DigestOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
