namespace Aiproxy.OAuthCache;

/// <summary>A refresh, judged.</summary>
/// <param name="Grant">Set when granted.</param>
/// <param name="Reason">In words of our own, with the provider's code where it is a known one. No secrets.</param>
/// <param name="Wait">Rate limited: what the provider asks, unclamped.</param>
public sealed record RefreshOutcome(RefreshOutcomeKind Kind, TokenGrant? Grant, string Reason, TimeSpan? Wait = null)
{
    public override string ToString() => Kind + ": " + Reason;
}

public enum RefreshOutcomeKind
{
    Granted,

    /// <summary>The refresh token will never work again.</summary>
    Permanent,

    /// <summary>The client is refused, not the token: a setting mends it.</summary>
    Client,
    RateLimited,
    Transient,

    /// <summary>A refusal without a known code: it may pass, or may not.</summary>
    Unknown,

    /// <summary>The provider may have rotated the token, and the answer is lost.</summary>
    Lost,
}
