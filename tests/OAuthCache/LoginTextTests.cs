using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginTextTests
{
    [Theory]
    [InlineData("a\r\nb\tc", "a b c")]
    [InlineData("\u001b[31mred", "[31mred")]
    [InlineData("The token sk-fake-0123456789-0123456789 is used", "The token … is used")]
    [InlineData("https://fake.example.com/help/oauth-errors", "https://fake.example.com/help/oauth-errors")]
    [InlineData("eyJmYWtl0123.eyJmYWtl01234567890123456789.FAKE", "…")]
    [InlineData("refresh_token_reused", "refresh_token_reused")]
    public void Line_HoldsNeitherControlsNorSecrets(string text, string line) => Assert.Equal(line, LoginText.Line(text));

    [Fact]
    public void Line_IsCut() => Assert.Equal(241, LoginText.Line(string.Join(' ', Enumerable.Repeat("word", 500))).Length);

    [Fact]
    public void Plain_KeepsACodeWhole() => Assert.Equal("ABCD-0123-abcdefghijklmnopqrstuvwxyz", LoginText.Plain(" ABCD-0123-abcdefghijklmnopqrstuvwxyz\u202e\n"));
}
