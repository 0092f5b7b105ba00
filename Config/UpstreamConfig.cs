namespace Aiproxy.Config;

/// <summary>One entry of <c>upstreams</c>, defaults filled in (global ones included).</summary>
public sealed record UpstreamConfig
{
    /// <summary>Unique in the file; any script.</summary>
    public required string Name { get; init; }

    public bool Enabled { get; init; } = true;

    /// <summary>The type's legal name, such as <c>anthropic</c>.</summary>
    public required string ApiType { get; init; }

    /// <summary>Tried in this order inside one visit. Without trailing slash and without the API's version path. Empty for <c>echo</c>.</summary>
    public required IReadOnlyList<Uri> BaseUrls { get; init; }

    /// <summary>API keys, used in turn; blanks and repeats are gone.</summary>
    public IReadOnlyList<Secret> Tokens { get; init; } = [];

    /// <summary>Absolute paths of sign-in files, used in turn.</summary>
    public IReadOnlyList<string> AuthFiles { get; init; } = [];

    /// <summary>Share of the traffic among upstreams of one priority, 1 or more.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Lower numbers first.</summary>
    public int Priority { get; init; }

    /// <summary>Client model name, or <c>prefix*</c>, to the upstream's model name.</summary>
    public IReadOnlyDictionary<string, string> ModelMappings { get; init; } = new Dictionary<string, string>();

    /// <summary>Client model names, or <c>prefix*</c>, that this upstream serves; null: not given.</summary>
    public IReadOnlyList<string>? AvailableModels { get; init; }

    /// <summary>Extra request headers; a value here wins over ours, except credentials.</summary>
    public IReadOnlyDictionary<string, string> HttpHeaders { get; init; } = new Dictionary<string, string>();

    /// <summary><c>none</c>, <c>gzip</c>, <c>br</c> or <c>zstd</c>.</summary>
    public string RequestCompression { get; init; } = "none";

    /// <summary>Ask the upstream for a stream even when the client wants one answer; null: as the type says.</summary>
    public bool? MustStream { get; init; }

    /// <summary>Requests in flight beyond which this upstream counts as busy; null: no limit.</summary>
    public int? MaxConcurrent { get; init; }

    /// <summary>null: as the type says.</summary>
    public bool? SessionAffinity { get; init; }

    /// <summary>First match wins over the built-in judgement.</summary>
    public IReadOnlyList<ErrorRule> ErrorRules { get; init; } = [];

    /// <summary>Names of switches that are on, with their value (<c>true</c>, <c>false</c> or a word).</summary>
    public IReadOnlyDictionary<string, string> Quirks { get; init; } = new Dictionary<string, string>();

    /// <summary>false refuses base URLs that resolve to private or link-local addresses.</summary>
    public bool AllowPrivate { get; init; } = true;

    /// <summary>The file's <c>default_max_tokens</c>; null: by the model's name.</summary>
    public int? DefaultMaxTokens { get; init; }

    /// <summary>The file's <c>models</c>: facts by upstream or client model name.</summary>
    public IReadOnlyDictionary<string, ModelFacts> Models { get; init; } = new Dictionary<string, ModelFacts>();

    /// <summary>TCP and TLS. <see cref="TimeSpan.Zero"/>: no limit, as for every duration here.</summary>
    public required TimeSpan ConnectTimeout { get; init; }

    /// <summary>Wait for the response headers of a streamed request; a whole answer gets at least <see cref="StreamIdleTimeout"/>.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>From the headers to the first output of a stream; null: 120 s + 1 s per 10,000 characters of request, at most 300 s.</summary>
    public TimeSpan? FirstTokenTimeout { get; init; }

    /// <summary>Longest silence inside an answer.</summary>
    public required TimeSpan StreamIdleTimeout { get; init; }

    /// <summary><c>none</c>, or proxy URLs (<c>http</c>, <c>https</c>, <c>socks5</c>), one for all or one a credential; empty: from the environment.</summary>
    public IReadOnlyList<Secret> OutgoingProxies { get; init; } = [];

    /// <summary>null: <c>aiproxy/VERSION</c> or what the type needs.</summary>
    public string? UserAgent { get; init; }

    public OAuthConfig? OAuth { get; init; }

    public string? Project { get; init; }

    public string? Region { get; init; }

    public string? ApiRegion { get; init; }

    public string? ProfileArn { get; init; }

    public bool SystemPrefix { get; init; }

    public bool AuthWriteBack { get; init; } = true;
}

/// <summary>What to do with a matching upstream failure.</summary>
public sealed record ErrorRule
{
    /// <summary>HTTP statuses; empty: any.</summary>
    public IReadOnlyList<int> Statuses { get; init; } = [];

    /// <summary>Text that the body must hold, case ignored; null: any body.</summary>
    public string? BodyContains { get; init; }

    /// <summary>Header name, or <c>name: value</c>, that the response must carry; null: any.</summary>
    public string? Header { get; init; }

    public required ErrorAction Action { get; init; }

    /// <summary>How long the credential rests with <see cref="ErrorAction.Rest"/>.</summary>
    public TimeSpan? RestFor { get; init; }
}

/// <summary>The verdict of an <see cref="ErrorRule"/>.</summary>
public enum ErrorAction
{
    /// <summary>Try the next candidate and count the failure.</summary>
    Next,

    /// <summary>Try the next candidate and do not count.</summary>
    Ignore,

    /// <summary>Answer the client now.</summary>
    Fail,

    /// <summary>Rest the credential, try the next.</summary>
    Rest,
}

/// <summary>An OAuth client and its endpoint, where they differ from the provider's.</summary>
public sealed record OAuthConfig
{
    public Uri? TokenUrl { get; init; }

    public string? ClientId { get; init; }

    public Secret? ClientSecret { get; init; }

    /// <summary>How long before expiry a token is refreshed.</summary>
    public TimeSpan RefreshMargin { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>true refreshes in the background; false only when a request needs the token.</summary>
    public bool RefreshAhead { get; init; } = true;
}
