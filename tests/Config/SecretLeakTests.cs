using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

/// <summary>Secrets everywhere, the file broken in many ways: no problem may repeat one.</summary>
public sealed class SecretLeakTests
{
    /// <summary>In the heart of every secret here.</summary>
    private const string Marker = "Mark3R7Qx";

    private const string Key = "sk-fake-" + Marker + "-0123456789abcdef";

    private static readonly string Text = $$"""
        bind: 127.0.0.1
        admin_key: {{Key}}
        api-key:
          - {{Key}}a
          - "{{Key}}b"
          - {name: laptop, key: {{Key}}c, models: [m]}
          - {name: phone, key_sha256: {{Key}}}
        outgoing_proxy: http://user:{{Key}}@proxy:1
        total_timeout: ${SECRET}
        log: {level: "${SECRET}", max_age: "${file:secret.txt}"}
        model_fallback: {a: "${SECRET}", "${SECRET}": a}
        upstreams:
          - name: one
            api_type: anthropic
            base_url: https://user:{{Key}}@host/v1?key={{Key}}
            token: [{{Key}}d, "{{Key}}e", {{Key}}d]
            http_headers:
              X-Key: {{Key}}
              Authorization: Bearer {{Key}}
            weight: ${SECRET}
            outgoing_proxy: [socks5://{{Key}}, "{{Key}}"]
            timeout: ${SECRET}
          - name: two
            api_type: ${SECRET}
            token: {{Key}}f
          - name: ${SECRET}
            api_type: claudecode
            auth_files: ${SECRET}
            oauth: {client_secret: {{Key}}, token_url: "https://h/{{Key}}?{{Key}}"}
          - name: ${SECRET}
            api_type: echo
            token: {{Key}}g
            quirks: {prefill: "${SECRET}"}
        """;

    private static void AssertSilent(string text)
    {
        using var folder = new TempFolder();
        folder.Write("secret.txt", Key);
        ConfigResult result = Reader(("SECRET", Key)).Read(folder.Write("config.yaml", text));
        foreach (ConfigProblem problem in result.Errors.Concat(result.Warnings))
        {
            string told = problem.ToString();
            Assert.False(told.Contains(Marker, StringComparison.OrdinalIgnoreCase), $"{told}\n{text}");
            Assert.DoesNotContain('\n', told);
        }
    }

    [Fact]
    public void FileAsItIs_IsWrongInManyPlaces_AndSilent()
    {
        Assert.Equal(15, Read(Text, ("SECRET", Key)).Errors.Count);
        AssertSilent(Text);
    }

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
