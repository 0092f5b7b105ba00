using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginCallbackTests
{
    [Theory]
    [InlineData("fake-code", "fake-code", null)]
    [InlineData("  fake-code \r", "fake-code", null)]
    [InlineData("4/0Afake_code-x", "4/0Afake_code-x", null)]
    [InlineData("fake-code#fake-state", "fake-code", "fake-state")]
    [InlineData("http://localhost:1455/auth/callback?code=a%2Fb&state=s", "a/b", "s")]
    [InlineData("'http://localhost:1455/auth/callback?state=s&code=a+b#x'", "a b", "s")]
    [InlineData("https://platform.claude.com/oauth/code/callback?code=a&state=s", "a", "s")]
    [InlineData("localhost:1455/auth/callback?code=a&state=s", "a", "s")]
    [InlineData("?code=a&state=s", "a", "s")]
    [InlineData("code=a&state=s", "a", "s")]
    [InlineData("code=a", "a", null)]
    [InlineData("http://h/?code=a&code=b&state=s", "a", "s")]
    public void Paste_IsUnderstood(string text, string code, string? state)
    {
        LoginCallback? callback = LoginCallback.FromPaste(text);
        Assert.Equal((code, state, null), (callback?.Code, callback?.State, callback?.Error));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("#state")]
    [InlineData("code#")]
    [InlineData("two words")]
    [InlineData("a\u0007b")]
    [InlineData("https://auth.example.com/authorize")]
    [InlineData("https://auth.example.com/authorize?client_id=x&state=s")]
    [InlineData("?state=s")]
    [InlineData("code=&state=s")]
    public void Paste_OfSomethingElse_IsNone(string text) => Assert.Null(LoginCallback.FromPaste(text));

    [Fact]
    public void LongPaste_IsNone() => Assert.Null(LoginCallback.FromPaste(new string('a', 20_000)));

    [Fact]
    public void Error_WinsOverACode()
    {
        LoginCallback callback = LoginCallback.FromQuery("code=a&error=access_denied&error_description=The%20user%20said%0Ano&state=s");
        Assert.Equal((null, "access_denied", "s"), (callback.Code, callback.Error, callback.State));
        Assert.Equal("the sign-in was refused: access_denied: The user said no", callback.Refusal().Line);
    }

    [Theory]
    [InlineData("a=b&c", "a", "b")]
    [InlineData("a=%zz", "a", "%zz")]
    [InlineData("a=1=2", "a", "1=2")]
    [InlineData("%61=x%26y", "a", "x&y")]
    public void Query_IsReadHoweverOddItIs(string query, string name, string value) => Assert.Equal(value, LoginQuery.Read(query)[name]);

    [Fact]
    public void Query_ComesBackAsItWasWritten()
    {
        (string, string)[] pairs = [("scope", "openid profile"), ("redirect_uri", "http://localhost:1/a?b=c&d"), ("ü", "%+#")];
        string text = LoginQuery.Write(pairs);
        Assert.DoesNotContain('+', text);
        Assert.Equal(pairs.ToDictionary(), LoginQuery.Read(text));
    }
}
