namespace Aiproxy.OAuthCache;

/// <summary>One sign-in as the user asks for it.</summary>
public sealed record LoginRequest
{
    /// <summary>With every address as it is to be used.</summary>
    public required LoginFacts Facts { get; init; }

    public LoginWay Way { get; init; } = LoginWay.Browser;

    /// <summary>The client to sign in as; kiro registers its own.</summary>
    public string ClientId { get; init; } = "";

    public string? ClientSecret { get; init; }

    /// <summary>Google types: a project of the user's own.</summary>
    public string? Project { get; init; }

    /// <summary>kiro: AWS region of the sign-in.</summary>
    public string? Region { get; init; }

    /// <summary>kiro: start URL of an organisation; null: an AWS builder ID.</summary>
    public string? StartUrl { get; init; }

    /// <summary>kiro: <c>Google</c> or <c>Github</c>; null: AWS.</summary>
    public string? SocialProvider { get; init; }

    public override string ToString() => Facts.Provider.Type + " " + Way;
}

/// <summary>How the code comes to us.</summary>
public enum LoginWay
{
    /// <summary>The browser on this machine comes back to a port of ours; pasting works beside it.</summary>
    Browser,

    /// <summary>The user copies it from a browser anywhere.</summary>
    Paste,

    /// <summary>The user types a code of the provider's into a browser anywhere.</summary>
    Device,
}
