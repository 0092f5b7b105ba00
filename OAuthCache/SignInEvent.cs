using Microsoft.Extensions.Logging;

namespace Aiproxy.OAuthCache;

/// <summary>Something worth a log line. No secrets.</summary>
/// <param name="Id">The sign-in's; see <see cref="Credential.Id"/>.</param>
/// <param name="Message">A whole sentence, names the file where that matters.</param>
public sealed record SignInEvent(SignInEventKind Kind, LogLevel Level, string Id, string Message);

public enum SignInEventKind
{
    Refreshed,

    /// <summary>Another program had changed the file; its tokens are used.</summary>
    Adopted,

    /// <summary>The file now belongs to another account: what was learnt of the old one does not hold.</summary>
    AccountChanged,
    RefreshFailed,
    Dead,
    Disabled,

    /// <summary>Usable again after it was dead, disabled or unreadable.</summary>
    Revived,
    Unreadable,
    NotSaved,
    Saved,

    /// <summary>Something that will hurt later: a file that others may read, two files with one refresh token, no write-back.</summary>
    Warning,
}
