namespace Aiproxy.OAuthCache;

/// <summary>What may be shown of a sign-in. No secrets.</summary>
public sealed record SignInStatus
{
    public required string Id { get; init; }

    public required string Path { get; init; }

    public required string Type { get; init; }

    public required SignInState State { get; init; }

    /// <summary>Format of the file in words; null before the file was read.</summary>
    public string? Layout { get; init; }

    public string? Email { get; init; }

    public string? Plan { get; init; }

    /// <summary>Of the access token; null: unknown.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The newest tokens could not be written to the file: a restart would lose them.</summary>
    public bool IsNotSaved { get; init; }

    /// <summary>Last failure that still matters.</summary>
    public string? Problem { get; init; }

    /// <summary>When the failure is looked at again by itself.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Page that the owner is asked to open.</summary>
    public Uri? Link { get; init; }

    public DateTimeOffset? LastRefresh { get; init; }

    public DateTimeOffset? LastUsed { get; init; }
}

public enum SignInState
{
    /// <summary>Nobody has asked for it yet.</summary>
    Unread,
    Ok,
    Refreshing,

    /// <summary>To be refreshed by the next request.</summary>
    Expired,
    Dead,
    Disabled,

    /// <summary>Waits before the token endpoint is asked again, and has no token to use meanwhile.</summary>
    Waiting,
    Unreadable,
}
