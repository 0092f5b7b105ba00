using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class JudgementTests
{
    private readonly FakeClock clock = new();

    [Theory]
    [InlineData(408, ErrorKind.Timeout)]
    [InlineData(404, ErrorKind.NotFound)]
    [InlineData(500, ErrorKind.ServerError)]
    [InlineData(502, ErrorKind.BadGateway)]
    [InlineData(503, ErrorKind.Overloaded)]
    [InlineData(504, ErrorKind.Timeout)]
    [InlineData(529, ErrorKind.Overloaded)]
    public void UpstreamsFault_CountsForTheModel(int status, ErrorKind kind)
    {
        Outcome outcome = Judge(status, kind);
        Assert.Equal((OutcomeKind.Failed, Scope.Model, true, false), Shape(outcome));
        Assert.Equal(kind, outcome.Error!.Kind);
        Assert.Equal(status, outcome.Error.UpstreamStatus);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(405)]
    [InlineData(409)]
    [InlineData(413)]
    [InlineData(415)]
    [InlineData(422)]
    public void RequestsFault_CountsOnlyIfAnotherAccepts(int status) =>
        Assert.Equal((OutcomeKind.Refused, Scope.Request, false, true), Shape(Judge(status, ErrorKind.InvalidRequest)));

    [Theory]
    [InlineData(ErrorKind.ContextTooLong)]
    [InlineData(ErrorKind.ContentPolicy)]
    public void RefusalThatIsRightWhoeverElseAccepts_NeverCounts(ErrorKind kind) =>
        Assert.Equal((OutcomeKind.Refused, Scope.Request, false, false), Shape(Judge(400, kind)));

    [Theory]
    [InlineData(401, ErrorKind.ClientAuth, "")]
    [InlineData(403, ErrorKind.Permission, "")]
    [InlineData(400, ErrorKind.InvalidRequest, """{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}""")]
    public void RefusedCredential_IsNeverTheClients(int status, ErrorKind kind, string body)
    {
        Outcome outcome = Judge(status, kind, body);
        Assert.Equal((OutcomeKind.CredentialRefused, Scope.Credential, true, false), Shape(outcome));
        Assert.Equal(ErrorKind.UpstreamAuth, outcome.Error!.Kind);
        Assert.False(outcome.Error.ShouldRetry);
    }

    [Fact]
    public void EchoOfACodeInTheMessage_IsNoCode() =>
        Assert.Equal(OutcomeKind.Refused, Judge(400, ErrorKind.InvalidRequest, """{"error":{"message":"bad text \"API_KEY_INVALID\""}}""").Kind);

    [Theory]
    [InlineData(402, "")]
    [InlineData(429, """{"error":{"code":"insufficient_quota"}}""")]
    [InlineData(403, """{"error":{"type":"billing_error"}}""")]
    [InlineData(400, """{"error":{"code":"billing_hard_limit_reached"}}""")]
    [InlineData(429, """{"error":{"code":"billing_not_active"}}""")]
    public void Quota_RestsTheCredential(int status, string body)
    {
        Outcome outcome = Judge(status, ErrorKind.InvalidRequest, body);
        Assert.Equal((OutcomeKind.Limited, Scope.Credential, true, false), Shape(outcome));
        Assert.Equal(ErrorKind.Quota, outcome.Error!.Kind);
        Assert.Null(outcome.RetryAt);
    }

    [Theory]
    [InlineData(400, ErrorKind.InvalidRequest, null, "Your credit balance is too low to access the Anthropic API.")]
    [InlineData(400, ErrorKind.Quota, null, "told")]
    [InlineData(429, ErrorKind.RateLimit, "insufficient_quota", "told")]
    [InlineData(403, ErrorKind.Permission, "billing_not_active", "told")]
    public void QuotaThatTheReaderSaw_IsOneWithoutABody(int status, ErrorKind kind, string? code, string message) =>
        Assert.Equal((OutcomeKind.Limited, ErrorKind.Quota), Judgement.OfAnswer(status, new ProxyError(kind, message) { Code = code }, [], "{}"u8, [], clock) is { Error: { } error } told ? (told.Kind, error.Kind) : default);

    [Theory]
    [InlineData(ErrorKind.UpstreamAuth, null, OutcomeKind.CredentialRefused)]
    [InlineData(ErrorKind.NotFound, null, OutcomeKind.Failed)]
    [InlineData(ErrorKind.InvalidRequest, "model_not_found", OutcomeKind.Failed)]
    public void BadRequestThatTheReaderUnderstood_IsWhatItSays(ErrorKind kind, string? code, OutcomeKind expected) =>
        Assert.Equal(expected, Judgement.OfAnswer(400, new ProxyError(kind, "told") { Code = code }, [], "{}"u8, [], clock).Kind);

    [Fact]
    public void GooglesRateLimitThatSpeaksOfBilling_IsNoQuota() => Assert.Equal(ErrorKind.RateLimit,
        Judge(429, ErrorKind.RateLimit, """{"error":{"message":"You exceeded your current quota, please check your plan and billing details."}}""").Error!.Kind);

    [Fact]
    public void LimitWithTime_RestsTheCredentialAndDoesNotCount()
    {
        Outcome outcome = Judge(429, ErrorKind.RateLimit, "", ("retry-after", "7"));
        Assert.Equal((OutcomeKind.Limited, Scope.Credential, false, false), Shape(outcome));
        Assert.Equal(clock.Now.AddSeconds(7), outcome.RetryAt);
        Assert.Equal(TimeSpan.FromSeconds(7), outcome.Error!.RetryAfter);
    }

    [Theory]
    [InlineData("Rate limit reached for gpt-4o in organization org-fake on tokens per min. Please try again in 7s.", "gpt-4o-2024-08-06", true)]
    [InlineData("Rate limit reached for `GPT-4o`: try again in 7s", "gpt-4o", true)]
    [InlineData("Rate limit reached for gpt-4o. Please try again in 7s", "gpt-5.5", false)]
    [InlineData("Too many requests of this account, 3 in 10: try again in 7s", "model-3", false)]
    [InlineData("Too many requests of this account, 100 in 10: try again in 7s", "100-model", false)]
    [InlineData("{\"error\":{\"limit\":\"requests_per_model_per_minute\",\"retry_after\":7}}", "m", true)]
    [InlineData("{\"error\":{\"details\":[{\"violations\":[{\"quotaId\":\"GenerateRequestsPerMinutePerProjectPerModel\"}]},{\"retryDelay\":\"7s\"}]}}", "gemini-2.5-pro", true)]
    [InlineData("{\"error\":{\"details\":[{\"violations\":[{\"quotaId\":\"GenerateRequestsPerMinutePerProject\"}]},{\"retryDelay\":\"7s\"}]}}", "gemini-2.5-pro", false)]
    public void LimitThatNamesTheModel_LeavesTheCredentialsOtherModelsAlone(string said, string model, bool isOfTheModel)
    {
        bool isBody = said.StartsWith('{');
        byte[] body = Encoding.UTF8.GetBytes(isBody ? said : $$$"""{"error":{"message":"{{{said}}}"}}""");
        Outcome outcome = Judgement.OfAnswer(429, new ProxyError(ErrorKind.RateLimit, isBody ? "limited" : said), [], body, [], clock, model: model);
        Assert.Equal((isOfTheModel ? Scope.CredentialModel : Scope.Credential, clock.Now.AddSeconds(7)), (outcome.Scope, outcome.RetryAt));
        // Without a time the backoff is the credential's.
        Assert.Equal(Scope.Credential, Judgement.OfAnswer(429, new ProxyError(ErrorKind.RateLimit, "for " + model), [], "{}"u8, [], clock, model: model).Scope);
    }

    [Fact]
    public void TimeToldInsideA200_IsARestToo()
    {
        Outcome Judged(ProxyError error) => Judgement.OfAnswer(200, error, [], Encoding.UTF8.GetBytes(error.Message), [], clock);
        Outcome words = Judged(new ProxyError(ErrorKind.RateLimit, "Rate limit reached. Please try again in 1.5s."));
        Assert.Equal((OutcomeKind.Limited, Scope.Credential, clock.Now.AddSeconds(1.5), false), (words.Kind, words.Scope, words.RetryAt, words.Counts));
        Outcome read = Judged(new ProxyError(ErrorKind.RateLimit, "limited") { RetryAfter = TimeSpan.FromSeconds(34) });
        Assert.Equal((clock.Now.AddSeconds(34), TimeSpan.FromSeconds(34)), (read.RetryAt, read.Error!.RetryAfter));
        Assert.Null(Judged(new ProxyError(ErrorKind.RateLimit, "limited")).RetryAt);
    }

    [Fact]
    public void LimitWithoutTime_Counts()
    {
        Outcome outcome = Judge(429, ErrorKind.RateLimit);
        Assert.Equal((OutcomeKind.Limited, Scope.Credential, true, false), Shape(outcome));
        Assert.Null(outcome.RetryAt);
    }

    [Fact]
    public void LimitWithUselessTime_Counts() => Assert.True(Judge(429, ErrorKind.RateLimit, "", ("retry-after", "-1")).Counts);

    [Theory]
    [InlineData("""{"error":{"details":[{"reason":"MODEL_CAPACITY_EXHAUSTED"}]}}""")]
    [InlineData("""{"error":{"details":[{"reason":"MODEL_CAPACITY_EXCEEDED"}]}}""")]
    [InlineData("""{"message":"x","reason":"INSUFFICIENT_MODEL_CAPACITY"}""")]
    [InlineData("""{"error":{"message":"Selected model is at capacity."}}""")]
    public void LimitOfTheModelsCapacity_RestsTheModel(string body) => Assert.Equal(Scope.Model, Judge(429, ErrorKind.RateLimit, body).Scope);

    [Fact]
    public void UnavailableWithTime_RestsTheModelAndDoesNotCount()
    {
        Outcome outcome = Judge(503, ErrorKind.Overloaded, "", ("retry-after", "20"));
        Assert.Equal((OutcomeKind.Limited, Scope.Model, false, false), Shape(outcome));
        Assert.Equal(clock.Now.AddSeconds(20), outcome.RetryAt);
    }

    [Fact]
    public void OtherFaultWithTime_IsAFailure() => Assert.True(Judge(500, ErrorKind.ServerError, "", ("retry-after", "20")).Counts);

    [Fact]
    public void UnknownModelTold400_IsNotFound()
    {
        Outcome outcome = Judge(400, ErrorKind.InvalidRequest, """{"error":{"code":"model_not_found"}}""");
        Assert.Equal((OutcomeKind.Failed, Scope.Model, true, false), Shape(outcome));
        Assert.Equal(ErrorKind.NotFound, outcome.Error!.Kind);
    }

    [Theory]
    [InlineData(ErrorKind.Overloaded, OutcomeKind.Failed)]
    [InlineData(ErrorKind.ServerError, OutcomeKind.Failed)]
    [InlineData(ErrorKind.RateLimit, OutcomeKind.Limited)]
    [InlineData(ErrorKind.Quota, OutcomeKind.Limited)]
    [InlineData(ErrorKind.ClientAuth, OutcomeKind.CredentialRefused)]
    [InlineData(ErrorKind.InvalidRequest, OutcomeKind.Refused)]
    [InlineData(ErrorKind.ContextTooLong, OutcomeKind.Refused)]
    [InlineData(ErrorKind.UpstreamAuth, OutcomeKind.CredentialRefused)]
    [InlineData(ErrorKind.Permission, OutcomeKind.CredentialRefused)]
    [InlineData(ErrorKind.NotFound, OutcomeKind.Failed)]
    [InlineData(ErrorKind.MethodNotAllowed, OutcomeKind.Refused)]
    [InlineData(ErrorKind.Conflict, OutcomeKind.Refused)]
    [InlineData(ErrorKind.TooLarge, OutcomeKind.Refused)]
    [InlineData(ErrorKind.UnsupportedMedia, OutcomeKind.Refused)]
    [InlineData(ErrorKind.Unavailable, OutcomeKind.Failed)]
    [InlineData(ErrorKind.Timeout, OutcomeKind.Failed)]
    [InlineData(ErrorKind.BadGateway, OutcomeKind.Failed)]
    public void ErrorToldInsideA200_IsJudgedByItsKind(ErrorKind kind, OutcomeKind expected) => Assert.Equal(expected, Judge(200, kind).Kind);

    [Fact]
    public void Redirect_IsABadGateway()
    {
        Outcome outcome = Judge(302, ErrorKind.ServerError);
        Assert.Equal((OutcomeKind.Failed, Scope.Model, true, false), Shape(outcome));
        Assert.Equal(ErrorKind.BadGateway, outcome.Error!.Kind);
    }

    [Fact]
    public void TransportFaults_Count()
    {
        Outcome[] all =
        [
            Judgement.OfConnectFailure(), Judgement.OfBrokenStream(), Judgement.OfEmptyAnswer(), Judgement.OfRedirect(301),
            .. Enum.GetValues<TimeoutPhase>().Select(Judgement.OfTimeout),
        ];
        Assert.All(all, outcome => Assert.Equal((OutcomeKind.Failed, Scope.Model, true, false), Shape(outcome)));
    }

    [Fact]
    public void OutcomesThatBlameNobody_NeverCount()
    {
        Outcome[] all = [Outcome.Success, Outcome.ClientGone, Outcome.Busy, Outcome.CannotSay(new ProxyError(ErrorKind.Unsupported, "x"))];
        Assert.All(all, outcome => Assert.False(outcome.Counts || outcome.CountsIfAnotherAccepts));
    }

    [Fact]
    public void RuleNext_CountsWhatWouldNotCount()
    {
        Outcome outcome = Judge(400, ErrorKind.InvalidRequest, new ErrorRule { Statuses = [400], Action = ErrorAction.Next });
        Assert.Equal((OutcomeKind.Failed, Scope.Model, true, false), Shape(outcome));
        Assert.Equal(ErrorAction.Next, outcome.Rule);
        Assert.False(outcome.IsFinal);
    }

    [Fact]
    public void RuleIgnore_DoesNotCountWhatWould() =>
        Assert.Equal((OutcomeKind.Failed, Scope.Model, false, false), Shape(Judge(500, ErrorKind.ServerError, new ErrorRule { Action = ErrorAction.Ignore })));

    [Fact]
    public void RuleFail_EndsTheRequest()
    {
        Outcome outcome = Judge(500, ErrorKind.ServerError, new ErrorRule { Statuses = [500], Action = ErrorAction.Fail });
        Assert.True(outcome.IsFinal);
        Assert.Equal((OutcomeKind.Refused, Scope.Request, false, false), Shape(outcome));
        Assert.Equal(ErrorKind.ServerError, outcome.Error!.Kind);
    }

    [Fact]
    public void RuleRest_RestsForItsTime()
    {
        Outcome outcome = Judge(500, ErrorKind.ServerError, new ErrorRule { Action = ErrorAction.Rest, RestFor = TimeSpan.FromMinutes(5) });
        Assert.Equal((OutcomeKind.Limited, Scope.Credential, false, false), Shape(outcome));
        Assert.Equal(clock.Now.AddMinutes(5), outcome.RetryAt);
    }

    [Fact]
    public void SeveralRules_FirstThatFitsWins()
    {
        ErrorRule[] rules =
        [
            new() { Statuses = [500], Action = ErrorAction.Fail },
            new() { Statuses = [503], BodyContains = "MELTING", Action = ErrorAction.Ignore },
            new() { Header = "x-why: Maintenance", Action = ErrorAction.Rest },
            new() { Header = "x-other", Action = ErrorAction.Next },
        ];
        Assert.Equal(ErrorAction.Ignore, Judge(503, ErrorKind.Overloaded, "we are melting", rules, ("x-why", "maintenance")).Rule);
        Assert.Equal(ErrorAction.Rest, Judge(503, ErrorKind.Overloaded, "fine", rules, ("X-Why", " maintenance ")).Rule);
        Assert.Equal(ErrorAction.Next, Judge(503, ErrorKind.Overloaded, "", rules, ("x-why", "else"), ("X-Other", "")).Rule);
        Assert.Null(Judge(503, ErrorKind.Overloaded, "", rules, ("x-why", "else")).Rule);
    }

    [Fact]
    public void RuleOfAStatus_FitsTheErrorToldInsideA200() =>
        Assert.All([529, 200], status => Assert.Equal(ErrorAction.Ignore, Judge(200, ErrorKind.Overloaded, new ErrorRule { Statuses = [status], Action = ErrorAction.Ignore }).Rule));

    private Outcome Judge(int status, ErrorKind kind, string body = "", params (string, string)[] headers) => Judge(status, kind, body, [], headers);

    private Outcome Judge(int status, ErrorKind kind, ErrorRule rule) => Judge(status, kind, "", [rule]);

    private Outcome Judge(int status, ErrorKind kind, string body, ErrorRule[] rules, params (string Name, string Value)[] headers) => Judgement.OfAnswer(
        status, new ProxyError(kind, "told"), headers.Select(header => KeyValuePair.Create(header.Name, header.Value)), Encoding.UTF8.GetBytes(body), rules, clock);

    private static (OutcomeKind, Scope, bool, bool) Shape(Outcome outcome) => (outcome.Kind, outcome.Scope, outcome.Counts, outcome.CountsIfAnotherAccepts);
}
