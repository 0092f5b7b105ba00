using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class RequestPathTests
{
    [Theory]
    [InlineData("/v1/messages", "/v1/messages", "")]
    [InlineData("/v1/messages?beta=true", "/v1/messages", "?beta=true")]
    [InlineData("/v1/messages/", "/v1/messages", "")]
    [InlineData("//v1//messages", "/v1/messages", "")]
    [InlineData("/", "/", "")]
    [InlineData("///", "/", "")]
    [InlineData("", "/", "")]
    [InlineData("*", "*", "")]
    [InlineData("?x=1", "/", "?x=1")]
    [InlineData("/v1/v1/messages", "/v1/messages", "")]
    [InlineData("/v1/v1/v1/responses", "/v1/responses", "")]
    [InlineData("/v1/v1beta/models/g:generateContent", "/v1beta/models/g:generateContent", "")]
    [InlineData("/v1/api/hello", "/api/hello", "")]
    [InlineData("/messages", "/v1/messages", "")]
    [InlineData("/messages/count_tokens", "/v1/messages/count_tokens", "")]
    [InlineData("/chat/completions", "/v1/chat/completions", "")]
    [InlineData("/responses/resp_1", "/v1/responses/resp_1", "")]
    [InlineData("/models?format=names", "/v1/models", "?format=names")]
    [InlineData("/modelsx", "/modelsx", "")]
    [InlineData("/v1x/messages", "/v1x/messages", "")]
    [InlineData("http://host:8080/v1/messages?a=b", "/v1/messages", "?a=b")]
    [InlineData("https://host", "/", "")]
    [InlineData("/v1/models/a%2Fb:generateContent", "/v1/models/a/b:generateContent", "")]
    [InlineData("/v1/%6Dessages", "/v1/messages", "")]
    [InlineData("/v1/messages%3Fx", "/v1/messages?x", "")]
    [InlineData("/v1/models/%E4%BD%A0", "/v1/models/你", "")]
    [InlineData("/v1/models/%FF%zz", "/v1/models/%FF%zz", "")]
    [InlineData("/v1/messages#frag?x=1", "/v1/messages", "")]
    [InlineData("/redirect?to=http://x/y", "/redirect", "?to=http://x/y")]
    public void Target_IsPathAndQuery(string target, string path, string query)
    {
        RequestPath parsed = RequestPath.Parse(target);
        Assert.Equal((path, query, null), (parsed.Path, parsed.Query, parsed.Key));
    }

    [Theory]
    [InlineData("/v1beta/models?key=sk-fake", "", "sk-fake")]
    [InlineData("/v1beta/models?alt=sse&key=sk-fake&x=1", "?alt=sse&x=1", "sk-fake")]
    [InlineData("/v1beta/models?key=a&key=b", "", "a")]
    [InlineData("/v1beta/models?key=a%2Bb+c", "", "a+b c")]
    [InlineData("/v1beta/models?key", "", "")]
    [InlineData("/v1beta/models?%6Bey=sk-fake", "", "sk-fake")]
    [InlineData("/v1beta/models?keys=1&mykey=2", "?keys=1&mykey=2", null)]
    public void ClientsKey_LeavesTheQuery(string target, string query, string? key)
    {
        RequestPath parsed = RequestPath.Parse(target);
        Assert.Equal((query, key), (parsed.Query, parsed.Key));
    }

    [Theory]
    [InlineData("?format=names", "format", "names")]
    [InlineData("?ready", "ready", "")]
    [InlineData("?a=1&b=2%203", "b", "2 3")]
    [InlineData("?a=1", "b", null)]
    [InlineData("", "b", null)]
    public void Member_IsDecoded(string query, string name, string? value) => Assert.Equal(value, RequestPath.Parse("/x" + query).Member(name));

    [Theory]
    [InlineData("abc-1_2.3:4/5", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("has space", false)]
    [InlineData("line\nbreak", false)]
    [InlineData("a,b", false)]
    [InlineData("ünï", false)]
    public void RequestId_IsTakenOnlyWhereHarmless(string? sent, bool taken)
    {
        string id = RequestIds.From(sent);
        Assert.Equal(taken, id == sent);
        if (!taken) Assert.Matches("^req_[A-Za-z0-9]{24}$", id);
    }

    [Fact]
    public void RequestIdOfAKilobyte_IsReplaced() => Assert.StartsWith("req_", RequestIds.From(new string('a', 1024)));
}
