using System.Text;
using Aiproxy.OAuthCache;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.OAuthCache;

public sealed class AuthFileReaderTests
{
    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Sample_TokensAndExpiryAreRead(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        AuthFile file = Read(type, text);
        Assert.Equal(type, file.Layout.Type);
        Assert.Equal(type == "codex" ? Sample.CodexAccess : Sample.Access, file.AccessToken);
        Assert.Equal(Sample.Refresh, file.RefreshToken);
        Assert.Equal(Sample.Expiry, file.ExpiresAt!.Value, TimeSpan.FromSeconds(1));
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void ByteOrderMark_IsPassedOver(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        Assert.Equal(Read(type, text).AccessToken, Read(type, "\uFEFF" + text).AccessToken);
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void BrokenOff_IsIncomplete(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        text = text.TrimEnd();
        for (int length = 0; length < text.Length; length++)
        {
            AuthReading reading = AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text[..length]));
            Assert.Null(reading.File);
            Assert.True(reading.IsIncomplete, text[..length]);
        }
    }

    [Theory]
    [InlineData(nameof(Sample.CodexOfficial), "claudecode")]
    [InlineData(nameof(Sample.ClaudeOfficial), "codex")]
    [InlineData(nameof(Sample.ClaudeFlat), "kiro")]
    [InlineData(nameof(Sample.GeminiNested), "antigravity")]
    [InlineData(nameof(Sample.GeminiOfficial), "codex")]
    [InlineData(nameof(Sample.AntigravityOfficial), "geminicli")]
    [InlineData(nameof(Sample.KiroSocial), "claudecode")]
    [InlineData(nameof(Sample.KiroList), "codex")]
    public void OtherType_IsNamedTogetherWithTheFilesOwn(string name, string configured)
    {
        (_, string type, string text) = Sample.Of(name);
        AuthReading reading = AuthFileReader.Read(configured, Encoding.UTF8.GetBytes(text));
        Assert.Null(reading.File);
        Assert.Contains($"for {type} ", reading.Problem);
        Assert.Contains($"api_type {configured}", reading.Problem);
    }

    [Fact]
    public void Codex_ClaimsFillTheAccount()
    {
        AuthFile file = Read("codex", Sample.CodexOfficial.Replace("\"account_id\": \"acc-1\"", "\"account_id\": null"));
        Assert.Equal(("acc-1", "plus", "me@example.com", true), (file.AccountId, file.Plan, file.Email, file.IsFedRamp));
    }

    [Fact]
    public void Codex_AccessTokenThatIsNoJwt_LivesEightDaysFromTheLastRefresh()
    {
        AuthFile file = Read("codex", """{"tokens":{"access_token":"at-fake","account_id":"a","refresh_token":"rt-fake"},"last_refresh":"2026-01-01T00:00:00Z"}""");
        Assert.Equal(new DateTimeOffset(2026, 1, 9, 0, 0, 0, TimeSpan.Zero), file.ExpiresAt);
    }

    [Fact]
    public void Codex_ClaimWinsOverTheExpiryOfTheFile() =>
        Assert.Equal(Sample.Expiry, Read("codex", Sample.CodexFlat.Replace("T01:00:00Z", "T05:00:00Z")).ExpiresAt);

    [Theory]
    [InlineData("""{"OPENAI_API_KEY":"sk-fake"}""")]
    [InlineData("""{"OPENAI_API_KEY":"sk-fake","tokens":null}""")]
    [InlineData("""{"OPENAI_API_KEY":"sk-fake","type":"codex","access_token":"at-fake"}""")]
    public void ApiKeyOnly_SaysResponses(string text)
    {
        AuthReading reading = AuthFileReader.Read("codex", Encoding.UTF8.GetBytes(text));
        Assert.Contains("responses", reading.Problem);
        Assert.DoesNotContain("sk-fake", reading.Problem);
    }

