using System.Runtime.Versioning;
using System.Text.Json;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a <c>login</c> leaves behind: one file of the right shape and mode, and nothing secret on the screen.</summary>
[UnsupportedOSPlatform("windows")]
public static class LoginChecks
{
    private const string Email = "fake@example.com";

    /// <summary>Members of the written file, by the tables of the layouts.</summary>
    private static readonly Dictionary<string, string> Layouts = new()
    {
        ["codex"] = "access_token account_id client_id email expired id_token last_refresh refresh_token type",
        ["claudecode"] = "access_token account_uuid client_id email expired id_token last_refresh organization_name organization_uuid refresh_token type",
        ["geminicli"] = "auto checked email project_id token type",
        ["antigravity"] = "access_token client_id client_secret email expired expires_in project_id refresh_token timestamp type",
        ["social"] = "access_token api_region auth_method email expires_at last_refresh profile_arn provider refresh_token type",
        ["builder-id"] = "access_token api_region auth_method client_id client_secret email expires_at last_refresh provider refresh_token region start_url type",
        ["idc"] = "access_token api_region auth_method client_id client_secret email expires_at last_refresh profile_arn provider refresh_token region start_url type",
    };

    private static string Store(TempFolder home) => Path.Combine(home.Path, ".local", "share", "aiproxy", "auth");

    public static List<string> Files(TempFolder home) =>
        Directory.Exists(Store(home)) ? [.. Directory.EnumerateFiles(Store(home)).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))] : [];

    public static void AssertWritten(FakeProvider provider, LoginRun run, TempFolder home, string layout, string name)
    {
        var path = Assert.Single(Files(home));
        Assert.Equal(name, Path.GetFileName(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Store(home)));
        var text = File.ReadAllText(path);
        using var document = JsonDocument.Parse(text);
        Assert.Equal(Layouts[layout], string.Join(' ', document.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)));
        var holder = layout == "geminicli" ? document.RootElement.GetProperty("token") : document.RootElement;
        var access = holder.GetProperty("access_token").GetString();
        var refresh = holder.GetProperty("refresh_token").GetString();
        var grant = Assert.Single(provider.Ledger.Grants);
        Assert.Equal((grant.AccessToken, grant.RefreshToken), (access, refresh));
        Assert.Equal(layout is "codex" or "claudecode" or "geminicli" or "antigravity" ? "" : layout, grant.Method);
        Assert.Equal(Email, document.RootElement.GetProperty("email").GetString());
        var expiry = holder.GetProperty(layout switch { "geminicli" => "expiry", "social" or "builder-id" or "idc" => "expires_at", _ => "expired" }).GetString()!;
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", expiry);
        Assert.InRange((DateTimeOffset.Parse(expiry) - grant.ExpiresAt).TotalSeconds, -5, 5);
        AssertRead(path, layout, grant);
        AssertOwnMembers(provider, document.RootElement, layout, grant);

        // What the user reads: the terms first, the account, the lines to paste; no secret.
        Assert.DoesNotContain("http", run.Output.Split('\n')[0]);
        Assert.Contains("Signed in: " + Email, run.Output);
        Assert.Contains(expiry, run.Output);
        Assert.Contains($"    auth_files: '{path}'", run.Output);
        Assert.Equal("", run.Error.Trim());
        foreach (var secret in new[] { access!, refresh!, grant.ClientSecret ?? access!, "fake-code-" }) Assert.DoesNotContain(secret, run.Both);
        Assert.All(provider.Requests.Where(request => request.Method == "POST"), request => Assert.StartsWith("aiproxy/", request.Header("User-Agent")!));
        Assert.Empty(provider.Faults);
    }

    /// <summary>The proxy itself understands the file.</summary>
    private static void AssertRead(string path, string layout, FakeProviderGrant grant)
    {
        var reading = AuthFileReader.Read(grant.Type, File.ReadAllBytes(path));
        Assert.Null(reading.Problem);
        var file = reading.File!;
        Assert.Equal((grant.AccessToken, grant.RefreshToken, Email), (file.AccessToken, file.RefreshToken, file.Email));
        Assert.InRange((file.ExpiresAt!.Value - grant.ExpiresAt).TotalSeconds, -5, 5);
        if (layout != "social") Assert.Equal(grant.ClientId, file.ClientId);
        Assert.Equal(grant.ClientSecret, file.ClientSecret);
        if (layout is "geminicli" or "antigravity") Assert.Equal("fake-project-1", file.ProjectId);
        if (layout is "social" or "builder-id" or "idc")
            Assert.Equal(layout switch { "social" => KiroMethod.Social, "idc" => KiroMethod.IdentityCenter, _ => KiroMethod.BuilderId }, file.Kiro!.Method);
    }

    private static void AssertOwnMembers(FakeProvider provider, JsonElement file, string layout, FakeProviderGrant grant)
    {
        string? Text(string name) => file.TryGetProperty(name, out var member) ? member.GetString() : null;
        switch (layout)
        {
            case "codex":
                Assert.Equal(("codex", grant.Account.AccountId, grant.IdToken), (Text("type"), Text("account_id"), Text("id_token")));
                break;
            case "claudecode":
                Assert.Equal(("claude", grant.Account.AccountId, "fake-organization"), (Text("type"), Text("account_uuid"), Text("organization_uuid")));
                break;
            case "geminicli":
                var token = file.GetProperty("token");
                Assert.Equal(
                    "access_token client_id client_secret expiry refresh_token scopes token_type token_uri universe_domain",
                    string.Join(' ', token.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)));
                Assert.Equal((grant.ClientId, grant.ClientSecret), (token.GetProperty("client_id").GetString(), token.GetProperty("client_secret").GetString()));
                Assert.Equal(("gemini", "fake-project-1"), (Text("type"), Text("project_id")));
                break;
            case "antigravity":
                Assert.Equal(("antigravity", "fake-project-1", grant.ClientSecret), (Text("type"), Text("project_id"), Text("client_secret")));
                Assert.Equal(3600, file.GetProperty("expires_in").GetInt32());
                Assert.InRange(file.GetProperty("timestamp").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
                break;
            default:
                Assert.Equal(("kiro", layout, "us-east-1"), (Text("type"), Text("auth_method"), Text("api_region")));
                Assert.Equal(layout switch { "social" => "Google", "idc" => "Enterprise", _ => "BuilderId" }, Text("provider"));
                if (layout != "builder-id") Assert.Equal(provider.Profiles[0], Text("profile_arn"));
                if (layout != "social") Assert.Equal((grant.ClientId, grant.ClientSecret), (Text("client_id"), Text("client_secret")));
                break;
        }
    }
}
