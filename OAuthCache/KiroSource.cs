namespace Aiproxy.OAuthCache;

/// <summary>What a kiro auth file says beside its tokens.</summary>
public sealed record KiroSource
{
    public required KiroMethod Method { get; init; }

    public string? ProfileArn { get; init; }

    public string? ApiRegion { get; init; }

    /// <summary>Region of the sign-in, which names the host of its refresh.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Names the file with the registered client; unchecked.</summary>
    public string? ClientIdHash { get; init; }

    /// <summary>External identity provider only; unchecked.</summary>
    public string? TokenEndpoint { get; init; }

    /// <summary>Separated by spaces; null: the usual ones.</summary>
    public string? Scope { get; init; }

    public string? MachineId { get; init; }
}
