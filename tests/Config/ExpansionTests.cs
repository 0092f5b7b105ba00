using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

public sealed class ExpansionTests
{
    private readonly Expansion _expansion = new(
        name => name switch { "A" => "alpha", "EMPTY" => "", "TRICK" => "${A}", "DIR" => "/run/keys", _ => null },
        path => path == "/run/keys/token" ? ("from file", null) : (null, "there is no such file"));

    [Theory]
    [InlineData("plain $ text $A }", "plain $ text $A }")]
    [InlineData("${A}", "alpha")]
    [InlineData("x${A}y${A}z", "xalphayalphaz")]
    [InlineData("${EMPTY}", "")]
    [InlineData("${EMPTY:-d}", "d")]
    [InlineData("${NONE:-d}", "d")]
    [InlineData("${NONE:-}", "")]
    [InlineData("${NONE:-a:-b}", "a:-b")]
    [InlineData("${A:-d}", "alpha")]
    [InlineData("${NONE:-${A}}", "alpha")]
    [InlineData("${NONE:-x${NONE:-y}z}", "xyz")]
    [InlineData("$${A}", "${A}")]
    [InlineData("$$${A}", "$${A}")]
    [InlineData("$${A} ${A}", "${A} alpha")]
    [InlineData("${TRICK}", "${A}")]
    [InlineData("${file:/run/keys/token}", "from file")]
    [InlineData("${file:${DIR}/token}", "from file")]
    public void Text_IsReplaced(string text, string expected)
    {
        Expansion.Result result = _expansion.Expand(text);
        Assert.Empty(result.Problems);
        Assert.Equal(expected, result.Text);
    }

    [Theory]
    [InlineData("${NONE}", "environment variable NONE is not set")]
    [InlineData("${", "no closing")]
    [InlineData("a ${A", "no closing")]
    [InlineData("${}", "must be followed by the name")]
    [InlineData("${1A}", "must be followed by the name")]
    [InlineData("${A B}", "must be followed by the name")]
    [InlineData("${file:/no}", "'/no' cannot be read: there is no such file")]
    [InlineData("${file:${DIR}/no}", "the file of '${file:}' cannot be read")]
    public void Fault_IsNamed(string text, string expected) => Assert.Contains(expected, Assert.Single(_expansion.Expand(text).Problems));

    [Fact]
    public void TwoMissingVariables_AreBothNamed() => Assert.Equal(2, _expansion.Expand("${NONE}${NOTHING}").Problems.Count);

    [Fact]
    public void LiteralOnly_IsNotCalledReplaced()
    {
        Assert.False(_expansion.Expand("$${A}").IsReplaced);
        Assert.True(_expansion.Expand("x ${A}").IsReplaced);
    }

    [Fact]
    public void DeepNesting_IsRefused() =>
        Assert.Contains("nested", Assert.Single(_expansion.Expand(string.Concat(Enumerable.Repeat("${NONE:-", 50)) + new string('}', 50)).Problems));

    [Fact]
    public void GrowingText_IsRefused()
    {
        var expansion = new Expansion(_ => new string('x', 100_000), _ => ("", null));
        Assert.Contains("1 MB", Assert.Single(expansion.Expand(string.Concat(Enumerable.Repeat("${A}", 100))).Problems));
    }
}
