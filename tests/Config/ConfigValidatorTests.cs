using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class ConfigValidatorTests
{
    [Theory]
    [InlineData("{a: a}", "model_fallback[\"a\"]: a circle without end: a -> a")]
    [InlineData("{a: b, b: a}", "a circle without end: a -> b -> a")]
    [InlineData("{x: a, a: b, b: c, c: a}", "model_fallback[\"a\"]: a circle without end: a -> b -> c -> a")]
    [InlineData("{a: \"${M}\", b: c}", null)]
    [InlineData("{\"${M}\": b, b: m}", "a circle without end: … -> b -> …")]
    public void Circle_IsShown(string fallback, string? expected)
    {
        ConfigResult result = ReadRoot("model_fallback: " + fallback, ("M", "m"));
        if (expected is null) Good(result);
        else Assert.Contains(expected, OneError(result));
    }

    [Fact]
    public void TwoCircles_AreBothShown() => Assert.Equal(2, ReadRoot("model_fallback: {a: a, b: c, c: b}").Errors.Count);

    [Fact]
    public void LongChain_IsNoCircle()
    {
        string chain = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"  m{i}: m{i + 1}\n"));
        Good(ReadRoot("model_fallback:\n" + chain));
        Assert.Contains("-> …", OneError(ReadRoot("model_fallback:\n" + chain + "  m20000: m0\n")));
    }

    [Fact]
    public void RepeatedName_IsRefused() =>
        Assert.Equal("3:12: upstreams[1].name: this is already the name of upstreams[0]; names are unique", OneError(Read(Echo + "  - {name: e, api_type: echo}\n")));

    [Fact]
    public void TypeOfALaterBuild_IsWarnedOf()
    {
        Assert.Contains(
            "upstreams[0].api_type: api_type 'codex' is not yet in this build; this upstream takes no traffic",
            OneWarning(Read("upstreams: [{name: a, api_type: codex, auth_files: f}]")));
        ConfigResult disabled = Read(Echo + "  - {name: a, api_type: codex, enabled: false}");
        Assert.Contains("not yet in this build", OneWarning(disabled));
    }

    [Fact]
    public void MissingAuthFile_IsWarnedOf() =>
        Assert.Contains("upstreams[0].auth_files: the file 'none.json' does not exist; 'aiproxy login claudecode -o FILE' makes it",
            OneWarning(Read("upstreams: [{name: a, api_type: claudecode, auth_files: none.json}]")));

    [Theory]
    [InlineData("project: p", "goes with api_type 'geminicli' and 'antigravity' only")]
    [InlineData("system_prefix: true", "goes with api_type 'claudecode' only")]
    [InlineData("oauth: {client_id: x}", "does not sign in by OAuth")]
    public void KeyWithoutEffect_IsWarnedOf(string key, string expected) => Assert.Contains(ReadUpstream(key).Warnings, problem => problem.Message.Contains(expected));

    [Theory]
    [InlineData("geminicli")]
    [InlineData("antigravity")]
    public void ProjectNumber_IsRefused(string type) =>
        Assert.Contains("upstreams[0].project: this is a project's number", OneError(Read($"upstreams: [{{name: a, api_type: {type}, auth_files: f, project: 123456}}]")));

    [Fact]
    public void BaseUrlOfEcho_IsWarnedOf() => Assert.Contains("answers by itself", OneWarning(Read("upstreams: [{name: a, api_type: echo, base_url: 'https://h'}]")));

    [Fact]
    public void NothingEnabled_IsWarnedOf() => Assert.Contains("upstreams: none of them is enabled", OneWarning(Read("upstreams: {name: a, api_type: echo, enabled: false}")));

    [Fact]
    public void BodyBeyondTheBuffer_IsWarnedOf() => Assert.Contains("max_request_body: is more than max_buffered", OneWarning(ReadRoot("max_buffered: 1MB")));

    [Theory]
    [InlineData("telemetry: {otlp_endpoint: 'http://h'}")]
    public void RootKeyOfALaterBuild_IsWarnedOf(string key) => Assert.Contains("not yet in this build", OneWarning(ReadRoot(key)));

    [Fact]
    public void QuirkOfALaterBuild_IsWarnedOf() =>
        Assert.Contains("upstreams[0].quirks[0]: not yet in this build", OneWarning(ReadUpstream("quirks: [remote_download]")));

    [Theory]
    [InlineData("allow_private: yes")]
    [InlineData("system_prefix: no")]
    [InlineData("quirks: {}")]
    [InlineData("quirks: []")]
    [InlineData("region: ''")]
    public void ValueThatNeedsNoBehaviour_IsNotWarnedOf(string key) => Assert.Empty(ReadUpstream(key).Warnings);
}
