using System.Text;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class YamlDocumentReaderTests
{
    [Fact]
    public void MergeKey_FillsWhatIsNotGiven()
    {
        var config = Good(Read("""
            x-base: &base
              api_type: anthropic
              weight: 7
              priority: 2
            x-more: &more {weight: 9, max_concurrent: 5}
            upstreams:
              - {<<: *base, name: one, weight: 3}
              - name: two
                <<: [*base, *more]
            """));
        Assert.Equal((3, 2), (config.Upstreams[0].Weight, config.Upstreams[0].Priority));
        Assert.Equal((7, 5), (config.Upstreams[1].Weight, config.Upstreams[1].MaxConcurrent));
    }

    [Fact]
    public void MergeKey_OfMergedMapping_ReachesThrough()
    {
        var config = Good(Read("x-a: &a {weight: 4}\nx-b: &b {<<: *a, priority: 1}\nupstreams: [{<<: *b, name: n, api_type: echo}]"));
        Assert.Equal((4, 1), (config.Upstreams[0].Weight, config.Upstreams[0].Priority));
    }

    [Fact]
    public void MergeKey_OfText_IsRefused() => Assert.Contains("'<<' takes a mapping or a list of mappings, got text", OneError(ReadRoot("log: {<<: text}")));

    [Fact]
    public void QuotedMergeKey_IsAKeyLikeAnyOther() => Assert.Contains("unknown key '<<'", OneError(ReadRoot("log: {\"<<\": {level: info}}")));

    [Fact]
    public void Alias_StandsForItsValue()
    {
        var config = Good(ReadRoot("connect_timeout: &t 7\ntotal_timeout: *t"));
        Assert.Equal(TimeSpan.FromSeconds(7), config.TotalTimeout);
    }

    [Fact]
    public void DuplicateKeys_AreAllTold()
    {
        var result = Read("bind: 127.0.0.1\nbind: 127.0.0.1\nbind: 127.0.0.1\nupstreams:\n  - name: e\n    api_type: echo\n    name: f\n");
        Assert.Equal(
            ["config.yaml:2:1: bind: this key is given twice, first at 1:1", "config.yaml:3:1: bind: this key is given twice, first at 1:1",
             "config.yaml:7:5: upstreams[0].name: this key is given twice, first at 5:5"],
            result.Errors.Select(problem => problem.ToString()));
    }

    [Theory]
    [InlineData("a: 1\n---\nb: 2\n", "2:1: a second document begins here")]
    [InlineData("- a\n- b\n", "1:1: expected a mapping of keys, got a list")]
    [InlineData("just text", "1:1: expected a mapping of keys, got text")]
    [InlineData("a:\n\t- b\n", ":2:1: not valid YAML")]
    [InlineData("a: [1, 2\n", "not valid YAML")]
    [InlineData("a: 1\nb: [1, 2\nc: 3\n", ":2:5: not valid YAML")]
    [InlineData("a: 1\nb: {c: 2\nd: 3\n", ":2:5: not valid YAML")]
    [InlineData("a: [${A}]\n", "1:6: not valid YAML: While parsing a flow sequence, did not find expected ',' or ']'. Inside [] and {} a '${NAME}' stands in quotes.")]
    [InlineData("a: \"open\n", "not valid YAML")]
    [InlineData("a: b: c\n", "1:5: not valid YAML")]
    [InlineData("a: *none\n", "1:4: a: no anchor of this name")]
    [InlineData("a: &a [*a]\n", "1:8: a[0]: the alias stands inside the value")]
    [InlineData("? [a, b]\n: c\nupstreams: [{name: e, api_type: echo}]\n", "1:3: a key must be text, got a list")]
    [InlineData("bind: !secret x\nupstreams: [{name: e, api_type: echo}]\nlisten: 1", "bind: tags have no meaning here")]
    public void BrokenYaml_IsToldWithItsPlace(string text, string expected) => Assert.Contains(expected, Read(text).Errors[0].ToString());

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n...\n")]
    [InlineData("~")]
    public void EmptyFile_MissesItsUpstreams(string text) => Assert.Equal("1:1: upstreams: required: a list of at least one upstream", OneError(Read(text)));

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void OtherLineEnds_AreRead(string lineEnd) => Good(Read(Fixture("go-aiproxy.yaml").ReplaceLineEndings(lineEnd)));

    [Fact]
    public void ByteOrderMark_IsRead()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.At("c.yaml"), [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Echo)]);
        Good(Reader().Read(folder.At("c.yaml")));
    }

    [Fact]
    public void CoreTag_IsRead() => Assert.Equal("12", Good(Read("upstreams: [{name: !!str 12, api_type: echo}]")).Upstreams[0].Name);

    [Fact]
    public void AliasBomb_EndsInOneError()
    {
        var text = new StringBuilder("x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
        for (int i = 1; i < 30; i++) text.Append($"x-{i}: &x{i} [{string.Join(", ", Enumerable.Repeat($"*x{i - 1}", 10))}]\n");
        Assert.Contains("more than 100000 values", OneError(Read(text + Echo)));
    }

    [Fact]
    public void MergeBomb_EndsInOneError()
    {
        var text = new StringBuilder("x-0: &x0 {a: 1, b: 2, c: 3}\n");
        for (int i = 1; i < 30; i++) text.Append($"x-{i}: &x{i} {{<<: [{string.Join(", ", Enumerable.Repeat($"*x{i - 1}", 10))}]}}\n");
        Assert.Contains("more than 100000 values", OneError(Read(text + Echo)));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    public void DeepNesting_EndsInOneError(string step) =>
        Assert.Contains("nested more than 64 deep", OneError(Read("x-a:\n  " + string.Concat(Enumerable.Repeat(step, 50_000)))));

    [Fact]
    public void ErrorsWithoutNumber_AreToldInPart()
    {
        var result = ReadRoot(string.Concat(Enumerable.Range(0, 5000).Select(i => $"zz{i}: 1\n")));
        Assert.Equal(101, result.Errors.Count);
        Assert.Contains("and 4900 more", result.Errors[^1].Message);
    }
}
