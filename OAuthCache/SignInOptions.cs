namespace Aiproxy.OAuthCache;

/// <summary>How one sign-in file is to be used. From the configuration; a reload brings others for the same file.</summary>
public sealed record SignInOptions
{
    /// <summary>api_type; one of <see cref="ProviderFacts.All"/>.</summary>
    public required string Type { get; init; }

    /// <summary>The auth file. Links are followed anew at each use.</summary>
    public required string Path { get; init; }

    /// <summary>null: the provider's. Used as it stands; https, or http to a loopback address.</summary>
    public Uri? TokenUrl { get; init; }

    /// <summary>Counts only where the auth file names no client.</summary>
    public string? ClientId { get; init; }

    /// <summary>Counts only where the auth file has none and names no other client than <see cref="ClientId"/>.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>How long before expiry a token is refreshed; never more than half of a token's life.</summary>
    public TimeSpan RefreshMargin { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>true: refresh only what has expired, on demand, and give the program that owns the file 10 s to do it first.</summary>
    public bool Lazy { get; init; }

    /// <summary>false: nothing is ever written, not even a lock file.</summary>
    public bool WriteBack { get; init; } = true;

    /// <summary>Carries the upstream's proxy setting. Must not follow redirects. The caller disposes it, after a later <see cref="TokenCache.Open"/> brought another.</summary>
    public required HttpMessageInvoker Client { get; init; }

    /// <summary>Holds the lock file where the auth file's folder cannot. Empty: <c>$XDG_RUNTIME_DIR</c>, else the temp folder.</summary>
    public string DataFolder { get; init; } = "";

    /// <summary>Hides everything but type and path.</summary>
    public override string ToString() => Type + ":" + Path;
}
