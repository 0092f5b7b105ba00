namespace Aiproxy.Tests.EndToEnd;

/// <summary>One sign-in as the provider remembers it.</summary>
public sealed class FakeProviderGrant
{
    public required string Type { get; init; }

    /// <summary>kiro: <c>social</c>, <c>builder-id</c>, <c>idc</c> or <c>external_idp</c>; else empty.</summary>
    public string Method { get; init; } = "";

    public required FakeProviderAccount Account { get; init; }

    public required string ClientId { get; init; }

    public string? ClientSecret { get; init; }

    /// <summary>The one that still works.</summary>
    public string RefreshToken { get; set; } = "";

    /// <summary>The newest access token; older ones live on until they expire, as they do at the providers.</summary>
    public string AccessToken { get; set; } = "";

    public DateTimeOffset ExpiresAt { get; set; }

    public string IdToken { get; set; } = "";

    public bool IsRevoked { get; set; }

    public int Refreshes { get; set; }
}

/// <summary>Who signed in.</summary>
public sealed record FakeProviderAccount(string Email, string AccountId)
{
    /// <summary>codex: claim; Google types: name of the tier; kiro: title of the subscription.</summary>
    public string Plan { get; init; } = "plus";

    public string ProjectId { get; init; } = "fake-project-1";

    public string ProfileArn { get; init; } = "arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE";
}

/// <summary>An authorization code that waits to be exchanged.</summary>
public sealed record FakeProviderCode(string Type, string Method, string ClientId, string RedirectUri, string Challenge, string State, FakeProviderAccount Account);

/// <summary>A sign-in and the file that holds it.</summary>
public sealed record FakeSignIn(string Path, FakeProviderGrant Grant)
{
    /// <summary>As issued; the grant knows the newest.</summary>
    public string AccessToken { get; init; } = Grant.AccessToken;

    public string RefreshToken { get; init; } = Grant.RefreshToken;
}
