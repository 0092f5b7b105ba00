using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class ProjectDiscoveryTests
{
    private const string Known = """{"currentTier":{"id":"standard-tier","name":"Standard"},"cloudaicompanionProject":"found-1"}""";

    private static GoogleRig Rig(string type = "geminicli")
    {
        var rig = new GoogleRig(type);
        rig.SignIn = rig.SignIn with { ProjectId = null };
        return rig;
    }

    private static async Task<Attempt> Send(GoogleRig rig, string model = "gemini-2.5-pro")
    {
        using var test = new TestExchange("gemini", clock: rig.Clock, model: model);
        return await rig.SendAsync(test, model);
    }

    private static ScriptedHandler Good(GoogleRig rig) => rig.Upstream.Answers(200, GoogleRig.Events(GoogleRig.Text("hi", "STOP")), "text/event-stream");

    private static string Project(GoogleRig rig, int request) => JsonDocument.Parse(rig.Upstream.Bodies[request]).RootElement.GetProperty("project").GetString()!;

    [Theory]
    [InlineData("geminicli", "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist", """{"metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI"}}""", Known)]
    [InlineData("antigravity", "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist", """{"metadata":{"ideType":"ANTIGRAVITY"}}""", """{"cloudaicompanionProject":{"id":"found-1"}}""")]
    public async Task Project_IsAskedForOnce(string type, string address, string question, string answer)
    {
        GoogleRig rig = Rig(type);
        rig.Upstream.Answers(200, answer);
        Good(rig);
        Good(rig);
        Assert.Equal(OutcomeKind.Success, (await Send(rig, "gemini-3-flash")).Outcome.Kind);
        Assert.Equal(OutcomeKind.Success, (await Send(rig, "gemini-3-flash")).Outcome.Kind);
        Assert.Equal((address, question), (rig.Upstream.Addresses[0].AbsoluteUri, rig.Upstream.Bodies[0]));
        Assert.Equal(("Bearer " + GoogleRig.Token, "aiproxy/test"), (rig.Upstream.Headers[0]["authorization"], rig.Upstream.Headers[0]["user-agent"]));
        Assert.Equal(("found-1", "found-1", 3), (Project(rig, 1), Project(rig, 2), rig.Upstream.Bodies.Count));
    }

    [Fact]
    public async Task ManyAtOnce_AskOnce_AndOneThatLeavesTakesNobodyWithIt()
    {
        GoogleRig rig = Rig();
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        ProviderCall call = (_, _) =>
        {
            Interlocked.Increment(ref asked);
            return answer.Task;
        };
        using var leaves = new CancellationTokenSource();
        Task<Preparation>[] waiting = [.. Enumerable.Range(0, 100).Select(i => rig.Type.Wire!.PrepareAsync(Target(rig), call, i == 0 ? leaves.Token : default).AsTask())];
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[0]);
        answer.SetResult(new HttpResponseMessage { Content = new StringContent(Known) });
        foreach (Task<Preparation> one in waiting.Skip(1)) Assert.Equal("found-1", (await one.WaitAsync(TimeSpan.FromSeconds(10))).Target.Credential!.Project);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task AnotherAccountInTheSameFile_IsAskedAnew()
    {
        GoogleRig rig = Rig();
        rig.Upstream.Answers(200, Known);
        Good(rig);
        await Send(rig);
        rig.SignIn = rig.SignIn with { Email = "you@example.com" };
        rig.Upstream.Answers(200, Known.Replace("found-1", "found-2"));
        Good(rig);
        await Send(rig);
        Assert.Equal("found-2", Project(rig, 3));
    }

    [Theory]
    [InlineData("configured-1", "file-1", "environment-1", "configured-1")]
    [InlineData(null, "file-1", "environment-1", "file-1")]
    [InlineData(null, "file-1,file-2", null, "file-1")]
    [InlineData(null, null, "environment-1", "environment-1")]
    [InlineData(null, "ALL", "environment-1", "environment-1")]
    public async Task ProjectThatIsTold_IsNotAskedFor(string? configured, string? file, string? environment, string expected)
    {
        GoogleRig rig = Rig();
        rig.SignIn = rig.SignIn with { ProjectId = file };
        rig.Change = config => config with { Project = configured };
        if (environment is not null) rig.Environment["GOOGLE_CLOUD_PROJECT_ID"] = environment;
        Good(rig);
        await Send(rig);
        Assert.Equal((expected, 1), (Project(rig, 0), rig.Upstream.Bodies.Count));
    }

    [Fact]
    public async Task ProjectNumber_IsRefused()
    {
        GoogleRig rig = Rig();
        rig.SignIn = rig.SignIn with { ProjectId = "123456789" };
        Attempt attempt = await Send(rig);
        Assert.Equal(OutcomeKind.CredentialRefused, attempt.Outcome.Kind);
        Assert.Contains("number", attempt.Outcome.Error!.Message);
        Assert.Empty(rig.Upstream.Bodies);
    }

    [Theory]
    [InlineData("geminicli", """{"allowedTiers":[{"id":"free-tier","isDefault":true}]}""", "aiproxy login geminicli", null)]
    [InlineData("geminicli", """{"cloudaicompanionProject":"p"}""", "aiproxy login geminicli", null)]
    [InlineData("antigravity", "{}", "aiproxy login antigravity", null)]
    [InlineData("geminicli", """{"currentTier":null,"ineligibleTiers":[{"reasonCode":"VALIDATION_REQUIRED","validationUrl":"https://example.com/v"}]}""", "verified in a browser", "https://example.com/v")]
    public async Task AccountThatIsNotSetUp_IsNeverTakenInHere(string type, string answer, string says, string? link)
    {
        GoogleRig rig = Rig(type);
        rig.Upstream.Answers(200, answer);
        Outcome outcome = (await Send(rig, "gemini-3-flash")).Outcome;
        Assert.Equal(OutcomeKind.CredentialRefused, outcome.Kind);
        Assert.Contains(says, outcome.SignInFault!.Reason);
        Assert.Equal(link, outcome.SignInFault.Link?.AbsoluteUri);
        Assert.Single(rig.Upstream.Addresses);
    }

    [Theory]
    [InlineData(200, """{"currentTier":{"id":"standard-tier"},"ineligibleTiers":[{"reasonCode":"DASHER_USER","reasonMessage":"ask your admin"}]}""", "ask your admin")]
    [InlineData(200, """{"currentTier":{"id":"standard-tier"}}""", "set project")]
    [InlineData(403, """{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SECURITY_POLICY_VIOLATED"}]}}""", "VPC")]
    public async Task AccountWithoutAProject_SaysWhatToSet(int status, string answer, string says)
    {
        GoogleRig rig = Rig();
        rig.Upstream.Answers(status, answer);
        Outcome outcome = (await Send(rig)).Outcome;
        Assert.Equal(OutcomeKind.CredentialRefused, outcome.Kind);
        Assert.Contains(says, outcome.Error!.Message);
        Assert.Null(outcome.SignInFault);
    }

    [Fact]
    public async Task StaleToken_IsToldAsOne_AndAskedAgain()
    {
        GoogleRig rig = Rig();
        rig.Upstream.Answers(401, GoogleRig.Error(401, "UNAUTHENTICATED", "no")).Answers(200, Known);
        Good(rig);
        Assert.True((await Send(rig)).Outcome.IsStaleToken);
        Assert.Equal(OutcomeKind.Success, (await Send(rig)).Outcome.Kind);
    }

    [Theory]
    [InlineData(500, "oops")]
    [InlineData(200, "<html>")]
    [InlineData(200, "[]")]
    public async Task ProviderThatFails_IsAskedAgain(int status, string body)
    {
        GoogleRig rig = Rig();
        rig.Upstream.Answers(status, body).Answers(200, Known);
        Good(rig);
        Assert.Equal(OutcomeKind.Failed, (await Send(rig)).Outcome.Kind);
        Assert.Equal(OutcomeKind.Success, (await Send(rig)).Outcome.Kind);
    }

    [Fact]
    public async Task ConnectionThatFails_IsAskedAgain()
    {
        GoogleRig rig = Rig();
        rig.Upstream.Fails(new HttpRequestException("no")).Answers(200, Known);
        Good(rig);
        Assert.Equal(OutcomeKind.Failed, (await Send(rig)).Outcome.Kind);
        Assert.Equal(OutcomeKind.Success, (await Send(rig)).Outcome.Kind);
    }

    [Fact]
    public async Task ProviderThatHangs_IsGivenUp()
    {
        GoogleRig rig = Rig();
        rig.Upstream.Hangs();
        Task<Attempt> sending = Send(rig);
        rig.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(OutcomeKind.Failed, (await sending).Outcome.Kind);
    }

    [Theory]
    [InlineData("https://mirror.example", "https://mirror.example/v1internal:loadCodeAssist")]
    [InlineData("http://127.0.0.1:9/v1internal", "http://127.0.0.1:9/v1internal:loadCodeAssist")]
    public async Task BaseUrlOfTheFile_ReplacesEveryHost(string url, string address)
    {
        GoogleRig rig = Rig("antigravity");
        rig.SignIn = rig.SignIn with { BaseUrl = url };
        rig.Upstream.Answers(200, Known);
        Good(rig);
        await Send(rig, "gemini-3-flash");
        Assert.Equal((address, address.Replace("loadCodeAssist", "streamGenerateContent?alt=sse")), (rig.Upstream.Addresses[0].AbsoluteUri, rig.Upstream.Addresses[1].AbsoluteUri));
    }

    [Fact]
    public async Task BaseUrlOfTheFileWithoutTls_GetsNoToken()
    {
        GoogleRig rig = Rig("antigravity");
        rig.SignIn = rig.SignIn with { BaseUrl = "http://mirror.example", ProjectId = "p-1" };
        Assert.Equal(OutcomeKind.CredentialRefused, (await Send(rig, "gemini-3-flash")).Outcome.Kind);
        Assert.Empty(rig.Upstream.Bodies);
    }

    private static UpstreamTarget Target(GoogleRig rig)
    {
        UpstreamConfig config = TestExchange.Upstream(rig.Name);
        return new UpstreamTarget(config, rig.Type, rig.Type.ProtocolFor(TestExchange.Protocols["gemini"], config)!, "gemini-2.5-pro", new UpstreamCredential(new Secret(GoogleRig.Token), rig.SignIn), 0);
    }
}
