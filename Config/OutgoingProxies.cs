namespace Aiproxy.Config;

/// <summary>Reads <c>outgoing_proxy</c>. Everything in it is secret, since a URL may hold a password.</summary>
public static class OutgoingProxies
{
    /// <summary>The word that goes without a proxy whatever the environment says.</summary>
    public const string None = "none";

    private const string FromEnvironment = "environment";

    /// <summary>null: not given. Empty: as the environment says.</summary>
    public static IReadOnlyList<Secret>? Read(MapReader map)
    {
        IReadOnlyList<(ConfigNode Node, string Path)> items = map.Items("outgoing_proxy");
        if (items.Count == 0) return null;

        var proxies = new List<Secret>();
        foreach ((ConfigNode node, string path) in items)
        {
            int errors = map.Errors.ErrorCount;
            FoundText? found = map.Context.Secret(node, path);
            if (found is null)
            {
                // Left out, a blank in a list would give the later credentials each other's proxy.
                if (items.Count > 1 && map.Errors.ErrorCount == errors)
                {
                    map.Errors.Error(path, $"this entry is blank; write {None} for a credential without a proxy");
                }
            }
            else if (found.Text.Equals(FromEnvironment, StringComparison.OrdinalIgnoreCase) && items.Count == 1)
            {
                return [];
            }
            else if (found.Text.Equals(None, StringComparison.OrdinalIgnoreCase))
            {
                proxies.Add(new Secret(None));
            }
            else if (UrlForms.Proxy(found.Text, out string? problem) is not null)
            {
                proxies.Add(new Secret(found.Text));
            }
            else
            {
                map.Errors.Error(path, $"{problem}, or {None}");
            }
        }
        return proxies.Count == 0 ? null : proxies;
    }
}
