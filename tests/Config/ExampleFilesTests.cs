using System.Text.RegularExpressions;
using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class ExampleFilesTests
{
    private static readonly string Example = File.ReadAllText(Path.Combine(Root, "config.example.yaml"));

    [Fact]
    public void FileOfTheGoProgram_LoadsUnchanged()
    {
        ConfigResult result = Reader().Read(FixturePath("go-aiproxy.yaml"));
        ProxyConfig config = Good(result);
        Assert.Equal(new ListenConfig("127.0.0.1", 8642), config.Listen);
        Assert.Equal(["client-key-one", "client-key-two"], config.ClientKeys.Select(key => key.Key!.Reveal()));
        Assert.Equal(4096, config.DefaultMaxTokens);
        Assert.Equal("small-model", config.ModelFallback["middle-model"]);
        Assert.Equal(["primary", "several tokens", "名前", "native responses", "gemini", "codex", "geminicli", "antigravity", "claudecode", "kiro"], config.Upstreams.Select(upstream => upstream.Name));
        Assert.Equal(["sk-fake-b", "sk-fake-c"], config.Upstreams[1].Tokens.Select(token => token.Reveal()));
        Assert.Equal("https://anthropic.invalid/claude", config.Upstreams[1].BaseUrls[0].AbsoluteUri);
        Assert.Equal((1, "none"), (config.Upstreams[1].Weight, config.Upstreams[1].RequestCompression));
        Assert.Equal(["big-model"], config.Upstreams[2].AvailableModels);
        Assert.Equal(2, config.Upstreams[5].AuthFiles.Count);
        Assert.All(config.Upstreams, upstream => Assert.Equal(TimeSpan.FromSeconds(60), upstream.Timeout));
    }

    [Fact]
    public void Example_LoadsWithDefaults_AndWarnsOfLaterBuildsOnly()
    {
        ConfigResult result = Read(Example);
        ProxyConfig config = Good(result);
        Assert.All(result.Warnings, problem => Assert.Contains("not yet in this build", problem.Message));
        ProxyConfig defaults = Good(Read(Echo));
        Assert.Equal(
            (defaults.Listen, defaults.TotalTimeout, defaults.KeepaliveInterval, defaults.EarlyCommit, defaults.ShutdownTimeout, defaults.DrainDelay, defaults.Circuit),
            (config.Listen, config.TotalTimeout, config.KeepaliveInterval, config.EarlyCommit, config.ShutdownTimeout, config.DrainDelay, config.Circuit));
        Assert.Equal((defaults.Log, defaults.MaxConcurrent, defaults.MaxBufferedBytes, defaults.MaxRequestBodyBytes), (config.Log, config.MaxConcurrent, config.MaxBufferedBytes, config.MaxRequestBodyBytes));
        UpstreamConfig enabled = Assert.Single(config.Upstreams, upstream => upstream.Enabled);
        Assert.Equal(("echo", defaults.Upstreams[0].Timeout, defaults.Upstreams[0].ConnectTimeout, defaults.Upstreams[0].StreamIdleTimeout), (enabled.ApiType, enabled.Timeout, enabled.ConnectTimeout, enabled.StreamIdleTimeout));
    }

    [Fact]
    public void Example_WithEveryCommentedKeySwitchedOn_Loads()
    {
        using var folder = new TempFolder();
        folder.Write("server.crt", "fake");
        folder.Write("server.key", "fake");
        string all = Regex.Replace(Example, @"^(\s*)# (?=\s*(- )?[""a-z0-9_*-]+:( |$)|\s*- \$\{)", "$1", RegexOptions.Multiline);
        ConfigResult result = Reader(("AIPROXY_KEY", "sk-fake-1"), ("AIPROXY_ADMIN_KEY", "sk-fake-2"), ("OAUTH_CLIENT_SECRET", "sk-fake-3")).Read(folder.Write("config.yaml", all));
        ProxyConfig config = Good(result);
        Assert.Equal(2, config.ClientKeys.Count);
        Assert.NotNull(config.Tls);
        Assert.Equal("sk-fake-3", config.Upstreams[3].OAuth!.ClientSecret!.Reveal());
        Assert.Equal(128_000, config.Models["my-model-*"].ContextWindow);
    }

    /// <summary>Every key of the manual, one by one.</summary>
    [Fact]
    public void Example_HasEveryKey()
    {
        string[] keys =
        [
            "bind", "listen", "tls", "cert", "key", "api-key", "key_sha256", "requests_per_minute", "tokens_per_minute", "admin_key", "default_max_tokens", "connect_timeout",
            "upstream_request_timeout", "total_timeout", "first_token_timeout", "stream_idle_timeout", "keepalive_interval", "early_commit", "shutdown_timeout", "max_concurrent",
            "max_buffered", "max_request_body", "model_fallback", "circuit_breaker", "failures", "recovery", "first_probe", "models", "context_window", "max_output_tokens", "thinking",
            "mid_system", "prefill", "sampling", "outgoing_proxy", "allow_unauthenticated", "allowed_origins", "allowed_hosts", "drain_delay", "log", "file", "level", "max_size",
            "max_backups", "max_age", "compress", "requests", "telemetry", "otlp_endpoint", "upstreams", "name", "enabled", "api_type", "base_url", "token", "auth_files", "weight",
            "priority", "model_mappings", "available_models", "http_headers", "request_compression", "must_stream", "session_affinity", "error_rules", "status", "body_contains",
            "header", "action", "for", "quirks", "allow_private", "timeout", "user_agent", "oauth", "token_url", "client_id", "client_secret", "refresh_margin", "refresh", "project",
            "region", "api_region", "profile_arn", "system_prefix", "auth_write_back",
        ];
        Assert.All(keys, key => Assert.Matches(new Regex($@"(^|[\s#])(- |or )?{key}:( |$)", RegexOptions.Multiline), Example));
    }
}
