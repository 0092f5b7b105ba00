using System.Security.Cryptography;

namespace Aiproxy.OAuthCache;

/// <summary>What is known of one sign-in at the moment: its tokens, what the file held when it was last seen, and what went wrong. Thread-safe.</summary>
/// <remarks>The file may be behind the memory (not saved) or ahead of it (another program wrote): what tells them apart is what was last seen in it.</remarks>
public sealed class TokenState(string id)
{
    /// <summary>A token refused sooner than this after its refresh will not get better by another.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan UsedLately = TimeSpan.FromHours(24);

    /// <summary>The background begins up to so much before the margin, so that many sign-ins do not come at once.</summary>
    private static readonly TimeSpan MostSpread = TimeSpan.FromSeconds(60);

    /// <summary>No token lives longer than this on purpose; what is set beyond would leave the calendar.</summary>
    private static readonly TimeSpan MostMargin = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private AuthFile? _current;
    private AuthFile? _seen;
    private string? _seenDigest;
    private FileStamp? _stamp;
    private TokenGrant? _pending;
    private Credential? _credential;
    private long _generation;
    private long _refused = -1;
    private long _adoptions;
    private bool _mustReread;
    private DateTimeOffset? _grantedAt;
    private DateTimeOffset? _lastRefresh;
    private DateTimeOffset? _lastUsed;
    private TimeSpan? _life;
    private Halt? _halt;

    /// <summary>Tokens as they are now, with what the file says beside them; null before it was read.</summary>
    public AuthFile? Current { get { lock (_gate) return _current; } }

    /// <summary>Granted and not in the file.</summary>
    public TokenGrant? Pending { get { lock (_gate) return _pending; } }

    public Halt? Halt { get { lock (_gate) return _halt; } }

    public FileStamp? Stamp { get { lock (_gate) return _stamp; } }

    /// <summary>How often the file was seen with tokens that another program put there.</summary>
    public long Adoptions { get { lock (_gate) return _adoptions; } }

    public DateTimeOffset? LastUsed { get { lock (_gate) return _lastUsed; } }

    public DateTimeOffset? LastRefresh { get { lock (_gate) return _lastRefresh; } }

    /// <summary>null: something has to be done first. Counts as use.</summary>
    /// <param name="isDue">The token still holds, but it is time to refresh it.</param>
    public SignInAnswer? Answer(SignInOptions options, DateTimeOffset now, out bool isDue)
    {
        isDue = false;
        lock (_gate)
        {
            _lastUsed = now;
            if (_halt is { StopsUse: true } stop)
            {
                if (!stop.IsOver(now)) return stop.ToAnswer();
                // Dead for a time -> one trial.
                _halt = null;
            }

            if (_credential is { } credential && !IsUnusable(now))
            {
                isDue = !options.Lazy && _current!.RefreshToken is not null && IsInMargin(options, now) && !IsWaiting(now);
                return new SignInAnswer(credential, null);
            }

            return !_mustReread && IsWaiting(now) ? _halt!.ToAnswer() : null;
        }
    }

    /// <summary>A provider answered 401 to this generation. An older one than the current is no news.</summary>
    public void Refuse(long generation)
    {
        lock (_gate)
        {
            if (generation != _generation) return;
            _refused = generation;
            _mustReread = true;
        }
    }

    /// <summary>false: the token may be used as it is.</summary>
    /// <param name="ahead">A token that is near its margin counts too.</param>
    public bool NeedsRefresh(SignInOptions options, DateTimeOffset now, bool ahead)
    {
        lock (_gate) return _current is null || IsUnusable(now) || (ahead && IsInMargin(options, now + Spread));
    }

    /// <summary>The current token was refused so soon after its refresh that another refresh would not help.</summary>
    public bool IsRefusedYoung(DateTimeOffset now)
    {
        lock (_gate) return _refused == _generation && _grantedAt is { } made && now >= made && now - made < Young;
    }

    public bool IsRefused { get { lock (_gate) return _refused == _generation; } }

    /// <summary>Keeps the token endpoint from being asked at the moment.</summary>
    public bool IsHeld(DateTimeOffset now)
    {
        lock (_gate) return IsWaiting(now) || _halt is { StopsUse: true };
    }

    /// <summary>Takes in what the file holds now.</summary>
    /// <param name="read">With a file.</param>
    public FileNews Take(FileRead read)
    {
        AuthFile file = read.File!;
        string digest = Convert.ToHexString(SHA256.HashData(read.Bytes!));
        lock (_gate)
        {
            _mustReread = false;
            _stamp = read.Stamp;
            bool isFirst = _seen is null;
            bool isOther = !isFirst && _seen!.Account is { } before && file.Account is { } after && before != after;
            bool hasNews = isFirst || !_seen!.HasTokensOf(file);
            bool isEdited = _seenDigest != digest;
            _seen = file;
            _seenDigest = digest;
            if (_current is null || (hasNews && !_current.HasTokensOf(file))) Replace(file, granted: null);
            else Refine(file.WithTokensOf(_current));
            if (hasNews) _pending = null;
            if (hasNews && !isFirst) _adoptions++;
            // What was held against the old tokens does not hold for others; an edit may be the very setting that was missing.
            if (hasNews || _halt?.Kind == SignInFailureKind.Unreadable || (isEdited && _halt is { StopsUse: true })) _halt = null;
            return isFirst ? FileNews.First : isOther ? FileNews.OtherAccount : hasNews ? FileNews.Tokens : isEdited ? FileNews.Edited : FileNews.None;
        }
    }

