using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Google;
using static Aiproxy.Tests.Upstreams.Google.GoogleRig;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class CodeAssistJudgementTests
{
    // Noon in UTC, 5 in the morning in California.
    private static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly double ToMidnight = new DateTimeOffset(2026, 8, 2, 7, 0, 0, TimeSpan.Zero).Subtract(Now).TotalSeconds;

    private static Outcome? Judge(int status, string body, string type = "geminicli", Operation operation = Operation.Generate)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        return new CodeAssistJudgement(type).Of(new Refusal(status, GeminiErrors.Read(status, bytes), [], bytes, Now, null!) { Operation = operation });
    }

    private static string Limit(string details, string message = "no") => Error(429, "RESOURCE_EXHAUSTED", message, details);

    public static TheoryData<string, string, double> Exhausted() => new()
    {
        { Info("QUOTA_EXHAUSTED"), "no", ToMidnight },
        { Info("QUOTA_EXHAUSTED") + "," + Retry("1h2m3.5s"), "no", 3723.5 },
        { Info("QUOTA_EXHAUSTED", """{"quotaResetDelay":"6h"}"""), "no", 21600 },
        { Info("QUOTA_EXHAUSTED", """{"quotaResetTimeStamp":"2026-08-01T15:00:00Z"}"""), "no", 10800 },
        { Info("QUOTA_EXHAUSTED"), "You have exhausted your capacity on this model. Your quota will reset after 3h20m5s.", 12005 },
        { Quota("GenerateRequestsPerDayPerProject"), "no", ToMidnight },
        { Quota("DailyLimit") + "," + Retry("900ms"), "no", 0.9 },
        { Info("RATE_LIMIT_EXCEEDED"), "no", ToMidnight },
        { Info("RATE_LIMIT_EXCEEDED") + "," + Retry("301s"), "no", 301 },
        { "", "You have exhausted your capacity on this model. Your quota will reset after 1h2m3s.", 3723 },
    };

    [Theory]
    [MemberData(nameof(Exhausted))]
    public void UsedUpQuota_RestsTheSignInForTheModel(string details, string message, double seconds)
    {
        foreach (string type in (string[])["geminicli", "antigravity"])
        {
            Outcome outcome = Judge(429, Limit(details, message), type)!;
            Assert.Equal((OutcomeKind.Limited, Scope.CredentialModel, false, ErrorKind.Quota), (outcome.Kind, outcome.Scope, outcome.Counts, outcome.Error!.Kind));
            Assert.Equal(seconds, (outcome.RetryAt!.Value - Now).TotalSeconds, 3);
        }
    }

    [Theory]
    [InlineData("RATE_LIMIT_EXCEEDED", "34.07s", 34.07)]
    [InlineData("RATE_LIMIT_EXCEEDED", "900ms", 0.9)]
    [InlineData("RATE_LIMIT_EXCEEDED", "12", 12)]
    [InlineData("RATE_LIMIT_EXCEEDED", "299s", 299)]
    public void LimitOfTheMinute_RestsThatLong(string reason, string delay, double seconds)
    {
        Outcome outcome = Judge(429, Limit(Info(reason) + "," + Retry(delay)))!;
        Assert.Equal((OutcomeKind.Limited, Scope.CredentialModel, ErrorKind.RateLimit), (outcome.Kind, outcome.Scope, outcome.Error!.Kind));
        Assert.Equal(seconds, (outcome.RetryAt!.Value - Now).TotalSeconds, 3);
    }

    [Theory]
    [InlineData("geminicli", ErrorKind.RateLimit)]
    [InlineData("antigravity", ErrorKind.Quota)]
    public void FiveMinutes_AreTheBorder(string type, ErrorKind kind) => Assert.Equal(kind, Judge(429, Limit(Info("RATE_LIMIT_EXCEEDED") + "," + Retry("300s")), type)!.Error!.Kind);

    [Fact]
    public void PerMinuteQuota_RestsAMinute() => Assert.Equal(60, (Judge(429, Limit(Quota("RequestsPerMinute")))!.RetryAt!.Value - Now).TotalSeconds);

    [Theory]
    [InlineData("Please retry in 7.5s.", 7.5)]
    [InlineData("Please retry in 250ms", 0.25)]
    public void DelayInWords_IsRead(string message, double seconds) => Assert.Equal(seconds, (Judge(429, Limit("", message))!.RetryAt!.Value - Now).TotalSeconds, 3);

    [Fact]
    public void LimitWithoutAReason_IsSoft() =>
        Assert.Equal(5, (Judge(429, Limit("", "Resource has been exhausted (e.g. check quota)."), "antigravity")!.RetryAt!.Value - Now).TotalSeconds);

    [Theory]
    [InlineData(429, "MODEL_CAPACITY_EXHAUSTED", "no")]
    [InlineData(503, "MODEL_CAPACITY_EXCEEDED", "no")]
    [InlineData(503, "OTHER", "No capacity available for model gemini-3-pro")]
    public void FullServers_AreNotTheSignInsFault(int status, string reason, string message)
    {
        Outcome outcome = Judge(status, Error(status, "UNAVAILABLE", message, Info(reason)))!;
        Assert.Equal((OutcomeKind.Limited, Scope.Model, true, ErrorKind.Overloaded), (outcome.Kind, outcome.Scope, outcome.Counts, outcome.Error!.Kind));
    }

    [Theory]
    [InlineData(429, "Quota exceeded for metric, limit: 0, model: x", "QUOTA_EXHAUSTED")]
    [InlineData(503, "limit: 0", "X")]
    [InlineData(499, "limit:0", "X")]
    [InlineData(429, "no", "INSUFFICIENT_G1_CREDITS_BALANCE")]
    public void WhatTheAccountMayNotUse_IsNoMatterOfTime(int status, string message, string reason)
    {
        Outcome outcome = Judge(status, Error(status, "X", message, Info(reason)))!;
        Assert.Equal((OutcomeKind.Limited, Scope.CredentialModel, ErrorKind.Quota), (outcome.Kind, outcome.Scope, outcome.Error!.Kind));
        Assert.Equal(Now.AddDays(1), outcome.RetryAt);
    }

    [Fact]
    public void OtherLimits_AreNotMistakenForNone() => Assert.NotEqual(Now.AddDays(1), Judge(429, Limit(Info("QUOTA_EXHAUSTED"), "limit: 0.5"))!.RetryAt);

    [Theory]
    [InlineData("VALIDATION_REQUIRED", "{\"validation_link\":\"https://example.com/v\"}", "Verify your account", "verified in a browser", "https://example.com/v")]
    [InlineData("VALIDATION_REQUIRED", "{\"validation_url\":\"https://example.com/u\"}", "Verify your account", "verified in a browser", "https://example.com/u")]
    [InlineData("TOS_VIOLATION", "{\"appeal_url\":\"https://example.com/a\"}", "bad", "suspended", "https://example.com/a")]
    [InlineData("X", "{}", "Gemini has been disabled in this account for violation of Terms of Service.", "suspended", null)]
    [InlineData("SERVICE_DISABLED", "{}", "no", "not enabled", null)]
    [InlineData("X", "{}", "Cloud Code Private API has not been used in project 1 before", "not enabled", null)]
    [InlineData("X", "{}", "The caller does not have required license / permission", "no licence", null)]
    [InlineData("X", "{}", "no licence", "no licence", null)]
    [InlineData("X", "{}", "The caller does not have permission", "no licence", null)]
    [InlineData("X", "{}", "The required permission is missing", "no licence", null)]
    public void Forbidden_TakesTheSignInOut_AndSaysWhere(string reason, string metadata, string message, string says, string? link)
    {
        Outcome outcome = Judge(403, Error(403, "PERMISSION_DENIED", message, Info(reason, metadata)))!;
        Assert.Equal((OutcomeKind.CredentialRefused, Scope.Credential), (outcome.Kind, outcome.Scope));
        Assert.Contains(says, outcome.SignInFault!.Reason);
        Assert.Contains(message, outcome.SignInFault.Reason);
        Assert.Equal(link, outcome.SignInFault.Link?.AbsoluteUri);
    }

    [Theory]
    [InlineData("This version of the client is no longer supported.", true)]
    [InlineData("This model is no longer supported.", false)]
    [InlineData("Wrong version.", false)]
    public void ClientTooOld_IsToldWhereToMendIt(string message, bool isTooOld)
    {
        Outcome? outcome = Judge(400, Error(400, "FAILED_PRECONDITION", message));
        Assert.Equal(isTooOld, outcome?.Error!.Message.Contains("user_agent", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void VerificationLink_IsFoundInTheHelpToo()
    {
        const string Help = """{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"d","url":"https://example.com/first"},{"url":"https://example.com/second"}]}""";
        Assert.Equal("https://example.com/first", Judge(403, Error(403, "PERMISSION_DENIED", "no", Info("VALIDATION_REQUIRED") + "," + Help))!.SignInFault!.Link!.AbsoluteUri);
    }

    [Fact]
    public void ForbiddenForNoKnownReason_MayPass()
    {
        Outcome outcome = Judge(403, Error(403, "PERMISSION_DENIED", "no"))!;
        Assert.Equal(OutcomeKind.CredentialRefused, outcome.Kind);
        Assert.Null(outcome.SignInFault);
    }

    [Fact]
    public void NoLicence_SaysThatTheSignInHasEndedForMost() =>
        Assert.Contains("2026-06-18", Judge(403, Error(403, "PERMISSION_DENIED", "does not have the required license"))!.SignInFault!.Reason);

    [Fact]
    public void ErrorInAnArray_OrInsideAMessage_IsRead()
    {
        string inner = Limit(Info("QUOTA_EXHAUSTED") + "," + Retry("6h"));
        foreach (string body in (string[])["[" + inner + "]", Error(429, "X", "upstream said: " + inner), "{\"error\":" + System.Text.Json.JsonSerializer.Serialize(inner) + "}"])
            Assert.Equal(21600, (Judge(429, body)!.RetryAt!.Value - Now).TotalSeconds);
    }

    [Theory]
    [InlineData(404, OutcomeKind.Failed, ErrorKind.NotFound)]
    [InlineData(499, OutcomeKind.Failed, ErrorKind.ServerError)]
    public void ModelsFault_IsFailedOver(int status, OutcomeKind kind, ErrorKind error)
    {
        Outcome outcome = Judge(status, Error(status, "X", "no"))!;
        Assert.Equal((kind, Scope.Model, error), (outcome.Kind, outcome.Scope, outcome.Error!.Kind));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(500)]
    [InlineData(503)]
    public void TheRest_MeansWhatItMeansEverywhere(int status) => Assert.Null(Judge(status, Error(status, "X", "no")));

    [Fact]
    public void OldVersion_SaysWhatToSet() =>
        Assert.Contains("user_agent", Judge(400, Error(400, "X", "This version of Antigravity is no longer supported. Please update."), "antigravity")!.Error!.Message);

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"error\":7}")]
    [InlineData("{\"error\":{\"details\":7,\"message\":[]}}")]
    [InlineData("{\"error\":{\"details\":[7,{},{\"@type\":7},{\"@type\":\"google.rpc.RetryInfo\",\"retryDelay\":{}},{\"@type\":\"google.rpc.ErrorInfo\",\"metadata\":[]}]}}")]
    [InlineData("{\"error\":{\"message\":\"\\ud800\",\"details\":[{\"@type\":\"\\ud800\"}]}}")]
    public void BrokenBodies_AreJudgedByTheirStatus(string body) => Assert.Equal(OutcomeKind.Limited, Judge(429, body)!.Kind);

    [Fact]
    public void ErrorInsideAStream_IsJudgedByWhatTheReaderKept()
    {
        var error = new ProxyError(ErrorKind.RateLimit, "no") { Code = "RATE_LIMIT_EXCEEDED", RetryAfter = TimeSpan.FromSeconds(20) };
        Outcome outcome = new CodeAssistJudgement("geminicli").Of(new Refusal(429, error, [], Encoding.UTF8.GetBytes("no"), Now, null!))!;
        Assert.Equal((Scope.CredentialModel, Now.AddSeconds(20)), (outcome.Scope, outcome.RetryAt!.Value));
    }

    [Theory]
    [InlineData("2026-08-01T12:00:00Z", "2026-08-02T07:00:00Z")]
    [InlineData("2026-08-02T06:59:59Z", "2026-08-02T07:00:00Z")]
    [InlineData("2026-08-02T07:00:00Z", "2026-08-03T07:00:00Z")]
    [InlineData("2026-12-31T20:00:00Z", "2027-01-01T08:00:00Z")]
    [InlineData("2026-03-08T09:00:00Z", "2026-03-09T07:00:00Z")]
    [InlineData("2026-03-08T07:30:00Z", "2026-03-08T08:00:00Z")]
    [InlineData("2026-11-01T08:30:00Z", "2026-11-02T08:00:00Z")]
    [InlineData("2026-11-01T06:30:00Z", "2026-11-01T07:00:00Z")]
    public void MidnightInCalifornia_KnowsDaylightSaving(string now, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected), PacificTime.NextMidnight(DateTimeOffset.Parse(now)));
}
