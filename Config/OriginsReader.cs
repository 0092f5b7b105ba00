namespace Aiproxy.Config;

/// <summary>Reads <c>allowed_origins</c> and <c>allowed_hosts</c>.</summary>
public static class OriginsReader
{
    /// <summary><c>scheme://host[:port]</c> in lower case, as browsers send it, or <c>*</c>.</summary>
    public static IReadOnlyList<string> Origins(MapReader root)
    {
        var origins = new List<string>();
        foreach (FoundText found in root.Texts("allowed_origins"))
        {
            string origin = found.Text.TrimEnd('/').ToLowerInvariant();
            int host = origin.IndexOf("://", StringComparison.Ordinal);
            // Extensions of browsers have schemes of their own, so any scheme passes.
            bool isOrigin = origin == "*" || (host > 0 && Uri.CheckSchemeName(origin[..host]) && Uri.TryCreate(origin, UriKind.Absolute, out Uri? url)
                && url.Host.Length > 0 && origin.AsSpan(host + 3).IndexOfAny("/?#@\\ ") < 0);
            if (isOrigin) origins.Add(origin);
            else root.Errors.Error(found.Path, $"expected 'scheme://host', 'scheme://host:port' or '*'{Shown.Got(found)}");
        }
        return origins;
    }

    /// <summary>Host names in lower case, IPv6 addresses without brackets.</summary>
    public static IReadOnlyList<string> Hosts(MapReader root)
    {
        var hosts = new List<string>();
        foreach (FoundText found in root.Texts("allowed_hosts"))
        {
            string host = found.Text.ToLowerInvariant();
            if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
            if (Uri.CheckHostName(host) != UriHostNameType.Unknown) hosts.Add(host);
            else root.Errors.Error(found.Path, $"expected a host name without port{Shown.Got(found)}");
        }
        return hosts;
    }
}