    [Fact]
    public void ApiKeyMode_SaysResponses_TokensOrNot() =>
        Assert.Contains("responses", AuthFileReader.Read("codex", Encoding.UTF8.GetBytes(Sample.CodexOfficial.Replace("chatgpt\"", "apikey\""))).Problem);

    [Fact]
    public void ApiKeyBesideTokens_IsASignIn() =>
        Assert.Same(AuthLayout.CodexOfficial, Read("codex", Sample.CodexOfficial.Replace("\"OPENAI_API_KEY\": null", "\"OPENAI_API_KEY\": \"sk-fake\"")).Layout);

    [Fact]
    public void SetupToken_HasNoRefresh()
    {
        AuthFile file = Read("claudecode", """{"access_token":" sk-ant-oat01-FAKE\n"}""");
        Assert.Equal(("sk-ant-oat01-FAKE", null, null), (file.AccessToken, file.RefreshToken, file.ExpiresAt));
        Assert.Same(AuthLayout.ClaudeFlat, file.Layout);
    }

    [Fact]
    public void GeminiFile_AlsoServesAntigravity() => Assert.Equal("antigravity", Read("antigravity", Sample.GeminiOfficial).Layout.Type);

    [Fact]
    public void GoogleUser_HasNoAccessToken()
    {
        AuthFile file = Read("geminicli", Sample.GoogleUser);
        Assert.Equal(("", Sample.Refresh, "id-fake", "secret-fake"), (file.AccessToken, file.RefreshToken, file.ClientId, file.ClientSecret));
    }

    [Fact]
    public void Project_FirstOfAList_AllIsNone()
    {
        Assert.Equal("p-1", Read("geminicli", Sample.GeminiNested).ProjectId);
        Assert.Null(Read("geminicli", Sample.GeminiFlat).ProjectId);
        AuthFile file = Read("antigravity", Sample.AntigravityFlat);
        Assert.Equal(("p-1", "https://host.example"), (file.ProjectId, file.BaseUrl));
    }

    [Fact]
    public void Lifetime_CountsFromItsTimestamp() =>
        Assert.Equal(Sample.Expiry - TimeSpan.FromSeconds(1), Read("antigravity", Sample.AntigravityFlat.Replace("\"expired\"", "\"x\"")).ExpiresAt);

    [Theory]
    [InlineData("social", null, KiroMethod.Social)]
    [InlineData("Google", null, KiroMethod.Social)]
    [InlineData("GITHUB", null, KiroMethod.Social)]
    [InlineData("IdC", "BuilderId", KiroMethod.BuilderId)]
    [InlineData("idc", "Enterprise", KiroMethod.IdentityCenter)]
    [InlineData("builder-id", null, KiroMethod.BuilderId)]
    [InlineData("External_IdP", null, KiroMethod.ExternalIdp)]
    public void KiroMethod_IsRead(string method, string? provider, KiroMethod expected)
    {
        string text = $$"""{"accessToken":"a","refreshToken":"r","authMethod":"{{method}}"{{(provider is null ? "" : $",\"provider\":\"{provider}\"")}}}""";
        Assert.Equal(expected, Read("kiro", text).Kiro!.Method);
    }

    [Theory]
    [InlineData(""" "clientIdHash":"0123456789abcdef" """, KiroMethod.IdentityCenter)]
    [InlineData(""" "clientId":"i","clientSecret":"s","startUrl":"https://view.awsapps.com/start" """, KiroMethod.BuilderId)]
    [InlineData(""" "tokenEndpoint":"https://h/t" """, KiroMethod.ExternalIdp)]
    [InlineData(""" "x":1 """, KiroMethod.Social)]
    public void KiroMethod_NotTold_FollowsFromTheRest(string members, KiroMethod expected) =>
        Assert.Equal(expected, Read("kiro", $$"""{"accessToken":"a","refreshToken":"r",{{members}}}""").Kiro!.Method);

