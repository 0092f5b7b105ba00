namespace Aiproxy.OAuthCache;

/// <summary>What requests to kiro must know of the kind of sign-in.</summary>
/// <param name="ProfileArn">As in the auth file; a builder-ID sign-in must not send one.</param>
/// <param name="ApiRegion">Region of the API as the auth file names it; not the region of the sign-in.</param>
public sealed record KiroSignIn(KiroMethod Method, string? ProfileArn, string? ApiRegion)
{
    /// <summary>Machine id of the auth file, which a user agent may carry; none is ever made up.</summary>
    public string? MachineId { get; init; }
}

/// <summary>How a kiro sign-in was made: decides its refresh and what requests carry.</summary>
public enum KiroMethod
{
    /// <summary>Google or GitHub.</summary>
    Social,

    /// <summary>AWS builder ID: refreshed like <see cref="IdentityCenter"/>, requests without profile ARN.</summary>
    BuilderId,

    /// <summary>An organisation's IAM Identity Center.</summary>
    IdentityCenter,

    /// <summary>An organisation's own identity provider.</summary>
    ExternalIdp,

    /// <summary>A key that never expires instead of a sign-in.</summary>
    ApiKey,
}
