using Aiproxy.OAuthCache;
using Aiproxy.Tests.Upstreams;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginGoogleProjectTests
{
    private const string Done = """{"name":"operations/1","done":true,"response":{"cloudaicompanionProject":{"id":"made-1"}}}""";
    private const string NotDone = """{"name":"operations/1","done":false}""";

    private readonly FakeClock _clock = new();
    private readonly ScriptedHandler _script = new();

    [Theory]
    [InlineData("geminicli", """{"currentTier":{"id":"standard-tier","name":"Standard"},"cloudaicompanionProject":"p-1"}""")]
    [InlineData("antigravity", """{"currentTier":{"id":"free-tier"},"paidTier":{"name":"Standard"},"cloudaicompanionProject":{"id":"p-1"}}""")]
    public async Task KnownAccount_NeedsOneCall(string type, string loaded)
    {
        _script.Answers(200, loaded);
        LoginProject project = (await FindAsync(type, null)).Value!;
        Assert.Equal(("p-1", "Standard"), (project.Id, project.Plan));
        Assert.Equal("https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist", _script.Addresses[0].AbsoluteUri);
        Assert.Equal("Bearer ya29.fake", _script.Headers[0]["authorization"]);
        Assert.Equal(
            type == "antigravity" ? """{"metadata":{"ideType":"ANTIGRAVITY"}}""" : """{"metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI"}}""",
            _script.Bodies[0]);
    }

    [Fact]
    public async Task ConfiguredProject_GoesAlongAndStands()
    {
        _script.Answers(200, """{"currentTier":{"id":"standard-tier"}}""");
        Assert.Equal("mine", (await FindAsync("geminicli", "mine")).Value!.Id);
        Assert.StartsWith("""{"cloudaicompanionProject":"mine","metadata":{""", _script.Bodies[0]);
        Assert.EndsWith(""","duetProject":"mine"}}""", _script.Bodies[0]);
    }

    [Fact]
    public async Task TierWithoutProject_AsksForOne()
    {
        _script.Answers(200, """{"currentTier":{"id":"standard-tier"}}""");
        Assert.Contains("--project", (await FindAsync("geminicli", null)).Problem!.Line);
    }

    [Fact]
    public async Task NewAccount_IsOnboardedByPollingItsOperation()
    {
        _script.Answers(200, """{"allowedTiers":[{"id":"a"},{"id":"free-tier","name":"Free","isDefault":true}]}""").Answers(200, NotDone).Answers(200, NotDone).Answers(200, Done);
        LoginProject project = (await FindAsync("geminicli", "mine")).Value!;
        Assert.Equal(("made-1", "Free"), (project.Id, project.Plan));
        Assert.Equal("https://cloudcode-pa.googleapis.com/v1internal:onboardUser", _script.Addresses[1].AbsoluteUri);
        Assert.StartsWith("""{"tierId":"free-tier","metadata":{""", _script.Bodies[1]);
        Assert.DoesNotContain("mine", _script.Bodies[1]);
        Assert.Equal(["https://cloudcode-pa.googleapis.com/v1internal/operations/1", "https://cloudcode-pa.googleapis.com/v1internal/operations/1"], _script.Addresses[2..].Select(address => address.AbsoluteUri));
    }

    [Fact]
    public async Task OtherTier_NamesTheProject()
    {
        _script.Answers(200, """{"allowedTiers":[{"id":"standard-tier","isDefault":true}]}""").Answers(200, """{"done":true}""");
        Assert.Equal("mine", (await FindAsync("geminicli", "mine")).Value!.Id);
        Assert.StartsWith("""{"tierId":"standard-tier","cloudaicompanionProject":"mine","metadata":{""", _script.Bodies[1]);
    }

    [Fact]
    public async Task Antigravity_AsksAgainAtTheOtherHost()
    {
        _script.Answers(200, """{"currentTier":{"id":"free-tier"}}""").Answers(200, NotDone).Answers(200, NotDone).Answers(200, Done);
        Assert.Equal("made-1", (await FindAsync("antigravity", null)).Value!.Id);
        Assert.All(_script.Addresses[1..], address => Assert.Equal("https://daily-cloudcode-pa.googleapis.com/v1internal:onboardUser", address.AbsoluteUri));
    }

    [Fact]
    public async Task EndlessOnboarding_IsGivenUp()
    {
        _script.Answers(200, "{}");
        for (int i = 0; i < 6; i++) _script.Answers(200, NotDone);
        DateTimeOffset start = _clock.Now;
        Assert.Contains("did not finish", (await FindAsync("antigravity", null)).Problem!.Line);
        Assert.Equal((10, 0), ((_clock.Now - start).TotalSeconds, _script.Left));
    }

    [Theory]
    [InlineData("""{"ineligibleTiers":[{"reasonCode":"VALIDATION_REQUIRED","validationUrl":"https://accounts.example.com/verify"}]}""", "https://accounts.example.com/verify")]
    [InlineData("""{"ineligibleTiers":[{"reasonCode":"DASHER_USER","reasonMessage":"Not for you"}]}""", "DASHER_USER: Not for you")]
    [InlineData("""{"currentTier":{"id":"t"},"ineligibleTiers":[{"reasonCode":"RESTRICTED_AGE"}]}""", "RESTRICTED_AGE")]
    public async Task IneligibleAccount_IsToldWhy(string loaded, string words)
    {
        _script.Answers(200, loaded);
        Assert.Contains(words, (await FindAsync("geminicli", null)).Problem!.Line);
    }

    [Fact]
    public async Task Perimeter_TakesTheConfiguredProject()
    {
        const string refused = """{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no","details":[{"reason":"SECURITY_POLICY_VIOLATED"}]}}""";
        _script.Answers(403, refused).Answers(403, refused);
        Assert.Equal("mine", (await FindAsync("geminicli", "mine")).Value!.Id);
        Assert.Contains("403 PERMISSION_DENIED", (await FindAsync("geminicli", null)).Problem!.Line);
    }

    [Theory]
    [InlineData("../../evil")]
    [InlineData("https://evil.example.com/x")]
    [InlineData("a?b")]
    public async Task OperationOfAStrangeName_IsNotAskedFor(string name)
    {
        _script.Answers(200, "{}").Answers(200, $$"""{"name":"{{name}}","done":false}""").Answers(200, Done);
        Assert.Equal("made-1", (await FindAsync("geminicli", null)).Value!.Id);
        Assert.Equal(_script.Addresses[1], _script.Addresses[2]);
    }

    private async Task<LoginStep<LoginProject>> FindAsync(string type, string? configured)
    {
        var http = new LoginHttp(new HttpMessageInvoker(_script), _clock, "aiproxy/test");
        Task<LoginStep<LoginProject>> running = new LoginGoogleProject(http, LoginFacts.Of(type)!.Project!, configured).FindAsync("ya29.fake", CancellationToken.None);
        while (!running.IsCompleted)
        {
            if (_clock.PendingTimers > 0) _clock.Advance(TimeSpan.FromSeconds(1));
            else await Task.Yield();
        }
        return await running;
    }
}
