namespace Aiproxy.OAuthCache;

/// <summary>Where a provider's tokens are asked for, and as which client. What ages stands here and nowhere else; all of it can be set in the configuration.</summary>
/// <param name="Type">api_type.</param>
/// <param name="TokenUrl">null: the auth file decides (kiro: by region and kind of sign-in).</param>
/// <param name="ClientId">Public id of the provider's own installed application; a sign-in made with another client names it in its file. null: each sign-in has its own.</param>
/// <param name="Rotates">A refresh kills the refresh token that was used.</param>
/// <param name="NeedsClientSecret">The token endpoint refuses a client without its secret. None is kept here: it comes from the auth file or the configuration.</param>
public sealed record ProviderFacts(string Type, Uri? TokenUrl, string? ClientId, bool Rotates, bool NeedsClientSecret = false)
{
    public static readonly ProviderFacts Codex = new("codex", new Uri("https://auth.openai.com/oauth/token"), "app_EMoamEEZ73f0CkXaXp7hrann", Rotates: true);

    public static readonly ProviderFacts ClaudeCode =
        new("claudecode", new Uri("https://platform.claude.com/v1/oauth/token"), "9d1c250a-e61b-44d9-88ed-5944d1962f5e", Rotates: true);

    public static readonly ProviderFacts GeminiCli = new(
        "geminicli", new Uri("https://oauth2.googleapis.com/token"), "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com",
        Rotates: false, NeedsClientSecret: true);

    public static readonly ProviderFacts Antigravity = new(
        "antigravity", new Uri("https://oauth2.googleapis.com/token"), "1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com",
        Rotates: false, NeedsClientSecret: true);

    public static readonly ProviderFacts Kiro = new("kiro", null, null, Rotates: true);

    public static IReadOnlyList<ProviderFacts> All { get; } = [Codex, ClaudeCode, GeminiCli, Antigravity, Kiro];

    /// <summary>null: no type that signs in.</summary>
    public static ProviderFacts? Of(string type) => All.FirstOrDefault(facts => facts.Type == type);
}
