using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class ConfigReaderTests
{
    [Fact]
    public void Defaults_AreThoseOfTheManual()
    {
        ProxyConfig config = Good(Read(Echo));
        Assert.Equal(new ListenConfig("127.0.0.1", 8080), config.Listen);
        Assert.Equal(
            [600, 15, 90, 30, 0],
            new[] { config.TotalTimeout, config.KeepaliveInterval, config.EarlyCommit, config.ShutdownTimeout, config.DrainDelay }.Select(time => time.TotalSeconds));
        Assert.Equal((2000, 512L << 20, 64L << 20), (config.MaxConcurrent, config.MaxBufferedBytes, config.MaxRequestBodyBytes));
        Assert.Equal(new CircuitConfig(3, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1)), config.Circuit);
        Assert.Equal(new LogConfig { Level = "info", MaxSizeMegabytes = 100, MaxBackups = 3, MaxAgeDays = 28 }, config.Log);
        Assert.True(config.Log.Requests && !config.AllowUnauthenticated);
        Assert.Null(config.DefaultMaxTokens);
        Assert.Null(config.AdminKey);
        Assert.Null(config.Tls);
        Assert.Null(config.OtlpEndpoint);
        Assert.Empty(config.ClientKeys);
    }

    [Fact]
    public void EveryRootKey_IsRead()
    {
        ProxyConfig config = Good(ReadRoot("""
            admin_key: sk-fake-admin
            default_max_tokens: 5
            total_timeout: 1m
            keepalive_interval: 0
            early_commit: 1.5
            shutdown_timeout: 2
            drain_delay: 250ms
            max_concurrent: 7
            max_buffered: 2GB
            max_request_body: 1MB
            model_fallback: {a: b, b: c}
            circuit_breaker: {failures: 5, recovery: 1h, first_probe: 10s}
            models: {"m-*": {context_window: 1, max_output_tokens: 2, thinking: Adaptive, mid_system: y, prefill: n, sampling: true}}
            allowed_origins: [HTTPS://App.Example:8443/, "*", "chrome-extension://abc"]
            allowed_hosts: [Proxy.Example, "[::1]"]
            log: {level: debug, max_size: 1, max_backups: 0, max_age: 0, compress: yes, requests: no}
            telemetry: {otlp_endpoint: "http://127.0.0.1:4318"}
            """));
        Assert.Equal("sk-fake-admin", config.AdminKey!.Reveal());
        Assert.Equal((5, 60, 0, 1.5, 2, 0.25), (config.DefaultMaxTokens, config.TotalTimeout.TotalSeconds, config.KeepaliveInterval.TotalSeconds, config.EarlyCommit.TotalSeconds, config.ShutdownTimeout.TotalSeconds, config.DrainDelay.TotalSeconds));
        Assert.Equal((7, 2L << 30, 1L << 20), (config.MaxConcurrent, config.MaxBufferedBytes, config.MaxRequestBodyBytes));
        Assert.Equal("c", config.ModelFallback["b"]);
        Assert.Equal(new CircuitConfig(5, TimeSpan.FromHours(1), TimeSpan.FromSeconds(10)), config.Circuit);
        Assert.Equal(new ModelFacts { ContextWindow = 1, MaxOutputTokens = 2, Thinking = "adaptive", MidSystem = true, Prefill = false, Sampling = true }, config.Models["m-*"]);
        Assert.Equal(["https://app.example:8443", "*", "chrome-extension://abc"], config.AllowedOrigins);
        Assert.Equal(["proxy.example", "::1"], config.AllowedHosts);
        Assert.Equal(new LogConfig { Level = "debug", MaxSizeMegabytes = 1, MaxBackups = 0, MaxAgeDays = 0, Compress = true, Requests = false }, config.Log);
        Assert.Equal("http://127.0.0.1:4318/", config.OtlpEndpoint!.AbsoluteUri);
    }

    [Theory]
    [InlineData("total_timeout: -1", "3:16: total_timeout: expected a duration")]
    [InlineData("max_request_body: 2GB", "max_request_body: expected a size such as 1048576, 512KB or 64MB, from 1 byte to 1024MB, got '2GB'")]
    [InlineData("max_buffered: 0", "max_buffered: expected a size")]
    [InlineData("max_concurrent: 0", "max_concurrent: expected a whole number of 1 or more")]
    [InlineData("default_max_tokens: -1", "default_max_tokens: expected a whole number of 0 or more, got '-1'")]
    [InlineData("log: text", "log: expected a mapping, got text")]
    [InlineData("log: {level: trace}", "log.level: expected debug, info, warn or error, got 'trace'")]
    [InlineData("log: {max_size: -1}", "log.max_size: expected a whole number")]
    [InlineData("circuit_breaker: {failures: 0}", "circuit_breaker.failures: expected a whole number of 1 or more")]
    [InlineData("circuit_breaker: {recovery: 0}", "circuit_breaker.recovery: expected more than 0")]
    [InlineData("circuit_breaker: {first_probe: 0}", "circuit_breaker.first_probe: expected more than 0")]
    [InlineData("circuit_breaker: {first_probe: 1h}", "circuit_breaker.first_probe: is more than recovery")]
    [InlineData("models: {m: {thinking: much}}", "models[\"m\"].thinking: expected none, budget or adaptive, got 'much'")]
    [InlineData("models: {m: text}", "models[\"m\"]: expected a mapping, got text")]
    [InlineData("model_fallback: {\"a*\": b}", "model_fallback[\"a*\"]: expected a whole model name")]
    [InlineData("model_fallback: {a: [b]}", "model_fallback[\"a\"]: expected text, got a list")]
    [InlineData("allowed_origins: app.example", "allowed_origins: expected 'scheme://host'")]
    [InlineData("allowed_origins: [\"https://h/path\"]", "allowed_origins[0]: expected 'scheme://host'")]
    [InlineData("allowed_hosts: \"h:80\"", "allowed_hosts: expected a host name without port, got 'h:80'")]
    [InlineData("telemetry: {otlp_endpoint: h}", "telemetry.otlp_endpoint: expected a URL")]
    [InlineData("telemetry: {endpoint: h}", "unknown key 'endpoint'; the keys here are otlp_endpoint")]
    [InlineData("api-keys: k", "api-keys: unknown key 'api-keys'; did you mean 'api_keys'?")]
    [InlineData("admin_key: [k]", "admin_key: expected text, got a list")]
    [InlineData("admin_key: ${NO_SUCH}", "admin_key: the environment variable NO_SUCH is not set")]
    [InlineData("admin_key: ${file:/no/such/file}", "admin_key: '/no/such/file' cannot be read: there is no such file")]
    [InlineData("admin_key: ${file:/proc/self/mem}", "cannot be read: the system refuses it")]
    [InlineData("admin_key: ${file:~/x}", "HOME is not set")]
    [InlineData("admin_key: ${file:/dev/zero}", "cannot be read: it is larger than 4096 KB")]
    [InlineData("log: {file: \"a\\0b\"}", "log.file: cannot be used as a file: its name holds a NUL character")]
    public void WrongRootKey_IsRefused(string keys, string expected) => Assert.Contains(expected, OneError(ReadRoot(keys)));

    [Fact]
    public void ShortRecovery_PullsTheFirstProbeDown() =>
        Assert.Equal(new CircuitConfig(3, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5)), Good(ReadRoot("circuit_breaker: {recovery: 5}")).Circuit);

    [Theory]
    [InlineData("bind:")]
    [InlineData("bind: ''")]
    [InlineData("bind: ${NONE:-}")]
    [InlineData("log:")]
    [InlineData("admin_key: ''")]
    [InlineData("x-note: {anything: [goes]}")]
    [InlineData("telemetry: {}")]
    public void EmptyValue_IsAsGoodAsNone(string keys)
    {
        ConfigResult result = ReadRoot(keys);
        Assert.Empty(result.Warnings);
        Assert.Equal((null, "127.0.0.1"), (Good(result).AdminKey, Good(result).Listen.Host));
    }

    [Fact]
    public void RelativePath_BesideTheFile_WinsOverTheProcessFolder()
    {
        using var folder = new TempFolder();
        string name = $"aiproxy-test-{Guid.NewGuid():N}.json";
        string inProcessFolder = Path.GetFullPath(name);
        string text = $"upstreams: [{{name: a, api_type: claudecode, auth_files: {name}}}]";
        string config = folder.Write("config.yaml", text);

        Assert.Equal(folder.At(name), Good(Reader().Read(config)).Upstreams[0].AuthFiles[0]);
        File.WriteAllText(inProcessFolder, "{}");
        try
        {
            Assert.Equal(inProcessFolder, Good(Reader().Read(config)).Upstreams[0].AuthFiles[0]);
            folder.Write(name, "{}");
            Assert.Equal(folder.At(name), Good(Reader().Read(config)).Upstreams[0].AuthFiles[0]);
        }
        finally
        {
            File.Delete(inProcessFolder);
        }
    }

    [Fact]
    public void HomeFolder_ComesFromTheEnvironment() =>
        Assert.Equal("/home/nobody/log/x.log", Good(ReadRoot("log: {file: ~/log/x.log}", ("HOME", "/home/nobody"))).Log.File);

    [Fact]
    public void NamedFile_IsReadTrimmed_AndWatched_AlsoWhenItIsMissing()
    {
        using var folder = new TempFolder();
        folder.Write("key.txt", "\n sk-fake-1 \n");
        ConfigResult result = Reader().Read(folder.Write("config.yaml", Echo + "admin_key: ${file:key.txt}"));
        Assert.Equal("sk-fake-1", Good(result).AdminKey!.Reveal());
        Assert.Equal([folder.At("config.yaml"), folder.At("key.txt")], result.WatchedFiles);

        result = Reader().Read(folder.Write("config.yaml", Echo + "admin_key: ${file:gone.txt}"));
        Assert.Equal([folder.At("config.yaml"), folder.At("gone.txt")], result.WatchedFiles);
        Assert.Equal("missing", result.Fingerprints[folder.At("gone.txt")]);
    }

    [Fact]
    public void UnreadableFile_IsOneError()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.At("latin.yaml"), [(byte)'a', (byte)':', (byte)' ', 0xE9, (byte)'\n']);
        File.WriteAllBytes(folder.At("utf16.yaml"), [0xFF, 0xFE, (byte)'a', 0]);
        File.WriteAllBytes(folder.At("binary.yaml"), [(byte)'a', (byte)'\n', 0, 1]);
        using (FileStream large = File.Create(folder.At("large.yaml"))) large.SetLength(100 * 1024 * 1024);
        (string Name, string Expected)[] cases =
        [
            ("none.yaml", ":1:1: cannot be read: there is no such file"), ("none/config.yaml", "no such file"), (".", "it is a folder"),
            ("latin.yaml", "it is not UTF-8 text (line 1)"), ("utf16.yaml", "not UTF-8"), ("binary.yaml", ":2:1: cannot be read: it holds a NUL"), ("large.yaml", "larger than 4096 KB"),
        ];
        foreach ((string name, string expected) in cases)
        {
            ConfigResult result = Reader().Read(folder.At(name));
            Assert.Null(result.Config);
            Assert.Contains(expected, Assert.Single(result.Errors).ToString());
            Assert.Single(result.WatchedFiles);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void NoFileName_IsOneError(string name)
    {
        Assert.Single(Reader().Read(name).Errors);
        Good(Reader().ReadText(Echo, name));
    }

    [Fact]
    public void ForbiddenFile_IsOneError()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "the superuser may read everything");
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TempFolder();
        File.SetUnixFileMode(folder.Write("config.yaml", Echo), UnixFileMode.None);
        Assert.Contains("no permission", Assert.Single(Reader().Read(folder.At("config.yaml")).Errors).Message);
    }
}
