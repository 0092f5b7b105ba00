namespace Aiproxy.Server;

/// <summary>What a browser must read before it shows an allowed page our answer.</summary>
/// <remarks>Keys travel in headers, so cookies ("credentials") are never allowed.</remarks>
public static class CorsHeaders
{
    private const string PreflightSeconds = "600";
    private const int MaxHeaderListLength = 4096;

    /// <summary>For every answer to a request whose <see cref="OriginVerdict.CorsOrigin"/> is set, errors included.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> ForAnswer(string origin) =>
    [
        new("Access-Control-Allow-Origin", origin),
        new("Access-Control-Expose-Headers", "*"),
        new("Vary", "Origin"),
    ];

    /// <summary>For an OPTIONS request that carries <c>Access-Control-Request-Method</c>, answered 204 without a key (a browser sends none).</summary>
    /// <param name="requestedHeaders"><c>Access-Control-Request-Headers</c>: echoed, because clients invent headers and a wildcard leaves out
    /// <c>Authorization</c>.</param>
    /// <param name="isPrivateNetwork"><c>Access-Control-Request-Private-Network: true</c>: a public page asks for an address of this network.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> ForPreflight(string origin, string? requestedHeaders, bool isPrivateNetwork)
    {
        var headers = new List<KeyValuePair<string, string>>
        {
            new("Access-Control-Allow-Origin", origin),
            new("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
            new("Access-Control-Max-Age", PreflightSeconds),
            new("Vary", "Origin, Access-Control-Request-Headers"),
        };
        if (requestedHeaders is { Length: > 0 and <= MaxHeaderListLength } && IsHeaderList(requestedHeaders))
            headers.Add(new("Access-Control-Allow-Headers", requestedHeaders));
        if (isPrivateNetwork)
            headers.Add(new("Access-Control-Allow-Private-Network", "true"));
        return headers;
    }

    private static bool IsHeaderList(string value)
    {
        foreach (char c in value)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or ',' or ' '))
                return false;
        }

        return true;
    }
}
