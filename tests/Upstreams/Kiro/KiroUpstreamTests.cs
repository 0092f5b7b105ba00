using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.EventStream;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Kiro;

namespace Aiproxy.Tests.Upstreams.Kiro;

public sealed class KiroUpstreamTests
{
    private const string Arn = "arn:aws:codewhisperer:eu-central-1:000000000000:profile/FAKE";

    private readonly ScriptedHandler _upstream = new();
    private readonly FakeClock _clock = new();

    private static UpstreamCredential SignIn(KiroMethod method, string? arn = Arn, string? region = null) => new(
        new Secret("aoaFAKE"), new Credential { Id = "kiro.json", Type = "kiro", AccessToken = "aoaFAKE", Kiro = new KiroSignIn(method, arn, region) });

    private static Stream Frames(params byte[][] frames) => new MemoryStream(frames.SelectMany(static frame => frame).ToArray());

    private static byte[][] Answer =>
    [
        AwsFrameWriter.Event("initial-response", """{"conversationId":"c"}"""),
        AwsFrameWriter.Event("assistantResponseEvent", """{"content":"hel"}"""),
        AwsFrameWriter.Event("assistantResponseEvent", """{"content":"lo"}"""),
        AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"read","input":"{\"pa"}"""),
        AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"read","input":"th\":1}"}"""),
        AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"read","stop":true}"""),
        AwsFrameWriter.Event("meteringEvent", """{"usage":0.5,"unit":"credit"}"""),
    ];

    private Task<Attempt> Send(TestExchange test, UpstreamCredential credential, KiroUpstream? type = null, bool isConfigured = false, Func<UpstreamConfig, UpstreamConfig>? change = null) =>
        new ScriptedTransport(type ?? new KiroUpstream(_clock), _upstream).SendAsync(test, credential, "claude-sonnet-4.5", config =>
        {
            config = isConfigured ? config : config with { BaseUrls = [] };
            return change is null ? config : change(config);
        });

    [Theory]
    [InlineData("anthropic", true)]
    [InlineData("openai", true)]
    [InlineData("responses", true)]
    [InlineData("gemini", true)]
    [InlineData("anthropic", false)]
    [InlineData("openai", false)]
    [InlineData("responses", false)]
    [InlineData("gemini", false)]
    public async Task EveryClient_IsServed(string protocol, bool stream)
    {
        using var test = new TestExchange(protocol, stream);
        _upstream.AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream");
        Attempt attempt = await Send(test, SignIn(KiroMethod.Social));
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Contains("read", test.Client.Text);
        if (stream) test.Check();
        else Assert.Contains("path", test.Client.Text);
        Assert.True(test.Exchange.Usage.Output > 0);
        Assert.True(test.Exchange.IsUsageEstimated);
    }

    [Theory]
    [InlineData(KiroMethod.Social, true, "-")]
    [InlineData(KiroMethod.IdentityCenter, true, "-")]
    [InlineData(KiroMethod.ExternalIdp, true, "EXTERNAL_IDP")]
    [InlineData(KiroMethod.BuilderId, false, "-")]
    [InlineData(KiroMethod.ApiKey, true, "API_KEY")]
    public async Task KindOfSignIn_DecidesProfileAndTokenType(KiroMethod method, bool sendsProfile, string tokenType)
    {
        using var test = new TestExchange();
        _upstream.AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream");
        Assert.Equal(OutcomeKind.Success, (await Send(test, SignIn(method))).Outcome.Kind);
        Assert.Equal(sendsProfile, JsonDocument.Parse(_upstream.Bodies[0]).RootElement.TryGetProperty("profileArn", out _));
        Assert.Equal(tokenType, _upstream.Headers[0].GetValueOrDefault("tokentype", "-"));
        Assert.Equal("Bearer aoaFAKE", _upstream.Headers[0]["authorization"]);
        Assert.Equal(("true", "vibe"), (_upstream.Headers[0]["x-amzn-codewhisperer-optout"], _upstream.Headers[0]["x-amzn-kiro-agent-mode"]));
        Assert.Equal("https://q.eu-central-1.amazonaws.com/generateAssistantResponse", _upstream.Addresses[0].AbsoluteUri);
    }

    [Theory]
    [InlineData(null, null, null, "q.us-east-1.amazonaws.com")]
    [InlineData(null, "eu-west-1", null, "q.eu-west-1.amazonaws.com")]
    [InlineData("ap-south-1", "eu-west-1", Arn, "q.ap-south-1.amazonaws.com")]
    [InlineData("evil.example/", null, null, "q.us-east-1.amazonaws.com")]
    [InlineData(null, "evil.example/", Arn, "q.eu-central-1.amazonaws.com")]
    public async Task Region_ComesFromConfigThenFileThenProfile(string? configured, string? inFile, string? arn, string host)
    {
        using var test = new TestExchange();
        _upstream.AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream");
        await Send(test, SignIn(KiroMethod.Social, arn, inFile), change: config => config with { ApiRegion = configured });
        Assert.Equal(host, _upstream.Addresses[0].Host);
    }

    [Fact]
    public async Task FirstHostIsDown_TheOlderOneIsAskedWithItsHeader()
    {
        using var test = new TestExchange();
        _upstream.Answers(404, """{"message":"no"}""").AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream");
        Assert.Equal(OutcomeKind.Success, (await Send(test, SignIn(KiroMethod.BuilderId, arn: null))).Outcome.Kind);
        Assert.Equal(["q.us-east-1.amazonaws.com", "codewhisperer.us-east-1.amazonaws.com"], _upstream.Addresses.Select(address => address.Host));
        Assert.False(_upstream.Headers[0].ContainsKey("x-amz-target"));
        Assert.Equal("AmazonCodeWhispererStreamingService.GenerateAssistantResponse", _upstream.Headers[1]["x-amz-target"]);
    }

    [Fact]
    public async Task ConfiguredHost_IsTheOnlyOne()
    {
        using var test = new TestExchange();
        _upstream.Answers(404, """{"message":"no"}""");
        Assert.Equal(OutcomeKind.Failed, (await Send(test, SignIn(KiroMethod.BuilderId, arn: null), isConfigured: true)).Outcome.Kind);
        Assert.Equal("http://upstream.invalid/generateAssistantResponse", Assert.Single(_upstream.Addresses).AbsoluteUri);
    }

    [Fact]
    public async Task AccessDenied_FlipsTheProfileOnceAndRemembers()
    {
        var type = new KiroUpstream(_clock);
        using var test = new TestExchange();
        _upstream.Answers(403, """{"message":"AccessDenied"}""").AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream")
            .AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream").Answers(403, """{"message":"AccessDenied"}""");
        Assert.Equal(OutcomeKind.Success, (await Send(test, SignIn(KiroMethod.Social), type)).Outcome.Kind);
        using var next = new TestExchange();
        await Send(next, SignIn(KiroMethod.Social), type);
        Assert.Equal([true, false, false], _upstream.Bodies.Select(static body => body.Contains("profileArn")));
        using var refused = new TestExchange();
        Assert.Equal(OutcomeKind.CredentialRefused, (await Send(refused, SignIn(KiroMethod.Social), type)).Outcome.Kind);
        Assert.Equal(0, _upstream.Left);
    }

    [Fact]
    public async Task OrganisationsProfile_IsLookedForOnce()
    {
        var type = new KiroUpstream(_clock);
        _upstream.Answers(200, """{"profiles":[]}""").Answers(200, $$"""{"profiles":[{"arn":"{{Arn}}","profileName":"p"}]}""")
            .AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream").AnswersWith(200, Frames(Answer), "application/vnd.amazon.eventstream");
        for (int i = 0; i < 2; i++)
        {
            using var test = new TestExchange();
            Assert.Equal(OutcomeKind.Success, (await Send(test, SignIn(KiroMethod.IdentityCenter, arn: null), type)).Outcome.Kind);
        }
        Assert.Equal("AmazonCodeWhispererService.ListAvailableProfiles", _upstream.Headers[0]["x-amz-target"]);
        Assert.Equal(["q.us-east-1.amazonaws.com", "q.eu-central-1.amazonaws.com", "q.eu-central-1.amazonaws.com", "q.eu-central-1.amazonaws.com"], _upstream.Addresses.Select(address => address.Host));
        Assert.Contains(Arn, _upstream.Bodies[2]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task EndInsideAFrame_IsNoAnswer(int missing)
    {
        using var test = new TestExchange("openai", stream: false);
        byte[] whole = [.. Answer.SelectMany(static frame => frame)];
        _upstream.AnswersWith(200, new MemoryStream(whole[..(missing == 0 ? whole.Length - Answer[^1].Length - Answer[^2].Length : whole.Length - missing)]), "application/vnd.amazon.eventstream");
        Attempt attempt = await Send(test, SignIn(KiroMethod.Social));
        // Without the frames that end it, the call is open; with a part of the last one, the stream was cut.
        Assert.Equal(OutcomeKind.Failed, attempt.Outcome.Kind);
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public async Task BrokenChecksum_IsABrokenStream()
    {
        using var test = new TestExchange("anthropic", stream: false);
        byte[] broken = [.. Answer.SelectMany(static frame => frame)];
        broken[^1] ^= 1;
        _upstream.AnswersWith(200, new MemoryStream(broken), "application/vnd.amazon.eventstream");
        Assert.Equal(OutcomeKind.Failed, (await Send(test, SignIn(KiroMethod.Social))).Outcome.Kind);
    }

    [Fact]
    public async Task ErrorMessageOfAFrame_ReachesTheJudgement()
    {
        using var test = new TestExchange();
        _upstream.AnswersWith(200, Frames(AwsFrameWriter.Error("ThrottlingException", "slow down please")), "application/vnd.amazon.eventstream");
        Outcome outcome = (await Send(test, SignIn(KiroMethod.Social))).Outcome;
        Assert.Equal((OutcomeKind.Limited, "slow down please"), (outcome.Kind, outcome.Error!.Message));
    }

    [Theory]
    [InlineData(400, """{"message":"Input is too long.","reason":"CONTENT_LENGTH_EXCEEDS_THRESHOLD"}""", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(400, """{"message":"x","reason":"INVALID_MODEL_ID"}""", OutcomeKind.Failed, Scope.Model, false, false)]
    [InlineData(400, """{"message":"Improperly formed request."}""", OutcomeKind.Refused, Scope.Request, false, false)]
    [InlineData(401, """{"__type":"com.amazon#UnauthorizedException","message":"x"}""", OutcomeKind.CredentialRefused, Scope.Credential, true, false)]
    [InlineData(403, """{"message":"The bearer token included in the request is invalid."}""", OutcomeKind.CredentialRefused, Scope.Credential, true, false)]
    [InlineData(403, """{"message":"Your account temporarily is suspended.","reason":"TEMPORARILY_SUSPENDED"}""", OutcomeKind.CredentialRefused, Scope.Credential, false, true)]
    [InlineData(403, """{"message":"x","reason":"FEATURE_NOT_SUPPORTED"}""", OutcomeKind.Limited, Scope.CredentialModel, false, false)]
    [InlineData(402, """{"message":"x","reason":"MONTHLY_REQUEST_COUNT"}""", OutcomeKind.Limited, Scope.Credential, false, false)]
    [InlineData(429, """{"message":"x","reason":"DAILY_REQUEST_COUNT"}""", OutcomeKind.Limited, Scope.Credential, false, false)]
    [InlineData(429, """{"message":"x","reason":"INSUFFICIENT_MODEL_CAPACITY"}""", OutcomeKind.Failed, Scope.Model, false, false)]
    [InlineData(429, """{"message":"Too many requests"}""", OutcomeKind.Limited, Scope.Credential, false, false)]
    public async Task Refusal_IsJudged(int status, string body, OutcomeKind kind, Scope scope, bool isStale, bool isOff)
    {
        using var test = new TestExchange();
        _upstream.Answers(status, body);
        Outcome outcome = (await Send(test, SignIn(KiroMethod.BuilderId, arn: null), isConfigured: true)).Outcome;
        Assert.Equal((kind, scope, isStale, isOff), (outcome.Kind, outcome.Scope, outcome.IsStaleToken, outcome.SignInFault is not null));
    }

    [Fact]
    public async Task AccountsModelsAndCredits_AreRead()
    {
        var account = new KiroAccount();
        using var client = new HttpMessageInvoker(_upstream);
        UpstreamConfig config = TestExchange.Upstream("kiro", "https://h.invalid");
        _upstream.Answers(200, """{"models":[{"modelId":"a"}],"nextToken":"n 1"}""").Answers(200, """{"availableModels":[{"modelId":"b"},{"modelId":"a"}]}""");
        Assert.Equal(["a", "b"], (await account.ModelsAsync(config, SignIn(KiroMethod.Social), client.SendAsync, CancellationToken.None))!);
        Assert.Contains("profileArn=arn%3Aaws", _upstream.Addresses[0].Query);
        Assert.Contains("nextToken=n%201", _upstream.Addresses[1].Query);

        _upstream.Answers(200, """{"nextDateReset":1790000000.5,"usageBreakdownList":[{"resourceType":"AGENTIC_REQUEST","currentUsage":25,"usageLimit":50}],"subscriptionInfo":{"subscriptionTitle":"KIRO PRO"}}""");
        AccountQuota quota = (await account.QuotaAsync(config, SignIn(KiroMethod.BuilderId), client.SendAsync, _clock.Now, CancellationToken.None))!;
        Assert.Equal("KIRO PRO", quota.Plan);
        Assert.Equal([new QuotaWindow("AGENTIC_REQUEST", 50, DateTimeOffset.FromUnixTimeMilliseconds(1790000000500))], quota.Windows);
        Assert.DoesNotContain("profileArn", _upstream.Addresses[2].Query);
    }
}
