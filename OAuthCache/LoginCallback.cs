namespace Aiproxy.OAuthCache;

/// <summary>What a provider sends the browser back with, or what the user copied of it.</summary>
/// <param name="State">null: none came.</param>
/// <param name="Error">Set: the sign-in was refused, and there is no code.</param>
public sealed record LoginCallback(string? Code, string? State, string? Error, string? Description)
{
    private const int LongestPaste = 16 * 1024;

    /// <param name="query">Without the question mark.</param>
    public static LoginCallback FromQuery(string query)
    {
        Dictionary<string, string> pairs = LoginQuery.Read(query);
        string? Value(string name) => pairs.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        return new LoginCallback(Value("error") is null ? Value("code") : null, Value("state"), Value("error"), Value("error_description"));
    }

    /// <summary>A code, <c>code#state</c>, a query, or the whole URL of the page on which the browser ended. null: none of them.</summary>
    public static LoginCallback? FromPaste(string text)
    {
        string paste = text.Trim().Trim('"', '\'', '<', '>');
        if (paste.Length is 0 or > LongestPaste || paste.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter))) return null;
        int query = paste.IndexOf('?');
        bool isUrl = query >= 0 || paste.Contains("://", StringComparison.Ordinal);
        if (isUrl || paste.StartsWith("code=", StringComparison.Ordinal) || paste.StartsWith("state=", StringComparison.Ordinal))
        {
            string pairs = query >= 0 ? paste[(query + 1)..] : isUrl ? "" : paste;
            int fragment = pairs.IndexOf('#');
            LoginCallback callback = FromQuery(fragment < 0 ? pairs : pairs[..fragment]);
            return callback.Code is null && callback.Error is null ? null : callback;
        }
        int hash = paste.IndexOf('#');
        if (hash < 0) return new LoginCallback(paste, null, null, null);
        return hash == 0 || hash == paste.Length - 1 ? null : new LoginCallback(paste[..hash], paste[(hash + 1)..], null, null);
    }

    /// <summary>The line for the user, of one with <see cref="Error"/>.</summary>
    public LoginProblem Refusal() =>
        new("the sign-in was refused: " + LoginText.Line(string.Join(": ", ((string?[])[Error, Description]).OfType<string>())));

    public override string ToString() => nameof(LoginCallback);
}
