using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

public sealed class UrlFormsTests
{
    [Theory]
    [InlineData("https://h", "https://h/")]
    [InlineData("https://h/", "https://h/")]
    [InlineData("https://h/v1", "https://h/")]
    [InlineData("https://h/v1/", "https://h/")]
    [InlineData("https://h/v1beta", "https://h/")]
    [InlineData("https://h//v1//", "https://h/")]
    [InlineData("https://h/claude", "https://h/claude")]
    [InlineData("https://h/claude/", "https://h/claude")]
    [InlineData("https://h/claude/v1", "https://h/claude")]
    [InlineData("https://h/v1beta/openai", "https://h/v1beta/openai")]
    [InlineData("https://h/v1/v1", "https://h/v1")]
    [InlineData("https://h/av1", "https://h/av1")]
    [InlineData("https://h/v2", "https://h/v2")]
    [InlineData("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/")]
    [InlineData("http://[::1]:8080/v1", "http://[::1]:8080/")]
    [InlineData("HTTPS://Host.Example/Path", "https://host.example/Path")]
    public void BaseUrl_LosesVersionAndSlashes(string written, string expected)
    {
        Uri? url = UrlForms.BaseUrl(written, out string? problem);
        Assert.Null(problem);
        Assert.Equal(expected, url!.AbsoluteUri);
    }

    [Theory]
    [InlineData("h", "begins with http:// or https://")]
    [InlineData("/v1", "begins with http:// or https://")]
    [InlineData("ftp://h", "begins with http:// or https://")]
    [InlineData("https:h", "begins with http:// or https://")]
    [InlineData("https://", "not a valid URL")]
    [InlineData("https:///v1", "not a valid URL")]
    [InlineData("https://h:99999", "not a valid URL")]
    [InlineData("https://h:0", "the port is missing or 0")]
    [InlineData("https://h/a b", "white space")]
    [InlineData("https://h\\v1", "backslash")]
    [InlineData("https://h\u0001", "white space")]
    [InlineData("https://user:sk-fake-1@h", "user part")]
    [InlineData("https://h/v1?key=sk-fake-1", "query")]
    [InlineData("https://h/v1?", "query")]
    [InlineData("https://h/#sk-fake-1", "fragment")]
    public void BaseUrl_ThatIsWrong_IsRefusedWithoutRepeatingIt(string written, string expected)
    {
        Assert.Null(UrlForms.BaseUrl(written, out string? problem));
        Assert.Contains(expected, problem);
        Assert.DoesNotContain("sk-fake", problem);
    }

    [Theory]
    [InlineData("http://proxy:3128")]
    [InlineData("https://proxy/")]
    [InlineData("socks5://user:sk-fake@proxy:1080")]
    public void Proxy_InEachForm_IsRead(string written)
    {
        Assert.NotNull(UrlForms.Proxy(written, out string? problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("proxy:3128")]
    [InlineData("socks4://proxy:1080")]
    [InlineData("http://proxy:3128/path")]
    [InlineData("http://proxy:3128?x=sk-fake")]
    [InlineData("http://user:sk-fake@")]
    public void Proxy_ThatIsWrong_IsRefusedWithoutRepeatingIt(string written)
    {
        Assert.Null(UrlForms.Proxy(written, out string? problem));
        Assert.DoesNotContain("sk-fake", problem);
    }
}
