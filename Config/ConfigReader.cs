namespace Aiproxy.Config;

/// <summary>Reads a configuration file into a <see cref="ProxyConfig"/>: every problem at once, every default filled in. Thread-safe.</summary>
/// <param name="types">The legal values of <c>api_type</c>.</param>
/// <param name="environment">Value of an environment variable; null: not set.</param>
public sealed class ConfigReader(UpstreamTypeFacts types, Func<string, string?> environment)
{
    private const long LargestRequestBodyBytes = 1L << 30;
    private const long LargestBufferBytes = 1L << 50;

    /// <summary>Never throws for what may lie at the path, or for what the file holds.</summary>
    /// <param name="path">Problems name it as it is given here.</param>
    public ConfigResult Read(string path)
    {
        var errors = new ConfigErrors(path);
        var files = new WatchList();
        if (path.Length == 0 || path.Contains('\0'))
        {
            errors.Error("", "no file has this name");
            return Result(null, errors, files);
        }
        string fullPath = Path.GetFullPath(path);
        (string? text, string? problem) = files.ReadText(fullPath);
        if (text is not null) return Read(text, errors, files, FolderOf(fullPath));
        errors.Error("", $"cannot be read: {problem}");
        return Result(null, errors, files);
    }

    /// <summary>As <see cref="Read(string)"/>, with a text that need not be on disk.</summary>
    /// <param name="fileName">What problems call the file; relative paths start in its folder.</param>
    public ConfigResult ReadText(string text, string fileName)
    {
        string folder = fileName.Length == 0 || fileName.Contains('\0') ? Environment.CurrentDirectory : FolderOf(Path.GetFullPath(fileName));
        return Read(text, new ConfigErrors(fileName), new WatchList(), folder);
    }

    private ConfigResult Read(string text, ConfigErrors errors, WatchList files, string folder)
    {
        int binary = text.AsSpan().IndexOf('\0');
        if (binary >= 0)
        {
            errors.ErrorAt(text.AsSpan(0, binary).Count('\n') + 1, 1, "", "cannot be read: it holds a NUL character, so it is not a text file");
            return Result(null, errors, files);
        }
        if (text.Length > WatchList.LongestFileBytes)
        {
            errors.Error("", $"cannot be read: it is larger than {WatchList.LongestFileBytes / 1024} KB");
            return Result(null, errors, files);
        }
        if (new YamlDocumentReader(errors).Read(text) is not { } document) return Result(null, errors, files);

        var context = new ReadContext(errors, types, files, folder, environment);
        ProxyConfig config = ReadRoot(new MapReader(context, document, ""));
        new ConfigValidator(types, errors).Validate(config);
        return Result(config, errors, files);
    }

    private static ProxyConfig ReadRoot(MapReader root)
    {
        var defaults = new UpstreamDefaults(
            ConnectTimeout: root.Duration("connect_timeout") ?? TimeSpan.FromSeconds(10),
            Timeout: root.Duration("upstream_request_timeout") ?? TimeSpan.FromSeconds(60),
            FirstTokenTimeout: root.Duration("first_token_timeout"),
            StreamIdleTimeout: root.Duration("stream_idle_timeout") ?? TimeSpan.FromSeconds(600),
            Proxies: OutgoingProxies.Read(root));
        var config = new ProxyConfig
        {
            Listen = ListenReader.Read(root),
            Tls = ListenReader.ReadTls(root),
            ClientKeys = ClientKeysReader.Read(root),
            AdminKey = root.Secret("admin_key") is { } key ? new Secret(key.Text) : null,
            // 0 is "not given" in the files that come from the Go program.
            DefaultMaxTokens = root.Whole("default_max_tokens", 0) is { } tokens and > 0 ? tokens : null,
            TotalTimeout = root.Duration("total_timeout") ?? TimeSpan.FromSeconds(600),
            KeepaliveInterval = root.Duration("keepalive_interval") ?? TimeSpan.FromSeconds(15),
            EarlyCommit = root.Duration("early_commit") ?? TimeSpan.FromSeconds(90),
            ShutdownTimeout = root.Duration("shutdown_timeout") ?? TimeSpan.FromSeconds(30),
            DrainDelay = root.Duration("drain_delay") ?? TimeSpan.Zero,
            MaxConcurrent = root.Whole("max_concurrent", 1) ?? 2000,
            MaxBufferedBytes = root.Size("max_buffered", LargestBufferBytes) ?? 512L << 20,
            MaxRequestBodyBytes = root.Size("max_request_body", LargestRequestBodyBytes) ?? 64L << 20,
            ModelFallback = ModelNames.Fallbacks(root, "model_fallback"),
            Circuit = ReadCircuit(root),
            Models = ModelNames.Facts(root),
            AllowUnauthenticated = root.Flag("allow_unauthenticated") ?? false,
            AllowedOrigins = OriginsReader.Origins(root),
            AllowedHosts = OriginsReader.Hosts(root),
            Log = LogReader.Read(root),
            OtlpEndpoint = ReadTelemetry(root),
            Upstreams = ReadUpstreams(root, defaults),
        };
        root.Finish(NotYet.Root);
        return config with
        {
            Upstreams = [.. config.Upstreams.Select(upstream => upstream with { DefaultMaxTokens = config.DefaultMaxTokens, Models = config.Models })],
        };
    }

