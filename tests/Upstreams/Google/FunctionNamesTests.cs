using Aiproxy.Upstreams.Google;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class FunctionNamesTests
{
    [Theory]
    [InlineData("get_weather", "get_weather")]
    [InlineData("mcp.server:tool-1", "mcp.server:tool-1")]
    [InlineData("2fa", "_2fa")]
    [InlineData("-x", "_-x")]
    [InlineData("list files", "list_files")]
    [InlineData("größe", "gr__e")]
    [InlineData("", "_")]
    public void Name_IsMadeLegal(string name, string expected) => Assert.Equal(expected, new FunctionNames([]).For(name));

    [Fact]
    public void LegalName_KeepsItself_WhoeverComesFirst()
    {
        var names = new FunctionNames(["a b", "a_b", "a-b", "a.b", "a?b"]);
        Assert.Equal(["a_b_2", "a_b", "a-b", "a.b", "a_b_3"], new[] { "a b", "a_b", "a-b", "a.b", "a?b" }.Select(names.For));
        Assert.Equal(new Dictionary<string, string> { ["a_b_2"] = "a b", ["a_b_3"] = "a?b" }, names.ClientNames);
    }

    [Fact]
    public void LongNames_StayApart()
    {
        string one = new string('x', 70) + "1", other = new string('x', 70) + "2";
        var names = new FunctionNames([one, other]);
        Assert.Equal((new string('x', 64), new string('x', 62) + "_2"), (names.For(one), names.For(other)));
    }

    [Fact]
    public void WithoutStrangeNames_NothingIsToBeTurnedBack() => Assert.Null(new FunctionNames(["a", "b"]).ClientNames);

    [Fact]
    public void AnyNames_AreLegal_Unique_AndComeBack()
    {
        Gen<string[]> names = Gen.Elements('a', '_', ' ', '9', 'ä', '-').ArrayOf().Select(letters => new string(letters)).ArrayOf();
        Prop.ForAll(names.ToArbitrary(), list =>
        {
            var map = new FunctionNames(list);
            string[] own = [.. list.Distinct()], sent = [.. own.Select(map.For)];
            return sent.Distinct().Count() == own.Length
                && sent.All(name => name.Length is > 0 and <= 64 && (char.IsAsciiLetter(name[0]) || name[0] == '_'))
                && own.Zip(sent).All(pair => (map.ClientNames?.GetValueOrDefault(pair.Second) ?? pair.Second) == pair.First);
        }).QuickCheckThrowOnFailure();
    }
}
