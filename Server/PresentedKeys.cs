namespace Aiproxy.Server;

/// <summary>Where clients put their keys; every endpoint takes any of them. Values are header values as they came, null where absent.</summary>
/// <param name="Query">The query string with or without its <c>?</c>, still encoded; its <c>key</c> counts.</param>
public readonly record struct PresentedKeys(string? Authorization, string? XApiKey, string? XGoogApiKey, string? ApiKey, string? Query)
{
    /// <summary>The client presented nothing that could be a key (empty values are nothing: Gemini CLI sends an empty header).</summary>
    public bool IsEmpty => !Candidates().Any();

    /// <summary>Every key text, in no meaningful order.</summary>
    public IEnumerable<string> Candidates()
    {
        string? bearer = Bearer(Authorization);
        foreach (string? value in (string?[])[bearer, XApiKey, XGoogApiKey, ApiKey, QueryKey(Query)])
        {
            string? trimmed = value?.Trim();
            if (!string.IsNullOrEmpty(trimmed))
                yield return trimmed;
        }
    }

    /// <summary>Never the keys.</summary>
    public override string ToString() => "***";

    private static string? Bearer(string? authorization)
    {
        const string scheme = "Bearer ";
        return authorization is not null && authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? authorization[scheme.Length..] : null;
    }

    private static string? QueryKey(string? query)
    {
        if (string.IsNullOrEmpty(query))
            return null;
        ReadOnlySpan<char> rest = query.AsSpan(query[0] == '?' ? 1 : 0);
        foreach (Range range in rest.Split('&'))
        {
            ReadOnlySpan<char> pair = rest[range];
            if (pair.StartsWith("key=", StringComparison.Ordinal))
                return Uri.UnescapeDataString(pair["key=".Length..]);
        }

        return null;
    }
}
