namespace Aiproxy.Config;

/// <summary>One whole configuration file: read, validated, defaults filled in. Immutable; a reload makes a new one.</summary>
public sealed record ProxyConfig
{
    /// <summary>Addresses and port to listen on.</summary>
    public required ListenConfig Listen { get; init; }

    /// <summary>Certificate of the listener; null serves plain HTTP.</summary>
    public TlsConfig? Tls { get; init; }

    /// <summary>Keys that clients may present. Empty: every client is let in.</summary>
    public IReadOnlyList<ClientKeyConfig> ClientKeys { get; init; } = [];

    /// <summary>Key for the administrative endpoints; null admits loopback clients only.</summary>
    public Secret? AdminKey { get; init; }

    /// <summary>Output limit for protocols that demand one when the client gave none; null: 32000 for <c>claude-*</c>, else 8192.</summary>
    public int? DefaultMaxTokens { get; init; }

    /// <summary>All attempts together until the first output. <see cref="TimeSpan.Zero"/>: no limit, as for every duration here.</summary>
    public required TimeSpan TotalTimeout { get; init; }

    /// <summary>Silence towards a streaming client that is filled with a keep-alive.</summary>
    public required TimeSpan KeepaliveInterval { get; init; }

    /// <summary>Wait of a streaming client without output after which it gets status 200 and keep-alives.</summary>
    public required TimeSpan EarlyCommit { get; init; }

    /// <summary>How long running requests may go on after a stop was asked for.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>How long <c>/health</c> says 503 before the listener closes at a stop.</summary>
    public required TimeSpan DrainDelay { get; init; }

    /// <summary>Requests in flight; above it 503.</summary>
    public required int MaxConcurrent { get; init; }

    /// <summary>Bytes of request bodies held at once, all requests together.</summary>
    public required long MaxBufferedBytes { get; init; }

    /// <summary>Bytes of one request body, after decompression.</summary>
    public required long MaxRequestBodyBytes { get; init; }

    /// <summary>Client model to the model tried when every upstream of the first failed. Free of cycles.</summary>
    public IReadOnlyDictionary<string, string> ModelFallback { get; init; } = new Dictionary<string, string>();

    public required CircuitConfig Circuit { get; init; }

    /// <summary>Facts about models, by name or <c>prefix*</c>; they win over the built-in table.</summary>
    public IReadOnlyDictionary<string, ModelFacts> Models { get; init; } = new Dictionary<string, ModelFacts>();

    /// <summary>Listening on anything but loopback without client keys is refused unless this is true.</summary>
    public bool AllowUnauthenticated { get; init; }

    /// <summary>Browser origins that may call, as <c>scheme://host[:port]</c> in lower case; <c>*</c> allows all.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary><c>Host</c> names that may be asked for, without port, in lower case.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    public required LogConfig Log { get; init; }

    /// <summary>Where OpenTelemetry data goes; null: nowhere.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>All upstreams in file order, the disabled ones included.</summary>
    public required IReadOnlyList<UpstreamConfig> Upstreams { get; init; }
}

/// <summary>Where to listen. <paramref name="Host"/> is an IP address, <c>localhost</c> (both loopback addresses) or <c>*</c>/<c>0.0.0.0</c>/<c>::</c>.</summary>
/// <param name="Host">As written, without brackets.</param>
/// <param name="Port">0 to 65535; 0 lets the system choose (tests).</param>
public sealed record ListenConfig(string Host, int Port);

/// <summary>PEM files, absolute paths. Both are watched.</summary>
public sealed record TlsConfig(string CertificatePath, string KeyPath);

/// <summary>A client key. Exactly one of <see cref="Key"/> and <see cref="KeySha256"/> is set.</summary>
public sealed record ClientKeyConfig
{
    /// <summary>What logs call this key; <c>key-1</c>, <c>key-2</c>, ... in file order where the file gives no name.</summary>
    public required string Name { get; init; }

    public Secret? Key { get; init; }

    /// <summary>32 bytes: SHA-256 of the key's UTF-8.</summary>
    public byte[]? KeySha256 { get; init; }

    /// <summary>Model names this key may use; <c>*</c> matches any run of characters. Empty: all.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    public int? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public int? MaxConcurrent { get; init; }
}

/// <summary>When a circuit opens and when it probes.</summary>
/// <param name="Failures">Failures in a row that open it, 1 or more.</param>
/// <param name="Recovery">Longest wait before a probe.</param>
/// <param name="FirstProbe">First wait; it doubles up to <paramref name="Recovery"/>.</param>
public sealed record CircuitConfig(int Failures, TimeSpan Recovery, TimeSpan FirstProbe);

/// <summary>What is known of a model; null: not known.</summary>
public sealed record ModelFacts
{
    /// <summary>Tokens of prompt and answer together.</summary>
    public int? ContextWindow { get; init; }

    public int? MaxOutputTokens { get; init; }

    /// <summary><c>none</c>, <c>budget</c> or <c>adaptive</c>.</summary>
    public string? Thinking { get; init; }

    /// <summary>The model takes <c>role: system</c> turns inside the conversation.</summary>
    public bool? MidSystem { get; init; }

    /// <summary>The model continues a trailing assistant turn.</summary>
    public bool? Prefill { get; init; }

    /// <summary>The model takes temperature, top_p and top_k.</summary>
    public bool? Sampling { get; init; }
}

/// <summary>Where log lines go and which.</summary>
public sealed record LogConfig
{
    /// <summary>Absolute path of the log file; null logs to standard output.</summary>
    public string? File { get; init; }

    /// <summary><c>debug</c>, <c>info</c>, <c>warn</c> or <c>error</c>.</summary>
    public required string Level { get; init; }

    public required int MaxSizeMegabytes { get; init; }

    /// <summary>Rotated files kept; 0 keeps all.</summary>
    public required int MaxBackups { get; init; }

    /// <summary>Days a rotated file is kept; 0 keeps it forever.</summary>
    public required int MaxAgeDays { get; init; }

    /// <summary>Rotated files are compressed with gzip.</summary>
    public bool Compress { get; init; }

    /// <summary>One line a request is written.</summary>
    public bool Requests { get; init; } = true;
}
