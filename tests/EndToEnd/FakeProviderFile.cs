using System.Globalization;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Auth files of every type and layout, as the programs write them that own them; each has a member that nobody knows.</summary>
public static class FakeProviderFile
{
    public static void Write(string path, FakeProviderGrant grant, FakeProviderLayout layout, FakeProvider provider)
    {
        var text = Text(grant, layout, provider);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // Beside it and renamed over it: a reader never sees half a file.
        using (var writer = new StreamWriter(path + ".new", options)) writer.Write(text);
        File.Move(path + ".new", path, overwrite: true);
    }

    private static string Text(FakeProviderGrant grant, FakeProviderLayout layout, FakeProvider provider) => (grant.Type, layout) switch
    {
        ("codex", FakeProviderLayout.Official) =>
            $$"""
            {
              "auth_mode": "chatgpt",
              "OPENAI_API_KEY": null,
              "tokens": {
                "id_token": "{{grant.IdToken}}",
                "access_token": "{{grant.AccessToken}}",
                "refresh_token": "{{grant.RefreshToken}}",
                "account_id": "{{grant.Account.AccountId}}"
              },
              "last_refresh": "{{Now}}",
              "agent_identity": {"kept": 1.50}
            }
            """,
        ("codex", FakeProviderLayout.CliProxy) =>
            $$"""
            {"type": "codex", "email": "{{grant.Account.Email}}", "account_id": "{{grant.Account.AccountId}}", "id_token": "{{grant.IdToken}}",
             "access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "last_refresh": "{{Now}}", "expired": "{{Iso(grant)}}", "x_kept": "é\u00e9/\/"}
            """,
        ("claudecode", FakeProviderLayout.Official) =>
            $$"""
            {
              "mcpOAuth": {"kept": { } },
              "claudeAiOauth": {
                "accessToken": "{{grant.AccessToken}}", "refreshToken": "{{grant.RefreshToken}}",
                "expiresAt": {{Ms(grant)}},
                "scopes": ["user:inference", "user:profile", "user:sessions:claude_code"],
                "subscriptionType": "max", "rateLimitTier": "default_claude_max_5x"
              },
              "organizationUuid": "fake-organization"
            }
            """,
        ("claudecode", FakeProviderLayout.CliProxy) =>
            $$"""
            {"type": "claude", "email": "{{grant.Account.Email}}", "access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "id_token": "",
             "last_refresh": "{{Now}}", "expired": "{{Iso(grant)}}", "account_uuid": "{{grant.Account.AccountId}}", "x_kept": "é\u00e9/\/"}
            """,
        ("claudecode", FakeProviderLayout.SetupToken) => $$"""{"access_token": "{{grant.AccessToken}}"}""",
        ("geminicli", FakeProviderLayout.Official) or ("antigravity", FakeProviderLayout.Flat) =>
            $$"""
            {"access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "scope": "https://www.googleapis.com/auth/cloud-platform",
             "token_type": "Bearer", "id_token": "{{grant.IdToken}}", "expiry_date": {{Ms(grant)}}, "x_kept": "é\u00e9/\/"}
            """,
        ("geminicli", FakeProviderLayout.CliProxy) =>
            $$"""
            {"type": "gemini", "email": "{{grant.Account.Email}}", "project_id": "{{grant.Account.ProjectId}}", "auto": false, "checked": true,
             "token": { {{GoogleToken(grant)}}, "token_uri": "https://oauth2.googleapis.com/token", "scopes": ["x"], "universe_domain": "googleapis.com"}, "x_kept": "é\u00e9/\/"}
            """,
        ("geminicli", FakeProviderLayout.Flat) =>
            $$"""{"type": "gemini", "email": "{{grant.Account.Email}}", "project_id": "{{grant.Account.ProjectId}}", {{GoogleToken(grant)}}, "x_kept": "é\u00e9/\/"}""",
        ("geminicli", FakeProviderLayout.AuthorizedUser) =>
            $$"""{"type": "authorized_user", "client_id": "{{grant.ClientId}}", "client_secret": "{{grant.ClientSecret}}", "refresh_token": "{{grant.RefreshToken}}"}""",
        ("antigravity", FakeProviderLayout.Official) =>
            $$"""
            {"token": {"access_token": "{{grant.AccessToken}}", "token_type": "Bearer", "refresh_token": "{{grant.RefreshToken}}", "expiry": "{{Nanoseconds(grant)}}"},
             "auth_method": "consumer", "id_token": "{{grant.IdToken}}", "x_kept": "é\u00e9/\/"}
            """,
        ("antigravity", FakeProviderLayout.CliProxy) =>
            $$"""
            {"type": "antigravity", "access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "expires_in": 3599, "timestamp": {{Ms(grant) - 3_599_000}},
             "expired": "{{Iso(grant)}}", "email": "{{grant.Account.Email}}", "project_id": "{{grant.Account.ProjectId}}", "x_kept": "é\u00e9/\/"}
            """,
        ("kiro", FakeProviderLayout.Official) => Kiro(grant, provider),
        ("kiro", FakeProviderLayout.KiroRs) => "[" + Kiro(grant, provider).Replace("\"region\"", "\"apiRegion\": \"us-east-1\", \"authRegion\"", StringComparison.Ordinal) + "]",
        ("kiro", FakeProviderLayout.CliProxy) => "{\"type\": \"kiro\", " + KiroFlat(grant, provider) + "}",
        ("kiro", FakeProviderLayout.GoAiproxy) => "{" + KiroFlat(grant, provider) + ", \"machine_id\": \"fake-machine\", \"disabled\": false}",
        _ => throw new ArgumentException($"there is no layout {layout} of {grant.Type}"),
    };

