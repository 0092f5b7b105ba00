using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class AuthFileEditTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly TokenGrant Grant = new()
    {
        AccessToken = "at-fake-new", RefreshToken = "rt-fake-new", ReceivedAt = Now, ExpiresAt = Now + TimeSpan.FromSeconds(3600),
    };

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Written_IsReadAgain_InTheSameLayout(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        AuthFile before = Read(type, text);
        AuthFile after = Read(type, Apply(type, text, Grant));
        Assert.Same(before.Layout, after.Layout);
        Assert.Equal(("at-fake-new", "rt-fake-new"), (after.AccessToken, after.RefreshToken));
        if (before.Layout != AuthLayout.CodexOfficial) Assert.Equal(Grant.ExpiresAt, after.ExpiresAt);
        Assert.Equal(before with { AccessToken = "", RefreshToken = "", ExpiresAt = null, Root = [] }, after with { AccessToken = "", RefreshToken = "", ExpiresAt = null, Root = [] });
    }

    /// <summary>Takes the old values for the new in the new text: what is left must be the old text, to the byte.</summary>
    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Written_NothingElseChanges(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        JsonNode before = JsonNode.Parse(text)!;
        var back = new List<JsonEdit>();
        byte[] written = Encoding.UTF8.GetBytes(Apply(type, text, Grant));
        Compare(before, JsonNode.Parse(written)!, [], back);
        Assert.NotEmpty(back);
        Assert.Equal(text, Encoding.UTF8.GetString(JsonSplice.Apply(written, back)).Replace(",\"last_refresh\":\"-\"", "").Replace(",\n\"last_refresh\":\"-\"", ""));
    }

    [Fact]
    public void Codex_Official() => Assert.Equal(
        Sample.CodexOfficial.Replace(Sample.CodexAccess, "at-fake-new").Replace(Sample.Refresh, "rt-fake-new").Replace("2026-01-01T00:00:00.123456Z", "2026-02-03T04:05:06.000000Z"),
        Apply("codex", Sample.CodexOfficial, Grant));

    [Fact]
    public void Claude_Official_MillisecondsAndScopesAndOtherLogins() => Assert.Equal(
        Sample.ClaudeOfficial.Replace(Sample.Access, "at-fake-new").Replace(Sample.Refresh, "rt-fake-new").Replace("1767229200000", "1770095106000"),
        Apply("claudecode", Sample.ClaudeOfficial, Grant with { Scope = "user:profile user:inference" }));

    [Fact]
    public void Claude_Official_SecondsStaySeconds() =>
        Assert.Contains("1770095106,", Apply("claudecode", Sample.ClaudeOfficial.Replace("1767229200000", "1767229200"), Grant));

    [Fact]
    public void Claude_Official_NewScopeIsAdded_NoneIsDropped() =>
        Assert.Contains("""["user:inference", "user:profile", "user:new"]""", Apply("claudecode", Sample.ClaudeOfficial, Grant with { Scope = "user:new user:profile" }));

    [Fact]
    public void Antigravity_Official_NanosecondsOffsetAndCopy() => Assert.Equal(
        Sample.AntigravityOfficial.Replace(Sample.Access, "at-fake-new")
            .Replace("2026-01-01T03:00:00.123456789+02:00", "2026-02-03T07:05:06.000000000+02:00").Replace("2026-01-01T01:00:00Z", "2026-02-03T05:05:06Z"),
        Apply("antigravity", Sample.AntigravityOfficial, Grant with { RefreshToken = null }));

    [Fact]
    public void Antigravity_Flat_LifetimeAndTimestamp()
    {
        string text = Apply("antigravity", Sample.AntigravityFlat, Grant);
        Assert.Contains("\"expires_in\": 3600, \"timestamp\": 1770091506000", text);
        Assert.Contains("\"expired\": \"2026-02-03T05:05:06Z\"", text);
    }

    [Fact]
    public void Gemini_Official_ExtrasOnlyWhereReturned()
    {
        Assert.DoesNotContain("new-scope", Apply("geminicli", Sample.GeminiOfficial, Grant));
        string text = Apply("geminicli", Sample.GeminiOfficial, Grant with { Scope = "new-scope", IdToken = "id-new", TokenType = "Bearer" });
        Assert.Contains("\"scope\": \"new-scope\"", text);
        Assert.Contains("\"id_token\": \"id-new\"", text);
        Assert.Contains("\"expiry_date\": 1770095106000 }", text);
    }

    [Fact]
    public void Kiro_ProfileOnlyWhereReturned()
    {
        Assert.DoesNotContain("profileArn", Apply("kiro", Sample.KiroBuilder, Grant));
        Assert.Contains("profile/NEW", Apply("kiro", Sample.KiroSocial, Grant with { ProfileArn = "profile/NEW" }));
    }

    [Fact]
    public void Kiro_List_OnlyTheUsedEntry()
    {
        string text = Apply("kiro", Sample.KiroList, Grant);
        Assert.Contains("rt-fake-second", text);
        Assert.Contains("rt-fake-third", text);
        Assert.DoesNotContain(Sample.Refresh, text);
    }

    [Fact]
    public void Mark_IsNotWritten() => Assert.StartsWith("{", Apply("claudecode", "\uFEFF" + Sample.ClaudeFlat, Grant));

    [Fact]
    public void GoogleUser_HasNoPlace_SameBytes() => Assert.Equal(Sample.GoogleUser, Apply("geminicli", Sample.GoogleUser, Grant with { RefreshToken = null }));

    [Fact]
    public void Project_WhereTheLayoutHasOne()
    {
        AuthFile file = Read("antigravity", Sample.AntigravityFlat);
        Assert.Equal(Sample.AntigravityFlat.Replace("p-1", "p-9"), Encoding.UTF8.GetString(AuthFileEdit.ApplyProject(Encoding.UTF8.GetBytes(Sample.AntigravityFlat), file, "p-9")!));
        Assert.Null(AuthFileEdit.ApplyProject(Encoding.UTF8.GetBytes(Sample.AntigravityOfficial), Read("antigravity", Sample.AntigravityOfficial), "p-9"));
    }

    private static void Compare(JsonNode? before, JsonNode? after, string[] path, List<JsonEdit> back)
    {
        switch (after)
        {
            case JsonObject members when before is JsonObject old:
                foreach ((string name, JsonNode? value) in members)
                {
                    if (!old.ContainsKey(name)) back.Add(JsonEdit.Text([.. path, name], "-"));
                    else Compare(old[name], value, [.. path, name], back);
                }

                break;
            case JsonArray items when before is JsonArray old && items.Count == old.Count:
                for (int index = 0; index < items.Count; index++) Compare(old[index], items[index], [.. path, index.ToString()], back);
                break;
            default:
                if (before?.ToJsonString(Plain) != after?.ToJsonString(Plain)) back.Add(JsonEdit.Json(path, before?.ToJsonString(Plain) ?? "null"));
                break;
        }
    }

    private static string Apply(string type, string text, TokenGrant grant)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Encoding.UTF8.GetString(AuthFileEdit.Apply(bytes, AuthFileReader.Read(type, bytes).File!, grant));
    }

    private static AuthFile Read(string type, string text) => AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text)).File!;
}
