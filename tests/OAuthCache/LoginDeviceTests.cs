using Aiproxy.OAuthCache;
using Aiproxy.Tests.Upstreams;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>Sign-ins with a device code, from the first call to the grant.</summary>
public sealed class LoginDeviceTests
{
    private const string Tokens = """{"access_token":"at-fake","refresh_token":"rt-fake","expires_in":864000}""";
    private const string Registered = """{"clientId":"c-fake","clientSecret":"s-fake","clientSecretExpiresAt":1}""";
    private const string Asked = """{"deviceCode":"d-fake","userCode":"ABCD-EFGH","verificationUri":"https://device.example.com/","verificationUriComplete":"https://device.example.com/?user_code=ABCD-EFGH","expiresIn":60,"interval":2}""";
    private const string KiroTokens = """{"accessToken":"aoa-fake","refreshToken":"aor-fake","expiresIn":3600}""";
    private const string Usage = """{"subscriptionInfo":{"subscriptionTitle":"KIRO FREE"},"userInfo":{"email":"me@example.com"}}""";

    private readonly FakeClock _clock = new();
    private readonly ScriptedHandler _script = new();
    private readonly FakeScreen _screen = new();

    [Fact]
    public async Task Codex_PollsAtTheToldIntervalAndExchangesTheServersVerifier()
    {
        _script.Answers(200, """{"device_auth_id":"id-fake","usercode":"WXYZ","interval":"7"}""")
            .Answers(403, "{}").Answers(404, "{}").Answers(502, "<html>").Answers(200, """{"authorization_code":"code-fake","code_challenge":"x","code_verifier":"v-fake"}""").Answers(200, Tokens);
        DateTimeOffset start = _clock.Now;
        LoginGrant grant = (await SignInAsync(Codex())).Value!;
        Assert.Equal(28, (_clock.Now - start).TotalSeconds);
        Assert.Equal("""{"device_auth_id":"id-fake","user_code":"WXYZ"}""", _script.Bodies[1]);
        Assert.Equal(
            "grant_type=authorization_code&code=code-fake&redirect_uri=https%3A%2F%2Fauth.openai.com%2Fdeviceauth%2Fcallback&client_id=c-codex&code_verifier=v-fake", _script.Bodies[^1]);
        Assert.Equal("https://auth.openai.com/codex/device", _screen.Page!.AbsoluteUri);
        Assert.Contains("code: WXYZ", _screen.Lines);
        Assert.Equal(_clock.Now + TimeSpan.FromSeconds(864000), grant.ExpiresAt);
        // No public client id of the provider's: the file must name it.
        Assert.Equal("c-codex", (string?)grant.File["client_id"]);
    }

    [Fact]
    public async Task CodexWithoutDeviceSignIn_IsToldWhatToDo()
    {
        _script.Answers(404, "{}");
        Assert.Contains("security settings", (await SignInAsync(Codex())).Problem!.Line);
    }

    [Fact]
    public async Task Codex_EndsAfterFifteenMinutes()
    {
        _script.Answers(200, """{"device_auth_id":"id-fake","user_code":"WXYZ","interval":"60"}""");
        for (int i = 0; i < 15; i++) _script.Answers(403, "{}");
        Assert.Contains("nobody typed the code", (await SignInAsync(Codex())).Problem!.Line);
        Assert.Equal(0, _script.Left);
    }

    [Fact]
    public async Task BuilderId_RegistersPollsAndNamesNoProfile()
    {
        _script.Answers(200, Registered).Answers(200, Asked)
            .Answers(400, """{"error":"authorization_pending"}""").Answers(400, """{"error":"slow_down"}""").Answers(200, KiroTokens).Answers(200, Usage);
        DateTimeOffset start = _clock.Now;
        LoginGrant grant = (await SignInAsync(Kiro())).Value!;
        Assert.Equal(2 + 2 + 7, (_clock.Now - start).TotalSeconds);
        Assert.All(_script.Addresses[..5], address => Assert.Equal("oidc.us-east-1.amazonaws.com", address.Host));
        Assert.Equal(
            """{"clientName":"aiproxy","clientType":"public","scopes":["codewhisperer:completions","codewhisperer:analysis","codewhisperer:conversations","codewhisperer:transformations","codewhisperer:taskassist"],"grantTypes":["urn:ietf:params:oauth:grant-type:device_code","refresh_token"],"issuerUrl":"https://view.awsapps.com/start"}""",
            _script.Bodies[0]);
        Assert.Equal("""{"clientId":"c-fake","clientSecret":"s-fake","startUrl":"https://view.awsapps.com/start"}""", _script.Bodies[1]);
        Assert.Equal("""{"clientId":"c-fake","clientSecret":"s-fake","deviceCode":"d-fake","grantType":"urn:ietf:params:oauth:grant-type:device_code"}""", _script.Bodies[2]);
        Assert.Equal("https://q.us-east-1.amazonaws.com/getUsageLimits?origin=AI_EDITOR&resourceType=AGENTIC_REQUEST&isEmailRequired=true", _script.Addresses[5].AbsoluteUri);
        Assert.Equal("https://device.example.com/?user_code=ABCD-EFGH", _screen.Page!.AbsoluteUri);
        Assert.Equal(("me@example.com", "KIRO FREE", "builder-id"), (grant.Email, grant.Plan, grant.Kind));
        Assert.Null(grant.File["profile_arn"]);
    }

