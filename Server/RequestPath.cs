namespace Aiproxy.Server;

/// <summary>A request's path as endpoints know it, and its query without the client's key.</summary>
/// <param name="Path">Decoded; version prefix put right, no trailing slash.</param>
/// <param name="Query">With question mark, or empty; as the client wrote it, less <c>key</c>.</param>
/// <param name="Key">The client's key, where the query held one.</param>
public sealed record RequestPath(string Path, string Query, string? Key)
{
    private static readonly string[] Versions = ["/v1", "/v1beta"];

    // Clients configured without the version, and editors that leave it out.
    private static readonly string[] Unversioned = ["/messages", "/chat/completions", "/responses", "/models"];

    /// <summary>The value of a query member, decoded; null: absent.</summary>
    public string? Member(string name) => Find(Query, name);

    /// <param name="rawTarget">The request target as it stood in the request line, in origin or absolute form.</param>
    public static RequestPath Parse(string rawTarget)
    {
        string target = rawTarget;
        int scheme = target.IndexOf("://", StringComparison.Ordinal);
        if (scheme > 0 && !target.StartsWith('/'))
        {
            int slash = target.IndexOf('/', scheme + 3);
            target = slash < 0 ? "/" : target[slash..];
        }
        int fragment = target.IndexOf('#');
        if (fragment >= 0) target = target[..fragment];
        int mark = target.IndexOf('?');
        string query = mark < 0 ? "" : target[mark..];
        string path = Uri.UnescapeDataString(mark < 0 ? target : target[..mark]);
        string? key = Find(query, "key");
        return new RequestPath(Normal(path), key is null ? query : Without(query, "key"), key);
    }

    private static string Normal(string path)
    {
        while (path.Contains("//", StringComparison.Ordinal)) path = path.Replace("//", "/", StringComparison.Ordinal);
        if (path.Length > 1) path = path.TrimEnd('/');
        if (path.Length == 0) return "/";

        // "/v1/v1/messages": a base URL that was configured with its version.
        while (Leading(path) is { } outer && Leading(path[outer.Length..]) is { }) path = path[outer.Length..];
        if (Leading(path) is { } version && path[version.Length..].StartsWith("/api/hello", StringComparison.Ordinal)) return path[version.Length..];
        foreach (string bare in Unversioned)
            if (path == bare || path.StartsWith(bare + "/", StringComparison.Ordinal)) return "/v1" + path;
        return path;
    }

    private static string? Leading(string path)
    {
        foreach (string version in Versions)
            if (path.StartsWith(version, StringComparison.Ordinal) && (path.Length == version.Length || path[version.Length] == '/')) return version;
        return null;
    }

    private static string? Find(string query, string name)
    {
        foreach (string pair in query.TrimStart('?').Split('&'))
        {
            int equals = pair.IndexOf('=');
            if (NameOf(pair) == name) return equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' '));
        }
        return null;
    }

    private static string NameOf(string pair)
    {
        int equals = pair.IndexOf('=');
        return Uri.UnescapeDataString(equals < 0 ? pair : pair[..equals]);
    }

    private static string Without(string query, string name)
    {
        IEnumerable<string> kept = query.TrimStart('?').Split('&').Where(pair => NameOf(pair) != name);
        string rest = string.Join('&', kept);
        return rest.Length == 0 ? "" : "?" + rest;
    }
}
