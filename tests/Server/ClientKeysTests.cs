using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Aiproxy.Config;
using Aiproxy.Server;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Server;

public sealed class ClientKeysTests
{
    private static readonly ClientKeys Two = new(
    [
        new() { Name = "plain", Key = new Secret("sk-fake-one") },
        new() { Name = "hashed", KeySha256 = SHA256.HashData(Encoding.UTF8.GetBytes("sk-fake-zwö")), Models = ["claude-*"] },
    ]);

    [Theory]
    [InlineData("Bearer sk-fake-one", null, null, null, null, "plain")]
    [InlineData("bearer  sk-fake-one ", null, null, null, null, "plain")]
    [InlineData(null, "sk-fake-one", null, null, null, "plain")]
    [InlineData(null, null, "sk-fake-one", null, null, "plain")]
    [InlineData(null, null, null, "sk-fake-one", null, "plain")]
    [InlineData(null, null, null, null, "?alt=sse&key=sk-fake-one", "plain")]
    [InlineData(null, null, null, null, "key=sk-fake-zw%C3%B6", "hashed")]
    [InlineData("Bearer sk-fake-wrong", "sk-fake-one", null, null, null, "plain")]
    [InlineData("Bearer sk-fake-one", "sk-fake-wrong", "", null, null, "plain")]
    [InlineData("Bearer sk-fake-on", null, null, null, null, null)]
    [InlineData("Basic sk-fake-one", null, null, null, null, null)]
    [InlineData("sk-fake-one", null, null, null, null, null)]
    [InlineData(null, "SK-FAKE-ONE", null, null, null, null)]
    [InlineData(null, null, null, null, "?monkey=sk-fake-one", null)]
    [InlineData(null, null, null, null, null, null)]
    public void Presented_IsMatchedWhereverItStands(string? authorization, string? x, string? google, string? api, string? query, string? name) =>
        Assert.Equal(name, Two.Match(new PresentedKeys(authorization, x, google, api, query))?.Name);

    [Fact]
    public void NoKeysConfigured_EveryoneIsAnonymous()
    {
        var open = new ClientKeys([]);
        Assert.True(open.IsOpen);
        Assert.Same(open.Anonymous, open.Match(default));
        Assert.True(open.Anonymous.Allows("anything"));
    }

    [Theory]
    [InlineData(null, null, "", true)]
    [InlineData("Bearer ", null, " ", true)]
    [InlineData("Basic abc", null, null, true)]
    [InlineData(null, "x", null, false)]
    public void Empty_MeansNoUsableKey(string? authorization, string? x, string? google, bool isEmpty) =>
        Assert.Equal(isEmpty, new PresentedKeys(authorization, x, google, null, null).IsEmpty);

    [Fact]
    public void Printed_ShowsNoKey() => Assert.DoesNotContain("sk-fake", new PresentedKeys("Bearer sk-fake-one", null, null, null, null).ToString());

    [Fact]
    public void AdminKey_MatchesOnlyItself()
    {
        Assert.True(ClientKeys.IsMatch(new(null, "sk-fake-admin", null, null, null), new Secret("sk-fake-admin")));
        Assert.False(ClientKeys.IsMatch(new(null, "sk-fake-one", null, null, null), new Secret("sk-fake-admin")));
        Assert.False(ClientKeys.IsMatch(default, new Secret("sk-fake-admin")));
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("claude-*", "claude-x", true)]
    [InlineData("claude-*", "claude", false)]
    [InlineData("*-mini", "gpt-5-mini", true)]
    [InlineData("*-mini", "gpt-5-mini-x", false)]
    [InlineData("g*-*i", "gpt-5-mini", true)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("gpt-5", "gpt-5", true)]
    [InlineData("gpt-5", "GPT-5", false)]
    [InlineData("", "", true)]
    public void Pattern_MatchesAsAGlob(string pattern, string model, bool expected)
    {
        var keys = new ClientKeys([new() { Name = "k", Key = new Secret("sk-fake-k"), Models = ["never", pattern] }]);
        Assert.Equal(expected, keys.All[0].Allows(model));
    }

    [Fact]
    public void Pattern_AgreesWithARegularExpression()
    {
        Gen<string> text = Gen.Elements('a', 'b', '*', '-').ArrayOf().Select(characters => new string(characters));
        Check.QuickThrowOnFailure(Prop.ForAll(text.Zip(text).ToArbitrary(), pair =>
        {
            (string pattern, string model) = pair;
            string regex = "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "\\z";
            return Regex.IsMatch(model, regex) == Glob.IsMatch(pattern, model);
        }));
    }

    [Fact]
    public void HostilePattern_EndsSoon() => Assert.False(Glob.IsMatch(string.Concat(Enumerable.Repeat("a*", 200)) + "b", new string('a', 5000)));
}
