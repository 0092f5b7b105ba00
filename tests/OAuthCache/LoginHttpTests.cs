using Aiproxy.OAuthCache;
using Aiproxy.Tests.Upstreams;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginHttpTests
{
    private static readonly Uri Url = new("https://auth.example.com/token?x=1");

    private readonly FakeClock _clock = new();
    private readonly ScriptedHandler _script = new();

    [Fact]
    public async Task Form_IsWrittenWithoutPlus()
    {
        _script.Answers(200, """{"a":"b"}""");
        LoginReply reply = await Http().PostFormAsync(Url, CancellationToken.None, ("scope", "openid email"), ("code", "a/b+c"));
        Assert.True(reply.IsFine);
        Assert.Equal("scope=openid%20email&code=a%2Fb%2Bc", _script.Bodies[0]);
        Assert.Equal("application/x-www-form-urlencoded", _script.Headers[0]["content-type"]);
        Assert.Equal("aiproxy/test", _script.Headers[0]["user-agent"]);
    }

    [Fact]
    public async Task Json_IsAnObjectOfStrings()
    {
        _script.Answers(200, "{}");
        await Http().PostJsonAsync(Url, CancellationToken.None, ("code", "a\"b"), ("state", "s"));
        Assert.Equal("""{"code":"a\u0022b","state":"s"}""", _script.Bodies[0]);
        Assert.Equal("application/json", _script.Headers[0]["content-type"]);
    }

    [Theory]
    [InlineData(400, """{"error":"invalid_grant","error_description":"Bad\ncode"}""", "x failed: auth.example.com answered 400 invalid_grant: Bad code")]
    [InlineData(401, """{"error":{"code":"token_expired","message":"gone"}}""", "x failed: auth.example.com answered 401 token_expired: gone")]
    [InlineData(403, """{"message":"no"}""", "x failed: auth.example.com answered 403 no")]
    [InlineData(400, """{"__type":"com.amazon#InvalidGrantException"}""", "x failed: auth.example.com answered 400 com.amazon#InvalidGrantException")]
    [InlineData(400, "{}", "x failed: auth.example.com answered 400 without a reason")]
    [InlineData(400, """{"error":"\ud800","message":"kept"}""", "x failed: auth.example.com answered 400 kept")]
    [InlineData(503, "<html>", "x failed: auth.example.com answered 503 with something that is not JSON")]
    [InlineData(200, "[1]", "x failed: auth.example.com answered 200 with something that is not JSON")]
    [InlineData(200, "{}", "x failed: auth.example.com answered 200 without what was asked for")]
    [InlineData(302, "", "x failed: auth.example.com answered 302 with something that is not JSON")]
    public async Task UselessAnswer_IsToldInOneLine(int status, string body, string line)
    {
        _script.Answers(status, body);
        LoginReply reply = await Http().GetAsync(Url, null, CancellationToken.None);
        Assert.Equal(line, reply.Refusal("x").Line);
    }

    [Theory]
    [InlineData(1024 * 1024, true)]
    [InlineData(1024 * 1024 + 1, false)]
    public async Task AnswerAboveAMegabyte_IsNone(int length, bool isRead)
    {
        _script.Answers(200, "{}".PadRight(length));
        LoginReply reply = await Http().GetAsync(Url, null, CancellationToken.None);
        Assert.Equal(isRead, reply.IsFine);
        if (!isRead) Assert.Contains("longer than 1 MB", reply.Refusal("x").Line);
    }

    [Fact]
    public async Task NoAnswer_EndsAfterThirtySeconds()
    {
        _script.Hangs();
        Task<LoginReply> running = Http().GetAsync(Url, null, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(running.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2));
        LoginReply reply = await running;
        Assert.Equal(0, reply.Status);
        Assert.True(reply.IsPassing);
        Assert.Contains("no answer in 30 s", reply.Refusal("x").Line);
    }

    [Fact]
    public async Task BrokenConnection_IsAValueAndCancellationIsNot()
    {
        _script.Fails(new HttpRequestException(HttpRequestError.NameResolutionError, "secret.host")).Fails(new IOException("cut")).Hangs();
        Assert.Contains("cannot be resolved", (await Http().GetAsync(Url, null, CancellationToken.None)).Refusal("x").Line);
        Assert.Contains("broke", (await Http().GetAsync(Url, null, CancellationToken.None)).Refusal("x").Line);
        using var cancel = new CancellationTokenSource();
        Task<LoginReply> running = Http().GetAsync(Url, null, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private LoginHttp Http() => new(new HttpMessageInvoker(_script), _clock, "aiproxy/test");
}