    [Fact]
    public void KiroKey_NeverRefreshes()
    {
        foreach (string text in new[] { """{"type":"kiro","api_key":"ksk_FAKE"}""", """{"type":"kiro","access_token":"ksk_FAKE","refresh_token":"r"}""" })
        {
            AuthFile file = Read("kiro", text);
            Assert.Equal(("ksk_FAKE", null, KiroMethod.ApiKey), (file.AccessToken, file.RefreshToken, file.Kiro!.Method));
        }
    }

    [Fact]
    public void KiroList_TakesTheFirstByPriorityThatIsNotDisabled()
    {
        AuthFile file = Read("kiro", Sample.KiroList);
        Assert.Equal((2, "us-east-1", "eu-west-1", "m"), (file.Unused, file.Kiro!.ApiRegion, file.Kiro.Region, file.Kiro.MachineId));
        Assert.Equal(["1"], file.Root);
    }

    [Theory]
    [InlineData("""{"claudeAiOauth":{"accessToken":"","refreshToken":""}}""")]
    [InlineData("""{"claudeAiOauth":{}}""")]
    public void Cleared_SaysLogin(string text) => Assert.Contains("aiproxy login claudecode", AuthFileReader.Read("claudecode", Encoding.UTF8.GetBytes(text)).Problem);

    [Theory]
    [InlineData("3")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[1,{}]")]
    [InlineData("""{"access_token":7}""")]
    [InlineData("""{"access_token":"two words","refresh_token":"r"}""")]
    [InlineData("""{"access_token":"\ud800","refresh_token":"r"}""")]
    [InlineData("""{"access_token":"line\nbreak","refresh_token":"r"}""")]
    [InlineData("""{"tokens":{"access_token":null,"id_token":"a"}}""")]
    public void SomethingElse_IsAProblemAndNotAnException(string text)
    {
        AuthReading reading = AuthFileReader.Read("codex", Encoding.UTF8.GetBytes(text));
        Assert.Null(reading.File);
        Assert.NotEmpty(reading.Problem!);
    }

    [Fact]
    public void AnyDamage_NeverThrows_AndWhatIsReadCanBeWritten()
    {
        string[] pieces = ["1e999", "253402300799000", "9999-12-31T23:59:59Z", "\"\\ud800\"", "null", "{}", "[", "]", "\"", "\0", "-1", ",", ":", "true", "\uFEFF"];
        Gen<(int, int, int, string)> damage =
            from sample in Gen.Choose(0, Sample.All.Length - 1)
            from at in Gen.Choose(0, 999)
            from length in Gen.Choose(0, 12)
            from piece in Gen.Elements(pieces)
            select (sample, at, length, piece);
        var grant = new TokenGrant { AccessToken = "at-fake-new", RefreshToken = "rt-fake-new", ReceivedAt = Sample.Expiry, ExpiresAt = Sample.Expiry };
        Prop.ForAll(damage.ToArbitrary(), damaged =>
        {
            (_, string type, string text) = Sample.All[damaged.Item1];
            int start = text.Length * damaged.Item2 / 1000;
            byte[] bytes = Encoding.UTF8.GetBytes(text.Remove(start, Math.Min(damaged.Item3, text.Length - start)).Insert(start, damaged.Item4));
            if (AuthFileReader.Read(type, bytes) is not { File: { } file }) return true;
            AuthFile? written = AuthFileReader.Read(type, AuthFileEdit.Apply(bytes, file, grant)).File;
            return written?.AccessToken == "at-fake-new" && written.RefreshToken is "rt-fake-new" or null;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void Repeated_TheLastCounts() => Assert.Equal("b", Read("codex", """{"access_token":"a","access_token":"b"}""").AccessToken);

    private static AuthFile Read(string type, string text)
    {
        AuthReading reading = AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text));
        Assert.True(reading.File is not null, reading.Problem);
        return reading.File;
    }
}
