using System.Text;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>The table of errors, row by row; each is judged the same again from what was read.</summary>
public sealed class KiroErrorTests
{
    [Theory]
    [InlineData(400, """{"message":"Input is too long.","reason":"CONTENT_LENGTH_EXCEEDS_THRESHOLD"}""", ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(400, """{"message":"x","reason":"CONTENT_LENGTH_EXCEEDS_THRESHOLD"}""", ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(400, """{"message":"Input is too long."}""", ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(400, """{"message":"Invalid model.","reason":"INVALID_MODEL_ID"}""", ErrorKind.NotFound, KiroScope.Model, KiroAction.FailOver)]
    [InlineData(400, """{"message":"x","reason":"INVALID_CONVERSATION_ID"}""", ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Reform)]
    [InlineData(400, """{"message":"x","reason":"INVALID_KMS_GRANT"}""", ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Reform)]
    [InlineData(400, """{"__type":"com.amazon.aws.codewhisperer#ValidationException","message":"Improperly formed request."}""", ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Reform)]
    [InlineData(400, """{"message":"other"}""", ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(401, """{"__type":"UnauthorizedException","message":"x"}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"message":"The bearer token included in the request is invalid."}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"__type":"x#ExpiredTokenException","message":"no"}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"message":"The security token included in the request is expired"}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"message":"x","reason":"TEMPORARILY_SUSPENDED"}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Disable)]
    [InlineData(403, """{"message":"Your User ID temporarily is suspended."}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Disable)]
    [InlineData(403, """{"message":"x","reason":"FEATURE_NOT_SUPPORTED"}""", ErrorKind.UpstreamAuth, KiroScope.Model, KiroAction.DisableModel)]
    [InlineData(403, """{"message":"x","reason":"UNAUTHORIZED_CUSTOMIZATION_RESOURCE_ACCESS"}""", ErrorKind.UpstreamAuth, KiroScope.Model, KiroAction.DisableModel)]
    [InlineData(403, """{"__type":"AccessDeniedException","message":null}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.CheckSignIn)]
    [InlineData(402, """{"message":"x","reason":"MONTHLY_REQUEST_COUNT"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth)]
    [InlineData(402, """{"message":"x","reason":"OVERAGE_REQUEST_LIMIT_EXCEEDED"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth)]
    [InlineData(402, """{"message":"x"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth)]
    [InlineData(400, """{"__type":"ServiceQuotaExceededException","message":"x"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth)]
    [InlineData(429, """{"__type":"ThrottlingException","message":"x","reason":"DAILY_REQUEST_COUNT"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestDay)]
    [InlineData(429, """{"message":"x","reason":"MONTHLY_REQUEST_COUNT"}""", ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth)]
    [InlineData(429, """{"message":"x","reason":"INSUFFICIENT_MODEL_CAPACITY"}""", ErrorKind.Overloaded, KiroScope.Model, KiroAction.FailOver)]
    [InlineData(429, """{"__type":"ThrottlingException","message":"Too many requests"}""", ErrorKind.RateLimit, KiroScope.Credential, KiroAction.Backoff)]
    [InlineData(500, """{"message":"x","reason":"MODEL_TEMPORARILY_UNAVAILABLE"}""", ErrorKind.Overloaded, KiroScope.Model, KiroAction.Retry)]
    [InlineData(500, """{"message":"Encountered unexpectedly high load when processing the request, please try again."}""", ErrorKind.Overloaded, KiroScope.Model, KiroAction.Retry)]
    [InlineData(500, """{"__type":"InternalServerException"}""", ErrorKind.ServerError, KiroScope.Model, KiroAction.Retry)]
    [InlineData(502, "<html>bad</html>", ErrorKind.BadGateway, KiroScope.Model, KiroAction.Retry)]
    [InlineData(503, "", ErrorKind.Overloaded, KiroScope.Model, KiroAction.Retry)]
    [InlineData(400, """{"Message":"Input is too long."}""", ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(400, """{"error":"Input is too long."}""", ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse)]
    [InlineData(403, """{"error":{"_type":"x#ExpiredTokenException","message":"no"}}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"error":{"code":"ExpiredTokenException","message":"no"}}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(403, """{"ExpiredTokenException":{"message":"no"}}""", ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh)]
    [InlineData(504, "{}", ErrorKind.Timeout, KiroScope.Model, KiroAction.Retry)]
    public void Error_IsClassified(int status, string body, ErrorKind kind, KiroScope scope, KiroAction action)
    {
        ProxyError error = KiroWire.Protocol.ReadError(status, Encoding.UTF8.GetBytes(body));
        Assert.Equal((kind, status), (error.Kind, error.UpstreamStatus));
        Assert.Equal(new KiroFault(kind, scope, action), KiroFault.Of(error));
        Assert.Equal(kind is ErrorKind.UpstreamAuth or ErrorKind.Quota ? false : null, error.ShouldRetry);
        Assert.NotEmpty(error.Message);
    }

    [Fact]
    public void Code_IsTheReason_ElseTheType_ElseTheHeader()
    {
        Assert.Equal("DAILY_REQUEST_COUNT", KiroErrors.Read(429, """{"__type":"a#ThrottlingException","reason":"DAILY_REQUEST_COUNT"}"""u8).Code);
        Assert.Equal("ThrottlingException", KiroErrors.Read(429, """{"__type":"a#ThrottlingException","message":"x"}"""u8).Code);
        Assert.Equal("ThrottlingException", KiroErrors.Read(429, """{"message":"x"}"""u8, "ThrottlingException:http://internal.amazon.com/x").Code);
    }

    [Fact]
    public void Message_HoldsNoSecrets()
    {
        ProxyError error = KiroErrors.Read(403, """{"message":"token aoaAAAAAGfake0123456789:more and ksk_fake0123 Bearer fakefakefake"}"""u8);
        Assert.Equal("token [redacted] and [redacted] [redacted]", error.Message);
        Assert.DoesNotContain("aorfake", KiroErrors.Read(500, "aorfake0123456789 is the token"u8).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rests_EndAtTheNextDay_OrMonth_OrWhereTheQuotaBegins()
    {
        var now = new DateTimeOffset(2026, 12, 31, 23, 30, 0, TimeSpan.FromHours(-5));
        var day = new KiroFault(ErrorKind.Quota, KiroScope.Credential, KiroAction.RestDay);
        KiroFault month = day with { Action = KiroAction.RestMonth };
        Assert.Equal(new DateTimeOffset(2027, 1, 2, 0, 0, 0, TimeSpan.Zero), day.RestUntil(now));
        Assert.Equal(new DateTimeOffset(2027, 2, 1, 0, 0, 0, TimeSpan.Zero), month.RestUntil(now));
        Assert.Equal(now.AddDays(3), month.RestUntil(now, now.AddDays(3)));
        Assert.Equal(new DateTimeOffset(2027, 2, 1, 0, 0, 0, TimeSpan.Zero), month.RestUntil(now, now.AddDays(-3)));
        Assert.Null((day with { Action = KiroAction.Backoff }).RestUntil(now));
    }
}
