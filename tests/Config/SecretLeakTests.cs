using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

/// <summary>Secrets everywhere, the file broken in many ways: no problem may repeat one.</summary>
public sealed class SecretLeakTests : IDisposable
{
    /// <summary>In the heart of every secret here.</summary>
    private const string Marker = "Mark3R7Qx";

    private const string Key = "sk-fake-" + Marker + "-0123456789abcdef";

    private static readonly string Text = TextWith(Key);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string TextWith(string key) => $$"""
        bind: 127.0.0.1
        admin_key: {{key}}
        api-key:
          - {{key}}a
          - "{{key}}b"
          - {name: laptop, key: {{key}}c, models: [m]}
          - {name: phone, key_sha256: {{key}}}
        outgoing_proxy: http://user:{{key}}@proxy:1
        total_timeout: ${SECRET}
        log: {level: "${SECRET}", max_age: "${file:secret.txt}"}
        model_fallback: {a: "${SECRET}", "${SECRET}": a}
        upstreams:
          - name: one
            api_type: anthropic
            base_url: https://user:{{key}}@host/v1?key={{key}}
            token: [{{key}}d, "{{key}}e", {{key}}d]
            http_headers:
              X-Key: {{key}}
              Authorization: Bearer {{key}}
            weight: ${SECRET}
            outgoing_proxy: [socks5://{{key}}, "{{key}}"]
            timeout: ${SECRET}
          - name: two
            api_type: ${SECRET}
            token: {{key}}f
          - name: ${SECRET}
            api_type: claudecode
            auth_files: ${SECRET}
            oauth: {client_secret: {{key}}, token_url: "https://h/{{key}}?{{key}}"}
          - name: ${SECRET}
            api_type: echo
            token: {{key}}g
            quirks: ["${SECRET}"]
        """;

    private void AssertSilent(string text) => AssertSilent(text, Key, Marker);

    private IReadOnlyList<ConfigProblem> AssertSilent(string text, string key, string marker)
    {
        _folder.Write("secret.txt", key);
        ConfigResult result = Reader(("SECRET", key)).ReadText(text, _folder.At("config.yaml"));
        foreach (ConfigProblem problem in result.Errors.Concat(result.Warnings))
        {
            string told = problem.ToString();
            Assert.False(told.Contains(marker, StringComparison.OrdinalIgnoreCase), $"{told}\n{text}");
            Assert.DoesNotContain('\n', told);
        }
        return result.Errors;
    }

    /// <summary>Of the two secrets one would pass for a word: it is hidden because of where it stands, not because of what it looks like.</summary>
    [Theory]
    [InlineData(Key, Marker)]
    [InlineData("hush", "hush")]
    public void FileAsItIs_IsWrongInManyPlaces_AndSilent(string key, string marker) => Assert.InRange(AssertSilent(TextWith(key), key, marker).Count, 15, 30);

    public static TheoryData<string, string> Breaks => new()
    {
        { ": ", ":" }, { ": ", " " }, { ": ", ": [" }, { ": ", ": {" }, { ": ", ": {a: " }, { ": ", ": !tag " }, { ": ", ": &a " }, { ": ", ": *" }, { ": ", ": |" }, { ": ", ": >\n " },
        { "- ", "" }, { "- ", "-" }, { "- ", "- - " }, { "- ", "- ? " }, { "- ", "  " }, { "\"", "" }, { "\"", "'" }, { "\"", "\"\"" }, { "}", "" }, { "{", "" }, { "[", "" }, { "]", "" },
        { ",", "" }, { "\n", " " }, { "\n", "\n\t" }, { "\n", "\n " }, { "\n", "\n---\n" }, { "    ", "  " }, { "  ", "" }, { "sk-", "sk-: " }, { "sk-", "\\" }, { "sk-", "${" },
        { "sk-", "${sk-" }, { "sk-", "%" }, { "sk-", "@" }, { "sk-", "`" }, { "token", "tokn" }, { "token: ", "" }, { "admin_key: ", "" }, { "client_secret: ", "" }, { "X-Key: ", "" },
        { "token", "weight" }, { "admin_key", "listen" }, { "token", "name" }, { "token", "api_type" }, { "token", "base_url" }, { "token", "timeout" }, { "token", "enabled" },
        { "token", "model_mappings" }, { "token", "quirks" }, { "admin_key", "bind" }, { "admin_key", "max_buffered" }, { "admin_key", "allowed_origins" }, { "admin_key", "tls" },
        { "token", "error_rules" }, { "token", "auth_files" }, { "token", "request_compression" }, { "token", "oauth" }, { "admin_key", "log" }, { "admin_key", "upstreams" },
        { "${SECRET}", "${SECRET" }, { "${SECRET}", "${NONE:-${SECRET}}x" }, { "${SECRET}", "${file:${SECRET}}" }, { "http_headers", "model_mappings_" }, { "X-Key", Key }, { "laptop", Key },
    };

    /// <summary>Each place of the text that can be broken so, alone; and all at once.</summary>
    [Theory]
    [MemberData(nameof(Breaks))]
    public void BrokenFile_IsSilent(string what, string by)
    {
        AssertSilent(Text.Replace(what, by));
        for (int at = Text.IndexOf(what, StringComparison.Ordinal); at >= 0; at = Text.IndexOf(what, at + 1, StringComparison.Ordinal))
        {
            AssertSilent(Text[..at] + by + Text[(at + what.Length)..]);
        }
    }

    [Fact]
    public void FileCutAnywhere_IsSilent()
    {
        for (int at = 0; at < Text.Length; at += 3) AssertSilent(Text[..at]);
    }

    [Fact]
    public void LineLeftOut_IsSilent()
    {
        string[] lines = Text.Split('\n');
        for (int left = 0; left < lines.Length; left++) AssertSilent(string.Join('\n', lines.Where((_, line) => line != left)));
    }
}
