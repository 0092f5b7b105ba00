namespace Aiproxy.Protocols.Model;

/// <summary>A failure in no vendor's words; each protocol writes it in its own envelope and status.</summary>
public sealed record ProxyError(ErrorKind Kind, string Message)
{
    /// <summary>JSON path of the offending member, where there is one.</summary>
    public string? Param { get; init; }

    /// <summary>The upstream's own machine code, where it told one.</summary>
    public string? Code { get; init; }

    /// <summary>How long the client should wait before it tries again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>false: a later try cannot help; null: not said.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>HTTP status that the upstream answered with; null where the fault is not an upstream's answer.</summary>
    public int? UpstreamStatus { get; init; }
}

/// <summary>What kind of failure, as the clients' error tables tell them apart.</summary>
public enum ErrorKind
{
    /// <summary>400: the request is wrong.</summary>
    InvalidRequest,

    /// <summary>400: a field that the target protocol cannot express.</summary>
    Unsupported,

    /// <summary>400: more tokens than the model takes.</summary>
    ContextTooLong,

    /// <summary>400: the provider refuses the prompt's content.</summary>
    ContentPolicy,

    /// <summary>The client's key is wrong.</summary>
    ClientAuth,

    /// <summary>The client sent no key.</summary>
    ClientAuthMissing,

    /// <summary>403: not permitted for this client.</summary>
    Permission,

    NotFound,

    MethodNotAllowed,

    Conflict,

    TooLarge,

    UnsupportedMedia,

    /// <summary>429: try later.</summary>
    RateLimit,

    /// <summary>The account's quota or money is gone.</summary>
    Quota,

    /// <summary>The proxy's own credential was refused.</summary>
    UpstreamAuth,

    /// <summary>500: the upstream failed inside.</summary>
    ServerError,

    /// <summary>502: no usable answer came from the upstream, or it broke.</summary>
    BadGateway,

    /// <summary>The provider is overloaded.</summary>
    Overloaded,

    /// <summary>503: no upstream can take the request now.</summary>
    Unavailable,

    /// <summary>504.</summary>
    Timeout,
}
