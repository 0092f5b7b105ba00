using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class HeaderRulesTests
{
    [Theory]
    [InlineData("anthropic", "anthropic-beta", true)]
    [InlineData("anthropic", "Anthropic-New-Thing", true)]
    [InlineData("anthropic", "x-claude-code-session-id", true)]
    [InlineData("anthropic", "openai-beta", false)]
    [InlineData("anthropic", "user-agent", false)]
    [InlineData("anthropic", "accept-encoding", false)]
    [InlineData("openai", "openai-beta", true)]
    [InlineData("openai", "openai-organization", true)]
    [InlineData("openai", "x-client-request-id", true)]
    [InlineData("responses", "session_id", true)]
    [InlineData("responses", "x-codex-turn-metadata", true)]
    [InlineData("openai", "anthropic-beta", false)]
    [InlineData("gemini", "x-goog-api-client", true)]
    [InlineData("gemini", "x-goog-api-key", false)]
    [InlineData("gemini", "X-Goog-Iam-Authorization-Token", false)]
    [InlineData("openai", "Authorization", false)]
    [InlineData("anthropic", "x-api-key", false)]
    [InlineData("anthropic", "anthropic-auth-token", false)]
    [InlineData("openai", "cookie", false)]
    [InlineData("openai", "idempotency-key", true)]
    [InlineData("openai", "x-forwarded-for", false)]
    [InlineData("openai", "content-type", false)]
    [InlineData("gemini", "X-Server-Timeout", true)]
    [InlineData("openai", "x-server-timeout", false)]
    [InlineData("nobody", "openai-beta", false)]
    public void ToUpstream(string protocol, string name, bool passes) => Assert.Equal(passes, HeaderRules.PassesToUpstream(protocol, name));

    [Theory]
    [InlineData("request-id", true)]
    [InlineData("x-request-id", true)]
    [InlineData("retry-after", true)]
    [InlineData("x-should-retry", true)]
    [InlineData("anthropic-ratelimit-tokens-remaining", true)]
    [InlineData("x-codex-turn-state", true)]
    [InlineData("X-Aiproxy-Estimated", true)]
    [InlineData("x-aiproxy-upstream", false)]
    [InlineData("Set-Cookie", false)]
    [InlineData("transfer-encoding", false)]
    [InlineData("content-encoding", false)]
    [InlineData("location", false)]
    [InlineData("access-control-allow-origin", false)]
    [InlineData("Access-Control-Allow-Private-Network", false)]
    public void ToClient(string name, bool passes) => Assert.Equal(passes, HeaderRules.PassesToClient(name));

    [Theory]
    [InlineData("User-Agent", true, false)]
    [InlineData("x-app", true, false)]
    [InlineData("X-Stainless-Lang", true, false)]
    [InlineData("x-api-key", false, true)]
    [InlineData("Authorization", false, true)]
    [InlineData("Set-Cookie", false, true)]
    [InlineData("accept", false, false)]
    public void OfToolsAndOfCredentials(string name, bool isOfTool, bool isCredential) => Assert.Equal((isOfTool, isCredential), (HeaderRules.IsOfTool(name), HeaderRules.IsCredential(name)));

    [Fact]
    public void NamedByConnection_StaysHere()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Connection", "x-hop");
        response.Headers.TryAddWithoutValidation("x-hop", "1");
        response.Headers.TryAddWithoutValidation("x-two", "a");
        response.Headers.TryAddWithoutValidation("x-two", "b");
        Assert.Equal(["x-two=a", "x-two=b"], ResponseHeaders.ForClient(response).Select(header => $"{header.Key}={header.Value}"));
    }

    [Theory]
    [InlineData(ErrorKind.RateLimit, 7.2, "retry-after=8")]
    [InlineData(ErrorKind.RateLimit, 0, "retry-after=1")]
    [InlineData(ErrorKind.RateLimit, 61, "retry-after=61;x-should-retry=false")]
    [InlineData(ErrorKind.ClientAuth, -1, "x-should-retry=false")]
    [InlineData(ErrorKind.UpstreamAuth, -1, "x-should-retry=false")]
    [InlineData(ErrorKind.NotFound, -1, "x-should-retry=false")]
    [InlineData(ErrorKind.TooLarge, -1, "x-should-retry=false")]
    [InlineData(ErrorKind.BadGateway, -1, "")]
    [InlineData(ErrorKind.InvalidRequest, -1, "")]
    public void ErrorHeaders_TellWhetherToTryAgain(ErrorKind kind, double seconds, string headers)
    {
        var error = new ProxyError(kind, "x") { RetryAfter = seconds < 0 ? null : TimeSpan.FromSeconds(seconds) };
        Assert.Equal(headers, string.Join(';', ErrorHeaders.Of(error).Select(header => $"{header.Key}={header.Value}")));
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("172.31.0.1", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.9.9", true)]
    [InlineData("169.254.169.254", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("224.0.0.1", true)]
    [InlineData("8.8.8.8", false)]
    [InlineData("::1", true)]
    [InlineData("::", true)]
    [InlineData("fe80::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("64:ff9b::a00:1", true)]
    [InlineData("64:ff9b::808:808", false)]
    [InlineData("2606:4700::1111", false)]
    public void PrivateAddress_IsKnown(string address, bool isPrivate) => Assert.Equal(isPrivate, PrivateAddress.Is(System.Net.IPAddress.Parse(address)));
}