    [Theory]
    [InlineData("expired_token", "expired")]
    [InlineData("access_denied", "access_denied")]
    [InlineData("invalid_client", "400 invalid_client")]
    public async Task Kiro_EndsAtARefusal(string error, string words)
    {
        _script.Answers(200, Registered).Answers(200, Asked).Answers(400, $$"""{"error":"{{error}}"}""");
        Assert.Contains(words, (await SignInAsync(Kiro())).Problem!.Line);
    }

    [Fact]
    public async Task Kiro_EndsWithTheToldTime()
    {
        _script.Answers(200, Registered).Answers(200, Asked);
        for (int i = 0; i < 30; i++) _script.Answers(400, """{"error":"authorization_pending"}""");
        Assert.Contains("nobody confirmed", (await SignInAsync(Kiro())).Problem!.Line);
        Assert.Equal(0, _script.Left);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://device.example.com/")]
    [InlineData("--help")]
    public async Task PageOfAnotherKind_IsNeverOpened(string page)
    {
        _script.Answers(200, Registered).Answers(200, $$"""{"deviceCode":"d","userCode":"u","verificationUri":"{{page}}","expiresIn":60,"interval":1}""");
        Assert.NotNull((await SignInAsync(Kiro())).Problem);
        Assert.Null(_screen.Page);
    }

    [Fact]
    public async Task Organisation_ChoosesAmongItsProfiles()
    {
        const string east = "arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE1", central = "arn:aws:codewhisperer:eu-central-1:000000000000:profile/FAKE2";
        _script.Answers(200, Registered).Answers(200, Asked).Answers(200, KiroTokens)
            .Answers(200, $$"""{"profiles":[{"arn":"{{east}}","profileName":"One"}],"nextToken":"n"}""").Answers(200, """{"profiles":[]}""")
            .Answers(200, $$"""{"profiles":[{"arn":"{{central}}","profileName":"Two"},{"arn":"{{east}}"}]}""").Answers(500, "{}");
        _screen.Type("3");
        _screen.Type("two");
        _screen.Type(" 2 ");
        LoginGrant grant = (await SignInAsync(Kiro() with { StartUrl = "https://fake.awsapps.com/start", Region = "eu-west-1" })).Value!;
        Assert.Equal("oidc.eu-west-1.amazonaws.com", _script.Addresses[0].Host);
        Assert.Equal("""{"maxResults":10,"nextToken":"n"}""", _script.Bodies[4]);
        Assert.Equal("AmazonCodeWhispererService.ListAvailableProfiles", _script.Headers[4]["x-amz-target"]);
        Assert.Equal("application/x-amz-json-1.0", _script.Headers[4]["content-type"]);
        Assert.Equal("q.eu-central-1.amazonaws.com", _script.Addresses[^1].Host);
        Assert.Equal(
            ("idc", central, "eu-central-1", "eu-west-1", "https://fake.awsapps.com/start", null),
            ((string?)grant.File["auth_method"], (string?)grant.File["profile_arn"], (string?)grant.File["api_region"], (string?)grant.File["region"], (string?)grant.File["start_url"], grant.Email));
    }

    [Fact]
    public async Task OrganisationWithoutProfile_IsToldSo()
    {
        _script.Answers(200, Registered).Answers(200, Asked).Answers(200, KiroTokens).Answers(200, """{"profiles":[]}""").Answers(200, "{}");
        Assert.Contains("no Kiro profile", (await SignInAsync(Kiro() with { StartUrl = "https://fake.awsapps.com/start" })).Problem!.Line);
    }

    private static LoginRequest Codex() => new() { Facts = LoginFacts.Of("codex")!, Way = LoginWay.Device, ClientId = "c-codex" };

    private static LoginRequest Kiro() => new() { Facts = LoginFacts.Of("kiro")!, Way = LoginWay.Device };

    private async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request)
    {
        var http = new LoginHttp(new HttpMessageInvoker(_script), _clock, "aiproxy/test");
        Task<LoginStep<LoginGrant>> running = new LoginFlow(http, _screen.Screen, null).SignInAsync(request, CancellationToken.None);
        while (!running.IsCompleted)
        {
            if (_clock.PendingTimers > 0) _clock.Advance(TimeSpan.FromSeconds(1));
            else await Task.Yield();
        }
        return await running;
    }
}
