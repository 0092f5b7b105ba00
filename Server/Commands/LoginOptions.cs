namespace Aiproxy.Server.Commands;

/// <summary>The words of one <c>login</c> command. null: not given.</summary>
public sealed record LoginOptions
{
    /// <summary>api_type.</summary>
    public required string Type { get; init; }

    public string? Output { get; init; }

    public bool IsDevice { get; init; }

    public bool IsPaste { get; init; }

    /// <summary>kiro: through the browser's return instead of a device code.</summary>
    public bool IsBrowser { get; init; }

    public bool HasNoBrowser { get; init; }

    public string? Region { get; init; }

    public string? StartUrl { get; init; }

    /// <summary><c>google</c> or <c>github</c>.</summary>
    public string? Provider { get; init; }

    public string? Project { get; init; }

    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }

    /// <summary>Google types: a file that carries a client, such as an older auth file.</summary>
    public string? ClientFile { get; init; }

    public string? Config { get; init; }

    public string? Upstream { get; init; }

    /// <summary>All of the provider's addresses below this one: for tests and mirrors.</summary>
    public Uri? Issuer { get; init; }

    /// <summary>How long the user has.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>Hides the secret.</summary>
    public override string ToString() => "login " + Type;
}
