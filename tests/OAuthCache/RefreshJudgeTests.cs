using System.Text;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class RefreshJudgeTests
{
    private const string Html = "<html>do not show me</html>";

    [Theory]
    [InlineData("codex", 400, """{"error":"invalid_grant"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 400, """{"error":{"code":"refresh_token_reused"}}""", RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 400, """{"code":"refresh_token_expired"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 403, """{"error":{"type":"refresh_token_invalidated"}}""", RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 401, "{}", RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 401, Html, RefreshOutcomeKind.Permanent)]
    [InlineData("codex", 403, Html, RefreshOutcomeKind.Transient)]
    [InlineData("codex", 403, "{}", RefreshOutcomeKind.Unknown)]
    [InlineData("claudecode", 400, """{"error":"invalid_grant"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("claudecode", 404, """{"type":"error","error":{"type":"not_found_error","message":"do not show me"}}""", RefreshOutcomeKind.Permanent)]
    [InlineData("claudecode", 404, "{}", RefreshOutcomeKind.Unknown)]
    [InlineData("claudecode", 401, "{}", RefreshOutcomeKind.Permanent)]
    [InlineData("claudecode", 400, """{"error":"invalid_request"}""", RefreshOutcomeKind.Unknown)]
    [InlineData("geminicli", 400, """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}""", RefreshOutcomeKind.Permanent)]
    [InlineData("geminicli", 400, """{"error":"invalid_grant","error_subtype":"invalid_rapt"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("geminicli", 400, """{"error":"unauthorized_client"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("geminicli", 401, """{"error":"invalid_client"}""", RefreshOutcomeKind.Client)]
    [InlineData("geminicli", 401, """{"error":"deleted_client"}""", RefreshOutcomeKind.Client)]
    [InlineData("antigravity", 400, """{"error":"invalid_request","error_description":"client_secret is missing."}""", RefreshOutcomeKind.Client)]
    [InlineData("kiro", 400, """{"__type":"com.amazonaws.ssooidc#InvalidGrantException"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 400, """{"error":"invalid_grant"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 401, """{"__type":"ExpiredTokenException"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 401, """{"__type":"UnauthorizedException"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 400, """{"error":"unauthorized_client","__type":"UnauthorizedClientException"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 401, """{"error":"invalid_client"}""", RefreshOutcomeKind.Client)]
    [InlineData("kiro", 401, """{"__type":"InvalidClientException"}""", RefreshOutcomeKind.Client)]
    [InlineData("kiro", 403, """{"message":"do not show me"}""", RefreshOutcomeKind.Permanent)]
    [InlineData("kiro", 403, Html, RefreshOutcomeKind.Transient)]
    [InlineData("codex", 429, "{}", RefreshOutcomeKind.RateLimited)]
    [InlineData("codex", 500, """{"error":"invalid_grant"}""", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 503, Html, RefreshOutcomeKind.Transient)]
    [InlineData("codex", 408, "{}", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 302, "", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 200, Html, RefreshOutcomeKind.Transient)]
    [InlineData("codex", 200, "[]", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 200, "{}", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 200, """{"access_token":"two words"}""", RefreshOutcomeKind.Transient)]
    [InlineData("codex", 200, """{"access_token":"at-fake"}""", RefreshOutcomeKind.Granted)]
    public void Answer_HasItsClass(string type, int status, string body, RefreshOutcomeKind expected)
    {
        RefreshOutcome outcome = Judge(type, status, body);
        Assert.Equal(expected, outcome.Kind);
        Assert.DoesNotContain("do not show me", outcome.ToString());
    }

    [Fact]
    public void AmazonHeader_NamesTheError() => Assert.Equal(RefreshOutcomeKind.Permanent, RefreshJudge.Judge(
        "kiro", KiroMethod.BuilderId, Request(false), new RefreshReply(400, "{}"u8.ToArray(), null, "InvalidGrantException:http://internal/", null, true), default).Kind);

    [Fact]
    public void KiroIdentityCenter_403WithoutCode_IsNotForGood() => Assert.Equal(RefreshOutcomeKind.Unknown, RefreshJudge.Judge(
        "kiro", KiroMethod.IdentityCenter, Request(false), new RefreshReply(403, "{}"u8.ToArray(), null, null, null, true), default).Kind);

    [Theory]
    [InlineData("geminicli")]
    [InlineData("antigravity")]
    public void GoogleWithoutSecret_SaysWhichSetting(string type) =>
        Assert.Contains("oauth.client_secret", Judge(type, 401, """{"error":"invalid_client"}""").Reason);

    [Theory]
    [InlineData(true, RefreshOutcomeKind.Lost)]
    [InlineData(false, RefreshOutcomeKind.Transient)]
    public void NoAnswer_IsLostOnlyWhenItWasSent(bool wasSent, RefreshOutcomeKind expected) =>
        Assert.Equal(expected, RefreshJudge.Judge("codex", null, Request(false), RefreshReply.Failed("cut", wasSent), default).Kind);

    [Theory]
    [InlineData("""{"access_token":"a","expires_in":60}""", 60)]
    [InlineData("""{"access_token":"a","expires_in":"60"}""", 60)]
    [InlineData("""{"accessToken":"a","expiresIn":60}""", 60)]
    [InlineData("""{"access_token":"a"}""", 3600)]
    [InlineData("""{"access_token":"a","expires_in":0}""", 3600)]
    [InlineData("""{"access_token":"a","expires_in":-5}""", 3600)]
    [InlineData("""{"access_token":"a","expires_in":"soon"}""", 3600)]
    [InlineData("""{"access_token":"a","expires_in":1e300}""", 315360000)]
    public void Lifetime_CountsFromTheAnswer(string body, double seconds)
    {
        DateTimeOffset now = Sample.Expiry;
        Assert.Equal(now + TimeSpan.FromSeconds(seconds), TokenGrant.Read(Encoding.UTF8.GetBytes(body), now)!.ExpiresAt);
    }

    [Fact]
    public void Lifetime_NotTold_ComesFromTheClaimIfThatIsAhead()
    {
        string body = $$"""{"access_token":"{{Sample.CodexAccess}}"}""";
        Assert.Equal(Sample.Expiry, TokenGrant.Read(Encoding.UTF8.GetBytes(body), Sample.Expiry - TimeSpan.FromHours(2))!.ExpiresAt);
        Assert.Equal(Sample.Expiry + TimeSpan.FromHours(2), TokenGrant.Read(Encoding.UTF8.GetBytes(body), Sample.Expiry + TimeSpan.FromHours(1))!.ExpiresAt);
    }

    private static RefreshOutcome Judge(string type, int status, string body) =>
        RefreshJudge.Judge(type, type == "kiro" ? KiroMethod.Social : null, Request(false), new RefreshReply(status, Encoding.UTF8.GetBytes(body), null, null, null, true), default);

    private static RefreshRequest Request(bool hasSecret) =>
        new() { Url = new Uri("https://h/t"), Body = [], ContentType = "application/json", HasClientSecret = hasSecret, Fingerprint = "f" };
}