    private static CircuitConfig ReadCircuit(MapReader root)
    {
        var usual = new CircuitConfig(3, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1));
        if (root.Map("circuit_breaker") is not { } map) return usual;
        int failures = map.Whole("failures", 1) ?? usual.Failures;
        TimeSpan? recovery = map.Duration("recovery");
        TimeSpan? firstProbe = map.Duration("first_probe");
        map.Finish(NotYet.Nothing);
        TimeSpan longest = recovery ?? usual.Recovery;
        const string NotZero = "expected more than 0: a circuit that opens must wait before it probes";
        if (longest == TimeSpan.Zero) map.Errors.Error(map.PathOf("recovery"), NotZero);
        else if (firstProbe == TimeSpan.Zero) map.Errors.Error(map.PathOf("first_probe"), NotZero);
        else if (firstProbe > longest) map.Errors.Error(map.PathOf("first_probe"), "is more than recovery, the longest wait");
        return new CircuitConfig(failures, longest, firstProbe ?? (longest < usual.FirstProbe ? longest : usual.FirstProbe));
    }

    private static Uri? ReadTelemetry(MapReader root)
    {
        if (root.Map("telemetry") is not { } map) return null;
        Uri? endpoint = null;
        if (map.Text("otlp_endpoint") is { } found)
        {
            endpoint = UrlForms.Web(found.Text.Trim(), out string? problem);
            if (problem is not null) map.Errors.Error(found.Path, problem);
        }
        map.Finish(NotYet.Nothing);
        return endpoint;
    }

    private static List<UpstreamConfig> ReadUpstreams(MapReader root, UpstreamDefaults defaults)
    {
        var upstreams = new List<UpstreamConfig>();
        switch (root.Node("upstreams"))
        {
            case null:
                root.Errors.Error("upstreams", "required: a list of at least one upstream");
                break;
            case ListNode { Items.Count: 0 }:
                root.Errors.Error("upstreams", "expected a list of at least one upstream, got an empty list");
                break;
            case ScalarNode scalar:
                root.Errors.Error("upstreams", $"expected a list of upstreams, got {scalar.Kind}");
                break;
            default:
                foreach ((ConfigNode node, string path) in root.Items("upstreams"))
                {
                    if (node is not MapNode) root.Errors.Error(path, $"expected a mapping that describes an upstream, got {node.Kind}");
                    upstreams.Add(node is MapNode map ? UpstreamReader.Read(new MapReader(root.Context, map, path), defaults) : UpstreamReader.Placeholder);
                }
                break;
        }
        return upstreams;
    }

    private static string FolderOf(string fullPath) => Path.GetDirectoryName(fullPath) ?? fullPath;

    private static ConfigResult Result(ProxyConfig? config, ConfigErrors errors, WatchList files) =>
        new(errors.ErrorCount == 0 ? config : null, errors.Errors, errors.Warnings, files.Files) { Fingerprints = files.Fingerprints };
}
