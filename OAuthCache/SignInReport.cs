using Microsoft.Extensions.Logging;

namespace Aiproxy.OAuthCache;

/// <summary>Puts what happens to a sign-in into words, for its state and for the log. Holds no secrets: texts of providers are never repeated.</summary>
public sealed class SignInReport(SignInTools tools, string id, Action<AuthFile> onTokens)
{
    private static readonly TimeSpan NotSavedPause = TimeSpan.FromMinutes(1);

    /// <summary>While it is unreadable each request would read it again.</summary>
    private static readonly TimeSpan UnreadablePause = TimeSpan.FromSeconds(5);

    private DateTimeOffset? _notSavedTold;
    private bool _isNoLockTold;
    private bool _isModeTold;
    private string? _unreadableTold;

    private DateTimeOffset Now => tools.Clock.GetUtcNow();

    /// <summary>What mends a sign-in that has ended.</summary>
    public static string Login(SignInOptions options) => $"; sign in again with: aiproxy login {options.Type}";

    /// <param name="reason">Of <see cref="RefreshOutcome"/>.</param>
    public static string Ended(SignInOptions options, AuthFile file, string reason)
    {
        // Kiro's are far longer.
        bool looksCut = options.Type == "kiro" && file.RefreshToken is { } token && (token.Length < 100 || token.Contains("...", StringComparison.Ordinal));
        string cut = looksCut ? "; its refresh token looks like a truncated copy" : "";
        string google = options.Type == "geminicli" ? "; Google has ended this sign-in for personal accounts" : "";
        return $"has ended: {reason}{cut}{google}{Login(options)}";
    }

    /// <param name="problem">Completes "the sign-in ".</param>
    /// <param name="time">null: until the file changes.</param>
    /// <param name="isWholeSentence">It says already what mends it.</param>
    public void Dead(TokenState state, SignInOptions options, string problem, TimeSpan? time, bool isWholeSentence = false)
    {
        string message = $"{options.Path}: the sign-in {problem}{(isWholeSentence ? "" : Login(options))}";
        state.Stop(new Halt(SignInFailureKind.Dead, message, Now, Now + time));
        Tell(SignInEventKind.Dead, LogLevel.Error, message);
    }

    public void Waiting(TokenState state, SignInOptions options, SignInFailureKind kind, string reason, TimeSpan wait)
    {
        string message = $"{options.Path}: the sign-in could not be refreshed: {reason}";
        state.Stop(new Halt(kind, message, Now, Now + wait));
        Tell(SignInEventKind.RefreshFailed, LogLevel.Warning, $"{message}; next try in {Math.Ceiling(wait.TotalSeconds)} s");
    }

    public void Unreadable(TokenState state, SignInOptions options, string problem)
    {
        string message = $"{options.Path} {problem}";
        state.Stop(new Halt(SignInFailureKind.Unreadable, message, Now, Now + UnreadablePause));
        if (_unreadableTold == message) return;
        _unreadableTold = message;
        Tell(SignInEventKind.Unreadable, LogLevel.Error, message);
    }

    public void DisabledByFile(TokenState state, SignInOptions options)
    {
        string message = $"{options.Path} says that it is disabled";
        bool isNew = state.Halt?.Message != message;
        state.Stop(new Halt(SignInFailureKind.Disabled, message, Now, null));
        if (isNew) Tell(SignInEventKind.Disabled, LogLevel.Warning, message);
    }

    public void Taken(SignInOptions options, AuthFile file, FileNews news, bool isBack)
    {
        _unreadableTold = null;
        if (news is FileNews.First or FileNews.Tokens or FileNews.OtherAccount) onTokens(file);
        if (isBack) Tell(SignInEventKind.Revived, LogLevel.Information, $"{options.Path} has changed; the sign-in is used again");
        if (news == FileNews.OtherAccount) Tell(SignInEventKind.AccountChanged, LogLevel.Warning, $"{options.Path} now belongs to another account");
        if (news == FileNews.Tokens) Tell(SignInEventKind.Adopted, LogLevel.Information, $"{options.Path} was changed by another program; its tokens are used");
        if (news != FileNews.First) return;
        if (file.Unused > 0) Tell(SignInEventKind.Warning, LogLevel.Warning, $"{options.Path} holds {file.Unused + 1} sign-ins; one is used, put each into a file of its own");
        if (!_isModeTold && FileRights.IsOpenToOthers(options.Path))
        {
            _isModeTold = true;
            Tell(SignInEventKind.Warning, LogLevel.Warning, $"{options.Path} can be read by other accounts of this machine; its mode should be 0600");
        }
    }

    public void Refreshed(SignInOptions options, AuthFile file)
    {
        onTokens(file);
        if (file.AccessToken.Length == 0) return;
        Tell(SignInEventKind.Refreshed, LogLevel.Information, $"{options.Path} was refreshed; its token holds until {file.ExpiresAt:yyyy-MM-dd HH:mm:ss}Z");
    }

    public void Saved(SignInOptions options, string? warning)
    {
        _notSavedTold = null;
        Tell(SignInEventKind.Saved, LogLevel.Information, $"{options.Path} has its new tokens now");
        Rights(options, warning);
    }

    /// <summary>At most once a minute.</summary>
    public void NotSaved(SignInOptions options, string? problem)
    {
        if (_notSavedTold is { } told && Now >= told && Now - told < NotSavedPause) return;
        _notSavedTold = Now;
        Tell(SignInEventKind.NotSaved, LogLevel.Error, $"{options.Path} could not be written, its new tokens are only in memory and a restart would lose them: {problem}");
    }

    /// <param name="problem">Of <see cref="FileSteps.KeepRights"/>.</param>
    public void Rights(SignInOptions options, string? problem)
    {
        if (problem is not null) Tell(SignInEventKind.Warning, LogLevel.Warning, $"{options.Path} was written, but {problem}");
    }

    public void NoLock(SignInOptions options)
    {
        if (_isNoLockTold) return;
        _isNoLockTold = true;
        Tell(SignInEventKind.Warning, LogLevel.Warning, $"{options.Path} cannot be locked: a second process that uses it could spoil the sign-in");
    }

    public void Tell(SignInEventKind kind, LogLevel level, string message)
    {
        try
        {
            tools.Tell(new SignInEvent(kind, level, id, message));
        }
        catch (Exception)
        {
            // The listener's bug. A token must not be lost over a log line.
        }
    }
}
