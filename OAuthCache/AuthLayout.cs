namespace Aiproxy.OAuthCache;

/// <summary>Where a format of auth file keeps what we read and write. A file is written back in the layout it was read in.</summary>
/// <param name="Name">For people.</param>
/// <param name="Type">api_type that the layout belongs to.</param>
public sealed record AuthLayout(string Name, string Type)
{
    public static readonly AuthLayout CodexOfficial = new("official auth.json of Codex CLI", "codex")
    {
        Holder = ["tokens"], WritesLastRefresh = true,
    };

    public static readonly AuthLayout CodexFlat = new("CLIProxyAPI file for codex", "codex")
    {
        ExpiryNames = FlatExpiry("expired"), Unit = ExpiryUnit.Rfc3339, WritesLastRefresh = true, WritesAccount = true,
    };

    public static readonly AuthLayout ClaudeOfficial = new("official .credentials.json of Claude Code", "claudecode")
    {
        Holder = ["claudeAiOauth"], Access = "accessToken", Refresh = "refreshToken", ExpiryNames = ["expiresAt"], Unit = ExpiryUnit.Milliseconds,
    };

    public static readonly AuthLayout ClaudeFlat = new("CLIProxyAPI file for claudecode", "claudecode")
    {
        ExpiryNames = FlatExpiry("expired"), Unit = ExpiryUnit.Rfc3339, WritesLastRefresh = true, WritesAccount = true,
    };

    public static readonly AuthLayout GeminiOfficial = new("official oauth_creds.json of Gemini CLI", "geminicli")
    {
        ExpiryNames = ["expiry_date"], Unit = ExpiryUnit.Milliseconds, WritesGoogleExtras = true,
    };

    public static readonly AuthLayout GeminiNested = new("CLIProxyAPI file for geminicli", "geminicli")
    {
        Holder = ["token"], ExpiryNames = ["expiry"], Unit = ExpiryUnit.Rfc3339, HasProject = true,
    };

    public static readonly AuthLayout GeminiFlat = new("flat file for geminicli", "geminicli")
    {
        ExpiryNames = FlatExpiry("expiry"), Unit = ExpiryUnit.Rfc3339, HasProject = true,
    };

    /// <summary>Has no place for an access token: after a start the first use refreshes.</summary>
    public static readonly AuthLayout GoogleUser = new("authorized_user file of gcloud", "geminicli") { HoldsAccessToken = false };

    public static readonly AuthLayout AntigravityOfficial = new("official antigravity-oauth-token", "antigravity")
    {
        Holder = ["token"], ExpiryNames = ["expiry"], Unit = ExpiryUnit.Rfc3339, ExpiryCopy = "expiry",
    };

    /// <summary>The file of Gemini CLI, used for antigravity because the configuration says so.</summary>
    public static readonly AuthLayout AntigravityAsGemini = GeminiOfficial with { Type = "antigravity" };

    public static readonly AuthLayout AntigravityFlat = new("CLIProxyAPI file for antigravity", "antigravity")
    {
        ExpiryNames = FlatExpiry("expired"), Unit = ExpiryUnit.Rfc3339, WritesLifetime = true, HasProject = true,
    };

    public static readonly AuthLayout KiroOfficial = new("official kiro-auth-token.json", "kiro")
    {
        Access = "accessToken", Refresh = "refreshToken", ExpiryNames = ["expiresAt"], Unit = ExpiryUnit.Rfc3339Milliseconds, ProfileArn = "profileArn",
    };

    public static readonly AuthLayout KiroList = KiroOfficial with { Name = "credentials.json of kiro.rs" };

    public static readonly AuthLayout KiroFlat = new("CLIProxyAPI file for kiro", "kiro")
    {
        ExpiryNames = FlatExpiry("expires_at"), Unit = ExpiryUnit.Rfc3339, WritesLastRefresh = true, ProfileArn = "profile_arn",
    };

    public static readonly AuthLayout KiroKey = new("API key for kiro", "kiro") { Access = "api_key" };

    /// <summary>Steps from the sign-in's own object to the one with the tokens.</summary>
    public IReadOnlyList<string> Holder { get; private init; } = [];

    public string Access { get; private init; } = "access_token";

    public string Refresh { get; private init; } = "refresh_token";

    public bool HoldsAccessToken { get; private init; } = true;

    /// <summary>Beside the tokens; the first is written where the file has none of them. Empty: the file does not say it.</summary>
    public IReadOnlyList<string> ExpiryNames { get; private init; } = [];

    /// <summary>For a file that has no expiry yet; one that has keeps its own form.</summary>
    public ExpiryUnit Unit { get; private init; }

    /// <summary>Root member that repeats the expiry in some versions; never added.</summary>
    public string? ExpiryCopy { get; private init; }

    /// <summary>Root member, added where it is missing.</summary>
    public bool WritesLastRefresh { get; private init; }

    public bool WritesAccount { get; private init; }

    /// <summary><c>expires_in</c> in seconds and <c>timestamp</c> in milliseconds.</summary>
    public bool WritesLifetime { get; private init; }

    /// <summary>id_token, scope and token_type, each if it was returned.</summary>
    public bool WritesGoogleExtras { get; private init; }

    /// <summary>The sign-in's own object has a <c>project_id</c>.</summary>
    public bool HasProject { get; private init; }

    /// <summary>Name of the profile ARN; null: no kiro.</summary>
    public string? ProfileArn { get; private init; }

    /// <summary>The flat layout of a type, for files that do not say theirs.</summary>
    public static AuthLayout? FlatOf(string type) => type switch
    {
        "codex" => CodexFlat,
        "claudecode" => ClaudeFlat,
        "geminicli" => GeminiFlat,
        "antigravity" => AntigravityFlat,
        "kiro" => KiroFlat,
        _ => null,
    };

    public override string ToString() => Name;

    /// <summary>Flat files come from several programs, which call the expiry by different names.</summary>
    private static string[] FlatExpiry(string usual) => [usual, .. new[] { "expired", "expires_at", "expiry", "expiry_date" }.Where(name => name != usual)];
}

/// <summary>How an expiry is written.</summary>
public enum ExpiryUnit
{
    Rfc3339,
    Rfc3339Milliseconds,

    /// <summary>Since 1970, as a number.</summary>
    Milliseconds,
}