    /// <summary>What an earlier reading found is not what stands there now: somebody else wrote.</summary>
    public bool IsForeign(AuthFile file)
    {
        lock (_gate) return _seen is not null && !_seen.HasTokensOf(file);
    }

    /// <summary>New tokens from the provider.</summary>
    /// <param name="saved">The file that holds them now; null: none does.</param>
    public void Publish(TokenGrant grant, FileRead? saved)
    {
        lock (_gate)
        {
            AuthFile basis = saved?.File ?? _current!;
            AuthFile renewed = basis.WithTokensOf(_current!).With(grant);
            _pending = saved is null ? grant.Over(_pending) : null;
            if (saved is not null) See(saved);
            if (grant.AccessToken is null) Refine(renewed);
            else Replace(renewed, grant);
            _lastRefresh = grant.ReceivedAt;
            // Switched off meanwhile: fresh tokens do not change that.
            if (_halt?.Kind != SignInFailureKind.Disabled) _halt = null;
        }
    }

    /// <summary>What was pending is in the file now.</summary>
    public void Saved(FileRead saved)
    {
        lock (_gate)
        {
            _pending = null;
            See(saved);
        }
    }

    public void SetProject(string projectId)
    {
        lock (_gate)
        {
            if (_current is not null) Refine(_current with { ProjectId = projectId });
        }
    }

    public void Stop(Halt halt)
    {
        lock (_gate)
        {
            // What the owner has switched off is not switched on by a lesser failure.
            if (_halt?.Kind == SignInFailureKind.Disabled && halt.Kind != SignInFailureKind.Disabled) return;
            _halt = halt;
        }
    }

    /// <summary>Another client or another way to the provider: failures of the old one say nothing.</summary>
    public void Forgive()
    {
        lock (_gate)
        {
            if (_halt?.Kind != SignInFailureKind.Disabled) _halt = null;
        }
    }

    /// <summary>A look at the file did not help; what it shows now is no reason to look again.</summary>
    public void Looked(FileStamp? stamp)
    {
        lock (_gate)
        {
            _stamp = stamp;
            _mustReread = false;
        }
    }

    /// <summary>When the background refreshes; null: never.</summary>
    /// <param name="spread">0 to 1: how far ahead of the margin.</param>
    public DateTimeOffset? RefreshDue(SignInOptions options, DateTimeOffset now, double spread)
    {
        lock (_gate)
        {
            if (options.Lazy || _halt is { StopsUse: true } || _current is not { RefreshToken: not null, ExpiresAt: { } expiry }) return null;
            if (_lastUsed is not { } used || now - used > UsedLately) return null;
            DateTimeOffset due = expiry - Margin(options) - (Spread * spread);
            return IsWaiting(now) && _halt!.Until is { } until && until > due ? until : due;
        }
    }

    private void See(FileRead saved)
    {
        _seen = saved.File;
        _stamp = saved.Stamp;
        _seenDigest = Convert.ToHexString(SHA256.HashData(saved.Bytes!));
    }

    private void Replace(AuthFile file, TokenGrant? granted)
    {
        _generation++;
        _grantedAt = granted?.ReceivedAt;
        _life = granted is null ? null : granted.ExpiresAt - granted.ReceivedAt;
        Refine(file);
    }

    private void Refine(AuthFile file)
    {
        _current = file;
        _credential = file.ToCredential(id, _generation);
    }

    private bool IsUnusable(DateTimeOffset now) => _current!.AccessToken.Length == 0 || _refused == _generation || _current.ExpiresAt <= now;

    private bool IsInMargin(SignInOptions options, DateTimeOffset now) => _current?.ExpiresAt - Margin(options) <= now;

    private bool IsWaiting(DateTimeOffset now) => _halt is { StopsUse: false } halt && !halt.IsOver(now);

    private TimeSpan Spread => _life is { } life && life / 4 < MostSpread ? life / 4 : MostSpread;

    /// <summary>A margin as long as a token's life would refresh without end.</summary>
    private TimeSpan Margin(SignInOptions options)
    {
        TimeSpan margin = options.RefreshMargin < MostMargin ? options.RefreshMargin : MostMargin;
        return _life is { } life && life / 2 < margin ? life / 2 : margin;
    }
}

/// <summary>What a reading of the file brought.</summary>
public enum FileNews
{
    None,

    /// <summary>The same tokens, but something beside them.</summary>
    Edited,
    First,
    Tokens,
    OtherAccount,
}
