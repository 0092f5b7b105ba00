using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.Config;

/// <summary>Reads <c>api-key</c>: strings, or mappings with limits.</summary>
public static class ClientKeysReader
{
    private const int Sha256Digits = 64;

    /// <summary>Repeated keys are left out with a warning; the first one counts.</summary>
    public static IReadOnlyList<ClientKeyConfig> Read(MapReader root)
    {
        ConfigNode? keys = root.Node("api-key");
        ConfigNode? otherName = root.Node("api_keys");
        if (keys is not null && otherName is not null) root.Errors.Error("api_keys", "api-key and api_keys are two names of one key; give one of them");

        var found = new List<ClientKeyConfig>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        string path = keys is null ? "api_keys" : "api-key";
        foreach ((ConfigNode node, string place) in root.Context.Items(keys ?? otherName, path))
        {
            int errors = root.Errors.ErrorCount;
            ClientKeyConfig? key = node is MapNode map
                ? ReadMap(new MapReader(root.Context, map, place), found.Count + 1)
                : ReadText(root.Context, node, place, found.Count + 1);
            if (key is null)
            {
                if (root.Errors.ErrorCount == errors) root.Errors.Warn(place, "this entry is blank and left out");
            }
            else if (!seen.Add(Identity(key)))
            {
                root.Errors.Warn(place, "this client key repeats an earlier one and is left out");
            }
            else if (!names.TryAdd(key.Name, place))
            {
                root.Errors.Error($"{place}.name", $"this is already the name of {names[key.Name]}; logs could not tell the two apart");
            }
            else
            {
                found.Add(key);
            }
        }
        return found;
    }

    private static ClientKeyConfig? ReadText(ReadContext context, ConfigNode node, string path, int number) =>
        context.Secret(node, path) is { } secret && IsPresentable(context.Errors, secret)
            ? new ClientKeyConfig { Name = $"key-{number}", Key = new Secret(secret.Text) }
            : null;

    private static ClientKeyConfig? ReadMap(MapReader map, int number)
    {
        int errors = map.Errors.ErrorCount;
        string? name = map.Line("name");
        FoundText? key = map.Secret("key");
        byte[]? hash = ReadHash(map);
        IReadOnlyList<FoundText> models = map.Texts("models");
        var config = new ClientKeyConfig
        {
            Name = name ?? $"key-{number}",
            Key = key is null ? null : new Secret(key.Text),
            KeySha256 = hash,
            Models = [.. models.Select(model => model.Text)],
            RequestsPerMinute = map.Whole("requests_per_minute", 1),
            TokensPerMinute = map.Long("tokens_per_minute", 1),
            MaxConcurrent = map.Whole("max_concurrent", 1),
        };
        // An empty list lets the key use every model: fine when it was written so, a hole when a variable turned out empty.
        if (models.Count == 0 && map.Node("models") is not null and not ListNode { Items.Count: 0 })
        {
            map.Errors.Error(map.PathOf("models"), "every entry is blank; leave the key out to allow all models");
        }
        map.Finish(NotYet.Nothing);
        if (key is not null) IsPresentable(map.Errors, key);
        if (map.Errors.ErrorCount > errors) return null;
        if (key is null == hash is null)
        {
            map.Errors.Error(map.Path, key is null ? "a client key needs key or key_sha256" : "give key or key_sha256, not both");
            return null;
        }
        return config;
    }

    private static byte[]? ReadHash(MapReader map)
    {
        if (map.Secret("key_sha256") is not { } found) return null;
        if (found.Text.Length == Sha256Digits && found.Text.All(char.IsAsciiHexDigit)) return Convert.FromHexString(found.Text);
        map.Errors.Error(found.Path, $"expected {Sha256Digits} hexadecimal digits: the SHA-256 of the key");
        return null;
    }

    private static bool IsPresentable(ConfigErrors errors, FoundText key)
    {
        if (!key.Text.Any(char.IsControl)) return true;
        errors.Error(key.Path, "holds a line break or another control character; no client can send it");
        return false;
    }

    private static string Identity(ClientKeyConfig key) =>
        Convert.ToHexString(key.KeySha256 ?? SHA256.HashData(Encoding.UTF8.GetBytes(key.Key!.Reveal())));
}
