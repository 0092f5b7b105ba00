using System.Net;
using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class OriginGuardTests
{
    private static readonly OriginGuard Developer = new([], [], isLoopbackOnly: true, hasClientKeys: false);
    private static readonly OriginGuard Allowing =
        new(["https://app.example", "http://tool.example:3000", "app://notes"], [], isLoopbackOnly: true, hasClientKeys: true);
    private static readonly OriginGuard Public = new([], ["ai.example", "::1"], isLoopbackOnly: false, hasClientKeys: true);
    private static readonly OriginGuard Anything = new(["*"], [], isLoopbackOnly: false, hasClientKeys: true);

    [Theory]
    [InlineData("localhost:8080", true)]
    [InlineData("LocalHost", true)]
    [InlineData("localhost.:8080", true)]
    [InlineData("app.localhost:8080", true)]
    [InlineData("127.0.0.1:8080", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("evil.example:8080", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("notlocalhost", false)]
    [InlineData("192.168.0.7:8080", false)]
    [InlineData("[::1", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void LoopbackWithoutKeys_DemandsALoopbackHost(string? host, bool allowed) => Assert.Equal(allowed, Ask(Developer, host).IsAllowed);

    [Theory]
    [InlineData("http://localhost:8080", "localhost:8080", true)]
    [InlineData("http://LOCALHOST:8080", "localhost:8080", true)]
    [InlineData("http://localhost", "localhost:80", true)]
    [InlineData("http://localhost:3000", "localhost:8080", false)]
    [InlineData("https://localhost:8080", "localhost:8080", false)]
    [InlineData("http://127.0.0.1:8080", "localhost:8080", false)]
    [InlineData("http://[::1]:8080", "[::1]:8080", true)]
    [InlineData("https://evil.example", "localhost:8080", false)]
    [InlineData("null", "localhost:8080", false)]
    [InlineData("http://localhost:8080, http://localhost:8080", "localhost:8080", false)]
    [InlineData("", "localhost:8080", true)]
    public void Origin_MustBeOurOwn(string origin, string host, bool allowed)
    {
        OriginVerdict verdict = Ask(Developer, host, origin);
        Assert.Equal((allowed, null), (verdict.IsAllowed, verdict.CorsOrigin));
    }

    [Theory]
    [InlineData("https://app.example", "https://app.example")]
    [InlineData("https://app.example:443", "https://app.example:443")]
    [InlineData("http://tool.example:3000", "http://tool.example:3000")]
    [InlineData("app://notes", "app://notes")]
    [InlineData("http://app.example", null)]
    [InlineData("https://app.example:8443", null)]
    [InlineData("https://app.example.evil", null)]
    [InlineData("http://tool.example", null)]
    [InlineData("null", null)]
    public void AllowedOrigin_MayReadTheAnswer(string origin, string? cors)
    {
        OriginVerdict verdict = Ask(Allowing, "localhost:8080", origin);
        Assert.Equal((cors is not null, cors), (verdict.IsAllowed, verdict.CorsOrigin));
    }

    [Fact]
    public void Star_AllowsEveryOrigin() => Assert.Equal("https://any.example", Ask(Anything, "10.0.0.5:8080", "https://any.example").CorsOrigin);

    [Theory]
    [InlineData("ai.example", false, true)]
    [InlineData("AI.example:443", false, true)]
    [InlineData("[::1]:8080", false, true)]
    [InlineData("other.example", false, false)]
    [InlineData("localhost:8080", false, false)]
    [InlineData("localhost:8080", true, true)]
    [InlineData("other.example", true, false)]
    public void AllowedHosts_DecideElsewhere(string host, bool isLoopbackClient, bool allowed) =>
        Assert.Equal(allowed, Public.Judge(new OriginRequest("https", host, null, isLoopbackClient)).IsAllowed);

    [Fact]
    public void ForeignHostNameThatEqualsItsOrigin_IsNotOurOwn() =>
        Assert.False(Ask(new OriginGuard([], [], false, true), "rebound.example:8080", "http://rebound.example:8080").IsAllowed);

    [Fact]
    public void AllowedHostThatEqualsItsOrigin_IsOurOwn() =>
        Assert.Equal(default, Public.Judge(new OriginRequest("https", "ai.example", "https://ai.example:443", false)));

    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("::1", null, true)]
    [InlineData("::ffff:127.0.0.1", null, true)]
    [InlineData("127.0.0.1", "203.0.113.9", false)]
    [InlineData("127.0.0.1", "", false)]
    [InlineData("10.0.0.1", null, false)]
    [InlineData(null, null, false)]
    public void LoopbackClient_IsDirectAndLocal(string? remote, string? forwardedFor, bool expected) =>
        Assert.Equal(expected, OriginGuard.IsLoopbackClient(remote is null ? null : IPAddress.Parse(remote), forwardedFor));

    [Fact]
    public void Preflight_EchoesTheHeadersThatWereAsked()
    {
        var headers = CorsHeaders.ForPreflight("https://app.example", "authorization, x-api-key", isPrivateNetwork: true).ToDictionary();
        Assert.Equal("https://app.example", headers["Access-Control-Allow-Origin"]);
        Assert.Equal("authorization, x-api-key", headers["Access-Control-Allow-Headers"]);
        Assert.Equal("true", headers["Access-Control-Allow-Private-Network"]);
    }

    [Fact]
    public void Preflight_EchoesNothingThatIsNoHeaderList() =>
        Assert.DoesNotContain(CorsHeaders.ForPreflight("https://app.example", "a\r\nSet-Cookie: x", false), header =>
        header.Key == "Access-Control-Allow-Headers");

    private static OriginVerdict Ask(OriginGuard guard, string? host, string? origin = null) =>
        guard.Judge(new OriginRequest("http", host, origin, true));
}
