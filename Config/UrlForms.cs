namespace Aiproxy.Config;

/// <summary>URLs of the configuration. Problems never repeat the URL: a query or a user part may hold a key.</summary>
public static class UrlForms
{
    private static readonly string[] WebSchemes = ["http", "https"];
    private static readonly string[] ProxySchemes = ["http", "https", "socks5"];

    /// <summary>An absolute http or https URL without user part, query and fragment. null: <paramref name="problem"/> says why.</summary>
    public static Uri? Web(string text, out string? problem)
    {
        Uri? url = Absolute(text, WebSchemes, out problem);
        if (url is null) return null;
        if (url.UserInfo.Length > 0 || text.Contains('@')) problem = "a URL here has no user part ('user:password@')";
        else if (text.Contains('?')) problem = "a URL here has no query ('?...')";
        else if (text.Contains('#')) problem = "a URL here has no fragment ('#...')";
        return problem is null ? url : null;
    }

    /// <summary>As <see cref="Web"/>, cut to what all calls share: <c>https://h/claude/v1/</c> becomes <c>https://h/claude</c>.</summary>
    public static Uri? BaseUrl(string text, out string? problem)
    {
        if (Web(text, out problem) is null) return null;
        string cut = text.TrimEnd('/');
        foreach (string version in (ReadOnlySpan<string>)["/v1", "/v1beta"])
        {
            if (!cut.EndsWith(version, StringComparison.Ordinal)) continue;
            cut = cut[..^version.Length].TrimEnd('/');
            break;
        }
        return Web(cut, out problem);
    }

    /// <summary>The address of a proxy, a user part included. null: <paramref name="problem"/> says why.</summary>
    public static Uri? Proxy(string text, out string? problem)
    {
        Uri? url = Absolute(text, ProxySchemes, out problem);
        if (url is null) return null;
        if (url.AbsolutePath.Trim('/').Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0) problem = "a proxy URL ends with its port";
        return problem is null ? url : null;
    }

    private static Uri? Absolute(string text, IReadOnlyList<string> schemes, out string? problem)
    {
        problem = null;
        bool isOurs = schemes.Any(scheme => text.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase));
        bool isClean = !text.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter) || letter == '\\');
        bool isUrl = Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Host.Length > 0;
        if (!isOurs) problem = $"expected a URL that begins with {Words.Or([.. schemes.Select(scheme => scheme + "://")])}";
        else if (!isClean) problem = "a URL holds no white space and no backslash";
        else if (!isUrl) problem = "not a valid URL: expected a scheme, a host, perhaps a port and a path";
        else if (url!.Port < 1) problem = "not a valid URL: the port is missing or 0";
        else return url;
        return null;
    }
}
