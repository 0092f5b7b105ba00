namespace Aiproxy.OAuthCache;

/// <summary>Exactly one of the two is set.</summary>
public readonly record struct SignInAnswer(Credential? Credential, SignInFailure? Failure);

/// <summary>Why there is no credential to use now.</summary>
/// <param name="Message">For the log and the owner of the file: names the file and what mends it; holds no secret and nothing that the provider wrote.</param>
/// <param name="RetryAt">When asking again may help; null: when the file has changed.</param>
public sealed record SignInFailure(SignInFailureKind Kind, string Message, DateTimeOffset? RetryAt);

public enum SignInFailureKind
{
    /// <summary>The provider refuses the sign-in: a new one is needed, or a setting.</summary>
    Dead,

    /// <summary>Switched off until its owner did something: by <see cref="SignIn.Disable"/>, or by the file itself.</summary>
    Disabled,

    /// <summary>The token endpoint asked to wait.</summary>
    RateLimited,

    /// <summary>The token endpoint cannot be reached or is broken, or another process holds the lock.</summary>
    Unavailable,

    /// <summary>The file is missing, broken or of another type.</summary>
    Unreadable,
}
