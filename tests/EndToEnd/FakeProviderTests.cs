using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The fake itself: what it hands out, and what it refuses.</summary>
public sealed class FakeProviderTests
{
    public static TheoryData<string, FakeProviderLayout, string> Files() => new()
    {
        { "codex", FakeProviderLayout.Official, "" }, { "codex", FakeProviderLayout.CliProxy, "" },
        { "claudecode", FakeProviderLayout.Official, "" }, { "claudecode", FakeProviderLayout.CliProxy, "" }, { "claudecode", FakeProviderLayout.SetupToken, "" },
        { "geminicli", FakeProviderLayout.Official, "" }, { "geminicli", FakeProviderLayout.CliProxy, "" }, { "geminicli", FakeProviderLayout.Flat, "" }, { "geminicli", FakeProviderLayout.AuthorizedUser, "" },
        { "antigravity", FakeProviderLayout.Official, "" }, { "antigravity", FakeProviderLayout.CliProxy, "" }, { "antigravity", FakeProviderLayout.Flat, "" },
        { "kiro", FakeProviderLayout.Official, "social" }, { "kiro", FakeProviderLayout.Official, "builder-id" }, { "kiro", FakeProviderLayout.Official, "idc" }, { "kiro", FakeProviderLayout.Official, "external_idp" },
        { "kiro", FakeProviderLayout.KiroRs, "idc" }, { "kiro", FakeProviderLayout.GoAiproxy, "social" },
        { "kiro", FakeProviderLayout.CliProxy, "social" }, { "kiro", FakeProviderLayout.CliProxy, "builder-id" }, { "kiro", FakeProviderLayout.CliProxy, "idc" }, { "kiro", FakeProviderLayout.CliProxy, "external_idp" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task AuthFile_IsJsonWithTokensThatWork(string type, FakeProviderLayout layout, string method)
    {
        await using var provider = FakeProvider.Start();
        using var folder = new TempFolder();
        var signIn = provider.WriteAuthFile(type, folder.Path, layout, method: method);
        var text = await File.ReadAllTextAsync(signIn.Path);
        Assert.True(JsonLook.IsJson(text), text);
        Assert.Contains(layout == FakeProviderLayout.SetupToken ? signIn.AccessToken : signIn.RefreshToken, text);
        if (layout != FakeProviderLayout.AuthorizedUser) Assert.Contains(signIn.AccessToken, text);
        Assert.True(provider.Accepts(signIn.AccessToken));
        provider.Ledger.ExpireAccessTokens();
        Assert.False(provider.Accepts(signIn.AccessToken));
        Assert.False(provider.Accepts(provider.WriteAuthFile(type, folder.Path, layout, TimeSpan.FromSeconds(-5), method).AccessToken));
    }

    [Theory]
    [InlineData("codex", "json", "{\"client_id\":\"fake-client-codex\",\"grant_type\":\"refresh_token\",\"refresh_token\":\"@\"}", 401, "refresh_token_reused")]
    [InlineData("claudecode", "json", "{\"client_id\":\"fake-client-claudecode\",\"grant_type\":\"refresh_token\",\"refresh_token\":\"@\"}", 400, "invalid_grant")]
    [InlineData("kiro", "json", "{\"refreshToken\":\"@\"}", 401, "Invalid refresh token")]
    public async Task RotatedToken_WorksOnce(string type, string encoding, string body, int status, string error)
    {
        await using var provider = FakeProvider.Start();
        var grant = provider.Issue(type);
        var (first, token) = (grant.AccessToken, grant.RefreshToken);
        Assert.Equal(200, (await PostAsync(provider.TokenUrl(type), encoding, body.Replace("@", token))).Status);
        Assert.True(provider.Accepts(first) && provider.Accepts(grant.AccessToken) && first != grant.AccessToken);
        var again = await PostAsync(provider.TokenUrl(type), encoding, body.Replace("@", token));
        Assert.Equal(status, again.Status);
        Assert.Contains(error, again.Text);
        Assert.Equal(200, (await PostAsync(provider.TokenUrl(type), encoding, body.Replace("@", grant.RefreshToken))).Status);
        Assert.Equal((2, 3), (provider.Refreshes, provider.TokenCalls));
    }

    [Theory]
    [InlineData("geminicli", "json", "{}", 400, "invalid_request")]
    [InlineData("geminicli", "form", "client_id=fake-client-geminicli&grant_type=refresh_token&refresh_token=@", 400, "client_secret is missing")]
    [InlineData("antigravity", "form", "client_id=other&client_secret=FAKE-client-secret&grant_type=refresh_token&refresh_token=@", 401, "invalid_client")]
    [InlineData("claudecode", "form", "client_id=fake-client-claudecode&grant_type=refresh_token&refresh_token=@", 400, "Invalid request format")]
    [InlineData("codex", "json", "{\"client_id\":\"other\",\"grant_type\":\"refresh_token\",\"refresh_token\":\"@\"}", 401, "invalid_client")]
    [InlineData("kiro", "form", "refreshToken=@", 400, "Invalid request body")]
    public async Task WrongEncodingOrClient_IsRefused(string type, string encoding, string body, int status, string error)
    {
        await using var provider = FakeProvider.Start();
        var reply = await PostAsync(provider.TokenUrl(type), encoding, body.Replace("@", Uri.EscapeDataString(provider.Issue(type).RefreshToken)));
        Assert.Equal(status, reply.Status);
        Assert.Contains(error, reply.Text);
        Assert.Equal(0, provider.Refreshes);
    }

    [Fact]
    public async Task GoogleRefresh_KeepsTheToken()
    {
        await using var provider = FakeProvider.Start();
        var grant = provider.Issue("geminicli");
        var body = $"client_id=fake-client-geminicli&client_secret=FAKE-client-secret&grant_type=refresh_token&refresh_token={Uri.EscapeDataString(grant.RefreshToken)}";
        for (var i = 0; i < 2; i++)
        {
            var reply = await PostAsync(provider.TokenUrl("geminicli"), "form", body);
            Assert.Equal(200, reply.Status);
            Assert.Null(JsonLook.Text(reply.Text, "refresh_token"));
        }
    }

    [Fact]
    public async Task TokenFaults_ComeInTheirOrderAndEnd()
    {
        await using var provider = FakeProvider.Start();
        var grant = provider.Issue("kiro");
        string Body() => $$"""{"refreshToken":"{{grant.RefreshToken}}"}""";
        provider.FailTokens(1, FakeProvider.TooMany("7"));
        provider.FailTokens(1, FakeProvider.Html(503), "kiro");
        provider.LoseTokens(1);
        Assert.Equal(429, (await PostAsync(provider.TokenUrl("kiro"), "json", Body())).Status);
        Assert.Equal(503, (await PostAsync(provider.TokenUrl("kiro"), "json", Body())).Status);
        Assert.Equal(0, provider.Refreshes);
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(provider.TokenUrl("kiro"), "json", Body()));
        Assert.Equal(1, provider.Refreshes);
        Assert.Equal(200, (await PostAsync(provider.TokenUrl("kiro"), "json", Body())).Status);
        Assert.Empty(provider.Faults);
    }

    [Fact]
    public async Task AccountCalls_WantATokenOfTheirType()
    {
        await using var provider = FakeProvider.Start();
        var codex = provider.Issue("codex");
        Assert.Equal(401, await GetAsync(provider.BaseUrl("codex") + "/models?client_version=1", codex.AccessToken));
        Assert.Equal(200, await GetAsync(provider.BaseUrl("codex") + "/models?client_version=1", codex.AccessToken, ("ChatGPT-Account-ID", codex.Account.AccountId)));
        Assert.Equal(401, await GetAsync(provider.BaseUrl("claudecode") + "/v1/models", provider.Issue("claudecode").AccessToken));
        Assert.Equal(200, await GetAsync(provider.BaseUrl("claudecode") + "/v1/models", provider.Issue("claudecode").AccessToken, ("anthropic-beta", "a, oauth-2025-04-20")));
        Assert.Equal(403, await GetAsync(provider.BaseUrl("kiro") + "/getUsageLimits", codex.AccessToken));
        Assert.Equal(404, await GetAsync(provider.BaseUrl("kiro") + "/nothing", codex.AccessToken));
        Assert.Equal(6, provider.Requests.Count);
    }

    private static async Task<(int Status, string Text)> PostAsync(string url, string encoding, string body)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var content = new StringContent(body, Encoding.UTF8, encoding == "json" ? "application/json" : "application/x-www-form-urlencoded");
        using var answer = await client.PostAsync(url, content);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<int> GetAsync(string url, string bearer, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var message = new HttpRequestMessage(HttpMethod.Get, url);
        message.Headers.Add("Authorization", "Bearer " + bearer);
        foreach (var (name, value) in headers) message.Headers.Add(name, value);
        using var answer = await client.SendAsync(message);
        return (int)answer.StatusCode;
    }
}
