using System.Text;
using Aiproxy.OAuthCache;
using Aiproxy.Tests.Config;

namespace Aiproxy.Tests.OAuthCache;

public sealed class RefreshPlanTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(nameof(Sample.CodexOfficial), "https://auth.openai.com/oauth/token",
        """{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_token":"rt-fake-old"}""")]
    [InlineData(nameof(Sample.ClaudeOfficial), "https://platform.claude.com/v1/oauth/token",
        """{"grant_type":"refresh_token","refresh_token":"rt-fake-old","client_id":"9d1c250a-e61b-44d9-88ed-5944d1962f5e"}""")]
    [InlineData(nameof(Sample.GeminiNested), "https://oauth2.googleapis.com/token",
        "client_id=id-fake&client_secret=secret-fake&refresh_token=rt-fake-old&grant_type=refresh_token")]
    [InlineData(nameof(Sample.KiroSocial), "https://prod.us-east-1.auth.desktop.kiro.dev/refreshToken", """{"refreshToken":"rt-fake-old"}""")]
    [InlineData(nameof(Sample.KiroFlat), "https://oidc.us-east-1.amazonaws.com/token",
        """{"clientId":"id-fake","clientSecret":"secret-fake","refreshToken":"rt-fake-old","grantType":"refresh_token"}""")]
    [InlineData(nameof(Sample.KiroList), "https://oidc.eu-west-1.amazonaws.com/token",
        """{"clientId":"id-fake","clientSecret":"secret-fake","refreshToken":"rt-fake-old","grantType":"refresh_token"}""")]
    [InlineData(nameof(Sample.KiroExternal), "https://login.microsoftonline.com/t/oauth2/v2.0/token",
        "grant_type=refresh_token&client_id=id%20fake&refresh_token=rt-fake-old&scope=a%20offline_access")]
    public void Request_HasTheProvidersEncoding(string name, string url, string body)
    {
        RefreshRequest request = Make(name).Request!;
        Assert.Equal(url, request.Url.AbsoluteUri);
        Assert.Equal(body, Encoding.UTF8.GetString(request.Body));
        Assert.Equal(body.StartsWith('{') ? "application/json" : "application/x-www-form-urlencoded", request.ContentType);
        Assert.DoesNotContain("fake", request.ToString());
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void TokenUrl_OfTheConfiguration_WinsOverAll(string name)
    {
        Write("0123456789abcdef0123456789abcdef01234567", "id-fake");
        Assert.Equal("http://127.0.0.1:9/x", Make(name, options => options with { TokenUrl = new Uri("http://127.0.0.1:9/x") }).Request!.Url.AbsoluteUri);
    }

    [Fact]
    public void TokenUrl_PlainHttpToAnotherHost_IsRefused() =>
        Assert.Contains("oauth.token_url", Make(nameof(Sample.CodexFlat), options => options with { TokenUrl = new Uri("http://host.example/x") }).Problem);

    [Fact]
    public void Client_FileFirst_ThenConfiguration_ThenBuiltIn_NeverMixed()
    {
        static SignInOptions Configured(SignInOptions options) => options with { ClientId = "id-mine", ClientSecret = "secret-mine" };
        Assert.Contains("client_id=id-fake&client_secret=secret-fake", Body(Make(nameof(Sample.GeminiNested), Configured)));
        Assert.Contains("client_id=id-mine&client_secret=secret-mine", Body(Make(nameof(Sample.AntigravityFlat), Configured)));
        Assert.Contains($"client_id={ProviderFacts.Antigravity.ClientId}&refresh", Body(Make(nameof(Sample.AntigravityFlat))));
        Assert.Contains(
            $"client_id={ProviderFacts.Antigravity.ClientId}&client_secret=secret-mine", Body(Make(nameof(Sample.AntigravityFlat), options => options with { ClientSecret = "secret-mine" })));
        string noSecret = Sample.GeminiNested.Replace("\"client_secret\": \"secret-fake\", ", "");
        Assert.DoesNotContain("client_secret", Body(Make("geminicli", noSecret, Configured)));
        Assert.Contains("client_secret=secret-mine", Body(Make("geminicli", noSecret, options => options with { ClientSecret = "secret-mine" })));
    }

    [Fact]
    public void Registration_IsFoundBesideTheFile()
    {
        Write("0123456789abcdef0123456789abcdef01234567", "id-registered");
        RefreshRequest request = Make(nameof(Sample.KiroBuilder)).Request!;
        Assert.Equal("https://oidc.eu-west-1.amazonaws.com/token", request.Url.AbsoluteUri);
        Assert.Contains("\"clientId\":\"id-registered\",\"clientSecret\":\"secret-registered\"", Encoding.UTF8.GetString(request.Body));
    }

    [Fact]
    public void Registration_Missing_IsNamed() => Assert.Contains("0123456789abcdef0123456789abcdef01234567.json", Make(nameof(Sample.KiroBuilder)).Problem);

    [Theory]
    [InlineData("../0123456789abcdef")]
    [InlineData("0123456")]
    [InlineData("0123456789ABCDEF")]
    [InlineData("/etc/passwd0")]
    [InlineData("01234567\\0")]
    public void Registration_HashThatIsNone_IsRefused(string hash)
    {
        Assert.False(KiroRegistration.IsHash(hash));
        string text = $$"""{"accessToken":"a","refreshToken":"r","authMethod":"IdC","clientIdHash":{{Encoding.UTF8.GetString(JsonEdit.Quote(hash))}}}""";
        (RefreshRequest? request, string? problem) = Make("kiro", text);
        Assert.Null(request);
        Assert.Contains("clientIdHash", problem);
    }

    [Theory]
    [InlineData("evil.example/x")]
    [InlineData("us-east-1.evil.example#")]
    [InlineData("us-east")]
    [InlineData("")]
    public void Region_ThatIsNone_SendsNothing(string region)
    {
        string text = Sample.KiroFlat.Replace("\"region\":\"us-east-1\"", $"\"region\":\"{region}\"");
        (RefreshRequest? request, _) = Make("kiro", text);
        // An empty one counts as missing.
        Assert.Equal(region.Length == 0 ? "oidc.us-east-1.amazonaws.com" : null, request?.Url.Host);
    }

    [Theory]
    [InlineData("http://login.microsoftonline.com/t")]
    [InlineData("https://login.microsoftonline.com.evil.example/t")]
    [InlineData("https://login.microsoftonline.com@evil.example/t")]
    [InlineData("https://user@login.microsoftonline.com/t")]
    [InlineData("https://login.microsoftonline.com:8443/t")]
    [InlineData("https://evil.example/t")]
    [InlineData("nothing")]
    public void ExternalEndpoint_OutsideTheList_IsRefused(string url)
    {
        (RefreshRequest? request, string? problem) = Make("kiro", Sample.KiroExternal.Replace("https://login.microsoftonline.com/t/oauth2/v2.0/token", url));
        Assert.Null(request);
        Assert.Contains("tokenEndpoint", problem);
    }

    [Fact]
    public void ExternalScope_NotTold_IsTheUsual() => Assert.Contains(
        "scope=api%3A%2F%2Fid%20fake%2Fcodewhisperer%3Aconversations%20api%3A%2F%2Fid%20fake%2Fcodewhisperer%3Acompletions%20offline_access",
        Body(Make("kiro", Sample.KiroExternal.Replace("\"scopes\"", "\"x\""))));

    private void Write(string hash, string clientId) => _folder.Write(hash + ".json", $$"""{"clientId":"{{clientId}}","clientSecret":"secret-registered","expiresAt":"2026-03-01T00:00:00Z"}""");

    private static string Body((RefreshRequest? Request, string? Problem) plan) => Encoding.UTF8.GetString(plan.Request!.Body);

    private (RefreshRequest? Request, string? Problem) Make(string name, Func<SignInOptions, SignInOptions>? change = null) =>
        Make(Sample.Of(name).Type, Sample.Of(name).Text, change);

    private (RefreshRequest? Request, string? Problem) Make(string type, string text, Func<SignInOptions, SignInOptions>? change = null)
    {
        using var client = new HttpMessageInvoker(new FakeTokenEndpoint());
        var options = new SignInOptions { Type = type, Path = _folder.At("auth.json"), Client = client };
        return new RefreshPlan(change?.Invoke(options) ?? options, FileSteps.System).Make(AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text)).File!);
    }
}