    private static string GoogleToken(FakeProviderGrant grant) =>
        $$"""
        "access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "token_type": "Bearer", "expiry": "{{Iso(grant)}}", "client_id": "{{grant.ClientId}}", "client_secret": "{{grant.ClientSecret}}"
        """;

    private static string Kiro(FakeProviderGrant grant, FakeProvider provider)
    {
        var common = $$"""
            "accessToken": "{{grant.AccessToken}}", "refreshToken": "{{grant.RefreshToken}}", "expiresAt": "{{grant.ExpiresAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}}"
            """;
        return grant.Method switch
        {
            "social" => $$"""{ {{common}}, "authMethod": "social", "provider": "Google", "profileArn": "{{grant.Account.ProfileArn}}", "x_kept": "é\u00e9/\/"}""",
            "external_idp" => $$"""{ {{common}}, "authMethod": "external_idp", "provider": "ExternalIdp", "tokenEndpoint": "{{provider.TokenUrl("kiro", "external_idp")}}", "issuerUrl": "{{provider.Issuer("kiro")}}", "clientId": "{{grant.ClientId}}", "profileArn": "{{grant.Account.ProfileArn}}"}""",
            _ => $$"""{ {{common}}, "authMethod": "IdC", "provider": "{{(grant.Method == "idc" ? "Enterprise" : "BuilderId")}}", "clientId": "{{grant.ClientId}}", "clientSecret": "{{grant.ClientSecret}}", "region": "us-east-1"{{(grant.Method == "idc" ? $", \"profileArn\": \"{grant.Account.ProfileArn}\"" : "")}}}""",
        };
    }

    private static string KiroFlat(FakeProviderGrant grant, FakeProvider provider)
    {
        var own = grant.Method switch
        {
            "social" => $"\"provider\": \"Google\", \"profile_arn\": \"{grant.Account.ProfileArn}\"",
            "external_idp" => $"\"token_endpoint\": \"{provider.TokenUrl("kiro", "external_idp")}\", \"client_id\": \"{grant.ClientId}\", \"profile_arn\": \"{grant.Account.ProfileArn}\"",
            "idc" => $"\"provider\": \"Enterprise\", \"client_id\": \"{grant.ClientId}\", \"client_secret\": \"{grant.ClientSecret}\", \"region\": \"us-east-1\", \"start_url\": \"https://fake.awsapps.com/start\", \"profile_arn\": \"{grant.Account.ProfileArn}\"",
            _ => $"\"provider\": \"BuilderId\", \"client_id\": \"{grant.ClientId}\", \"client_secret\": \"{grant.ClientSecret}\", \"region\": \"us-east-1\", \"start_url\": \"https://view.awsapps.com/start\"",
        };
        return $$"""
            "auth_method": "{{grant.Method}}", {{own}}, "access_token": "{{grant.AccessToken}}", "refresh_token": "{{grant.RefreshToken}}", "expires_at": "{{Iso(grant)}}", "email": "{{grant.Account.Email}}", "last_refresh": "{{Now}}", "x_kept": "é\u00e9/\/"
            """;
    }

    private static string Now => DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Iso(FakeProviderGrant grant) => grant.ExpiresAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Nanoseconds(FakeProviderGrant grant) =>
        grant.ExpiresAt.ToOffset(TimeSpan.FromHours(2)).ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "89+02:00";

    private static long Ms(FakeProviderGrant grant) => grant.ExpiresAt.ToUnixTimeMilliseconds();
}
