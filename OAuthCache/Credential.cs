namespace Aiproxy.OAuthCache;

/// <summary>What one sign-in says at one moment. Immutable; a refresh makes another.</summary>
public sealed record Credential
{
    /// <summary>Stable name for logs and rests: the auth file's name without its folder. Never a token or a hash of one.</summary>
    public required string Id { get; init; }

    /// <summary>api_type.</summary>
    public required string Type { get; init; }

    /// <summary>Printable ASCII without spaces.</summary>
    public required string AccessToken { get; init; }

    /// <summary>null: not told; valid until it is refused.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Plus one at each change of the tokens; a request remembers which it used.</summary>
    public long Generation { get; init; }

    public string? Email { get; init; }

    public string? Plan { get; init; }

    /// <summary>codex: account that the requests name.</summary>
    public string? AccountId { get; init; }

    /// <summary>codex: the account is under FedRAMP rules, which a header must say.</summary>
    public bool IsFedRamp { get; init; }

    /// <summary>Google types: project id of the auth file.</summary>
    public string? ProjectId { get; init; }

    /// <summary>antigravity: a base URL in the auth file replaces the list of hosts.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>antigravity: a user agent in the auth file.</summary>
    public string? UserAgent { get; init; }

    public KiroSignIn? Kiro { get; init; }

    /// <summary>Hides everything but the name.</summary>
    public override string ToString() => Type + ":" + Id;
}
