using System.Runtime.CompilerServices;
using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

/// <summary>What the tests of the configuration share: types, an environment, texts.</summary>
public static class Sample
{
    /// <summary>The shortest legal upstream list.</summary>
    public const string Echo = "upstreams:\n  - {name: e, api_type: echo}\n";

    private static readonly string[] Quirks = ["developer_role", "strict_alternation", "prefill", "extra_betas", "remote_download"];

    public static UpstreamTypeFacts Types { get; } = new(
    [
        new("anthropic", new Uri("https://api.anthropic.com"), true, false, true, Quirks),
        new("openai", new Uri("https://api.openai.com"), true, false, true, Quirks),
        new("gemini", new Uri("https://generativelanguage.googleapis.com"), true, false, true, []),
        new("responses", new Uri("https://api.openai.com"), true, false, true, Quirks),
        new("codex", new Uri("https://chatgpt.com/backend-api/codex"), false, true, false, []),
        new("geminicli", new Uri("https://cloudcode-pa.googleapis.com"), false, true, false, []),
        new("antigravity", new Uri("https://cloudcode-pa.googleapis.com"), false, true, false, []),
        new("claudecode", new Uri("https://api.anthropic.com"), false, true, true, []),
        new("kiro", new Uri("https://q.us-east-1.amazonaws.com"), false, true, false, []),
        new("echo", null, false, false, true, []),
    ]);

    public static string Root { get; } = FindRoot();

    public static ConfigReader Reader(params (string Name, string Value)[] environment) =>
        new(Types, name => environment.Where(pair => pair.Name == name).Select(pair => pair.Value).FirstOrDefault());

    public static ConfigResult Read(string text, params (string Name, string Value)[] environment) => Reader(environment).ReadText(text, "config.yaml");

    /// <summary>A file with these root keys and an upstream.</summary>
    public static ConfigResult ReadRoot(string rootKeys, params (string Name, string Value)[] environment) => Read(Echo + rootKeys, environment);

    /// <summary>A file with one enabled anthropic upstream that has these further keys, each line of them as it stands.</summary>
    public static ConfigResult ReadUpstream(params string[] keys) =>
        Read("upstreams:\n  - name: a\n    api_type: anthropic\n" + string.Concat(keys.Select(key => $"    {key}\n")));

    public static ProxyConfig Good(ConfigResult result)
    {
        Assert.Empty(result.Errors.Select(problem => problem.ToString()));
        return result.Config!;
    }

    public static UpstreamConfig Upstream(params string[] keys) => Good(ReadUpstream(keys)).Upstreams[0];

    /// <summary>The one error, without the file's name: <c>line:col: path: message</c>.</summary>
    public static string OneError(ConfigResult result)
    {
        Assert.Null(result.Config);
        return Assert.Single(result.Errors).ToString()["config.yaml:".Length..];
    }

    public static string OneWarning(ConfigResult result)
    {
        Good(result);
        return Assert.Single(result.Warnings).ToString()["config.yaml:".Length..];
    }

    public static string Fixture(string name) => File.ReadAllText(FixturePath(name));

    public static string FixturePath(string name) => Path.Combine(AppContext.BaseDirectory, "fixtures", "config", name);

    private static string FindRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
