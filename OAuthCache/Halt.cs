namespace Aiproxy.OAuthCache;

/// <summary>Why a sign-in is not used, or not refreshed.</summary>
/// <param name="Message">See <see cref="SignInFailure"/>.</param>
/// <param name="Until">null: until the file changes.</param>
/// <param name="Link">Page that the owner is asked to open.</param>
public sealed record Halt(SignInFailureKind Kind, string Message, DateTimeOffset Since, DateTimeOffset? Until, Uri? Link = null)
{
    /// <summary>true: a token that has not expired is not used either.</summary>
    public bool StopsUse => Kind is SignInFailureKind.Dead or SignInFailureKind.Disabled;

    /// <summary>A clock that was set back behind the beginning ends it too: it would never end otherwise.</summary>
    public bool IsOver(DateTimeOffset now) => Until is { } until && (now >= until || now < Since);

    public SignInAnswer ToAnswer() => new(null, new SignInFailure(Kind, Message, Until));
}
