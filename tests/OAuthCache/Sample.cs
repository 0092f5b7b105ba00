using System.Buffers.Text;
using System.Text;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>Auth files in every layout, with fake tokens.</summary>
public static class Sample
{
    public const string Access = "at-fake-old";

    public const string Refresh = "rt-fake-old";

    /// <summary>Expiry of all samples, one hour after <see cref="FakeClock"/> begins.</summary>
    public static readonly DateTimeOffset Expiry = new(2026, 1, 1, 1, 0, 0, TimeSpan.Zero);

    public static string Jwt(string payload) => "eyFAKE." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload)) + ".sig";

    public static readonly string CodexAccess = Jwt($$"""{"exp":{{Expiry.ToUnixTimeSeconds()}}}""");

    public static readonly string CodexId = Jwt(
        """{"email":"me@example.com","https://api.openai.com/auth":{"chatgpt_account_id":"acc-1","chatgpt_plan_type":"plus","chatgpt_account_is_fedramp":true}}""");

    public static readonly string CodexOfficial = $$"""
        { "auth_mode": "chatgpt",
          "OPENAI_API_KEY": null,
          "tokens": { "id_token": "{{CodexId}}", "access_token": "{{CodexAccess}}",
                      "refresh_token": "{{Refresh}}", "account_id": "acc-1" },
          "last_refresh": "2026-01-01T00:00:00.123456Z", "agent_identity": {"k" : [1, 2.50, "\u00e9"]} }
        """;

    public static readonly string CodexFlat = $$"""
        {"type":"codex","email":"me@example.com","account_id":"acc-1","id_token":"{{CodexId}}","access_token":"{{CodexAccess}}",
         "refresh_token":"{{Refresh}}","last_refresh":"2026-01-01T00:00:00Z","expired":"2026-01-01T01:00:00Z","x":[ ]}
        """;

    public static readonly string ClaudeOfficial = $$"""
        {
          "claudeAiOauth": {
            "accessToken": "{{Access}}", "refreshToken": "{{Refresh}}",
            "expiresAt": {{Expiry.ToUnixTimeMilliseconds()}}, "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max", "rateLimitTier": "default_claude_max_5x" },
          "mcpOAuth": { "a\/b": {"accessToken": "other-fake"} }, "organizationUuid": "org"
        }

        """;

    public static readonly string ClaudeFlat = $$"""
        { "type": "claude", "email": "me@example.com", "access_token": "{{Access}}", "refresh_token": "{{Refresh}}",
          "id_token": "", "last_refresh": "2026-01-01T00:00:00Z", "expired": "2026-01-01T01:00:00Z", "account_uuid": "u" }
        """;

    public static readonly string GeminiOfficial = $$"""
        { "access_token": "{{Access}}", "refresh_token": "{{Refresh}}", "scope": "https://www.googleapis.com/auth/cloud-platform",
          "token_type": "Bearer", "id_token": "{{Jwt("""{"email":"me@example.com"}""")}}", "expiry_date": {{Expiry.ToUnixTimeMilliseconds()}} }
        """;

    public static readonly string GeminiNested = $$"""
        { "type": "gemini", "email": "me@example.com", "project_id": "p-1, p-2", "auto": false, "checked": true,
          "token": { "access_token": "{{Access}}", "refresh_token": "{{Refresh}}", "token_type": "Bearer", "expiry": "2026-01-01T01:00:00Z",
                     "client_id": "id-fake", "client_secret": "secret-fake", "token_uri": "https://evil.example/token" } }
        """;

    public static readonly string GeminiFlat = $$"""
        {"type":"gemini","access_token":"{{Access}}","refresh_token":"{{Refresh}}","expiry":"2026-01-01T01:00:00Z","project_id":"ALL"}
        """;

    public static readonly string GoogleUser = $$"""
        {"type":"authorized_user","client_id":"id-fake","client_secret":"secret-fake","refresh_token":"{{Refresh}}"}
        """;

    public static readonly string AntigravityOfficial = $$"""
        { "token": { "access_token": "{{Access}}", "token_type": "Bearer", "refresh_token": "{{Refresh}}", "expiry": "2026-01-01T03:00:00.123456789+02:00" },
          "auth_method": "consumer", "expiry": "2026-01-01T01:00:00Z" }
        """;

    public static readonly string AntigravityFlat = $$"""
        { "type": "antigravity", "access_token": "{{Access}}", "refresh_token": "{{Refresh}}", "expires_in": 3599, "timestamp": 1767225600000,
          "expired": "2026-01-01T01:00:00Z", "email": "me@example.com", "project_id": "p-1", "base_url": "https://host.example" }
        """;

    public static readonly string KiroSocial = $$"""
        { "accessToken": "{{Access}}", "refreshToken": "{{Refresh}}", "expiresAt": "2026-01-01T01:00:00.000Z", "authMethod": "social", "provider": "Google",
          "profileArn": "arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE" }
        """;

    public static readonly string KiroBuilder = $$"""
        { "accessToken": "{{Access}}", "refreshToken": "{{Refresh}}", "expiresAt": "2026-01-01T01:00:00.000Z", "authMethod": "IdC", "provider": "BuilderId",
          "clientIdHash": "0123456789abcdef0123456789abcdef01234567", "region": "eu-west-1" }
        """;

    public static readonly string KiroExternal = $$"""
        { "accessToken": "{{Access}}", "refreshToken": "{{Refresh}}", "expiresAt": "2026-01-01T01:00:00Z", "authMethod": "external_idp",
          "tokenEndpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/token", "clientId": "id fake", "scopes": ["a", "offline_access"] }
        """;

    public static readonly string KiroList = $$"""
        [ {"refreshToken": "rt-fake-second", "priority": 2, "authMethod": "social"},
          {"accessToken": "{{Access}}", "refreshToken": "{{Refresh}}", "expiresAt": "2026-01-01T01:00:00Z", "authMethod": "idc", "clientId": "id-fake",
           "clientSecret": "secret-fake", "authRegion": "eu-west-1", "apiRegion": "us-east-1", "priority": 1, "machineId": "m"},
          {"refreshToken": "rt-fake-third", "priority": 0, "disabled": true} ]
        """;

    public static readonly string KiroFlat = $$"""
        {"type":"kiro","auth_method":"builder-id","provider":"AWS","access_token":"{{Access}}","refresh_token":"{{Refresh}}","expires_at":"2026-01-01T01:00:00Z",
         "client_id":"id-fake","client_secret":"secret-fake","region":"us-east-1","start_url":"https://view.awsapps.com/start","email":"me@example.com","last_refresh":"2026-01-01T00:00:00Z"}
        """;

    /// <summary>As the Go program wrote it: no type.</summary>
    public static readonly string KiroGo = $$"""
        {"access_token":"{{Access}}","refresh_token":"{{Refresh}}","client_id":"id-fake","client_secret":"secret-fake","auth_method":"idc","region":"us-east-1",
        "expires_at":"2026-01-01T01:00:00Z","machine_id":"m"}
        """;

    /// <summary>Name, api_type, content.</summary>
    public static readonly (string Name, string Type, string Text)[] All =
    [
        (nameof(CodexOfficial), "codex", CodexOfficial), (nameof(CodexFlat), "codex", CodexFlat),
        (nameof(ClaudeOfficial), "claudecode", ClaudeOfficial), (nameof(ClaudeFlat), "claudecode", ClaudeFlat),
        (nameof(GeminiOfficial), "geminicli", GeminiOfficial), (nameof(GeminiNested), "geminicli", GeminiNested), (nameof(GeminiFlat), "geminicli", GeminiFlat),
        (nameof(AntigravityOfficial), "antigravity", AntigravityOfficial), (nameof(AntigravityFlat), "antigravity", AntigravityFlat),
        (nameof(KiroSocial), "kiro", KiroSocial), (nameof(KiroBuilder), "kiro", KiroBuilder), (nameof(KiroExternal), "kiro", KiroExternal),
        (nameof(KiroList), "kiro", KiroList), (nameof(KiroFlat), "kiro", KiroFlat), (nameof(KiroGo), "kiro", KiroGo),
    ];

    public static TheoryData<string> Names() => [.. All.Select(sample => sample.Name)];

    public static (string Name, string Type, string Text) Of(string name) => All.Single(sample => sample.Name == name);
}
