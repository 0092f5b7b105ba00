using Microsoft.Extensions.Logging;

namespace Aiproxy.OAuthCache;

/// <summary>One auth file in use: gives out its credential and keeps it fresh. Thread-safe; lives as long as its <see cref="TokenCache"/>.</summary>
public sealed class SignIn
{
    /// <summary>While dead or unreadable: how often the file is looked at.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    /// <summary>While in use: how often the file is looked at for what another program wrote. A look costs a few microseconds.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(3);

    /// <summary>While new tokens are not saved.</summary>
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(10);

    /// <summary>A timer does not see the machine sleep or its clock jump: it looks again at least so often.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(5);

    /// <summary>No state asks for more; this keeps a bug from spinning.</summary>
    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMilliseconds(100);

    /// <summary>A request may meet work that was begun for another purpose before its own.</summary>
    private const int MostRounds = 4;

    private readonly Lock _gate = new();
    private readonly SignInTools _tools;
    private readonly Func<Func<Task>, Task> _run;
    private readonly TokenState _state;
    private readonly SignInReport _report;
    private readonly Renewal _renewal;
    private readonly ITimer _timer;
    private volatile SignInOptions _options;
    private Task? _flight;
    private bool _isClosed;
    private bool _isIdle;
    private double _spread;
    private long _lookedAt;

    internal SignIn(SignInOptions options, SignInTools tools, Func<Func<Task>, Task> run, Action<SignIn, AuthFile> onTokens)
    {
        _options = options;
        _tools = tools;
        _run = run;
        Id = System.IO.Path.GetFileName(options.Path);
        _state = new TokenState(Id);
        _report = new SignInReport(tools, Id, file => onTokens(this, file));
        _renewal = new Renewal(tools, _state, () => _options, _report);
        _spread = tools.Jitter();
        _lookedAt = tools.Clock.GetTimestamp();
        _timer = tools.Clock.CreateTimer(static state => ((SignIn)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>See <see cref="Credential.Id"/>.</summary>
    public string Id { get; }

    /// <summary>Absolute; links not resolved.</summary>
    public string Path => _options.Path;

    public string Type => _options.Type;

    public SignInStatus Status
    {
        get
        {
            AuthFile? file = _state.Current;
            Halt? halt = _state.Halt;
            DateTimeOffset now = _tools.Clock.GetUtcNow();
            if (halt?.IsOver(now) == true) halt = null;
            return new SignInStatus
            {
                Id = Id,
                Path = Path,
                Type = Type,
                State = StateOf(file, halt, now),
                Layout = file?.Layout.Name,
                Email = file?.Email,
                Plan = file?.Plan,
                ExpiresAt = file?.ExpiresAt,
                IsNotSaved = _state.Pending is not null && _options.WriteBack,
                Problem = halt?.Message,
                RetryAt = halt?.Until,
                Link = halt?.Link,
                LastRefresh = _state.LastRefresh,
                LastUsed = _state.LastUsed,
            };
        }
    }

    /// <summary>The credential, refreshed if it has expired. Cancelling ends the wait and nothing else.</summary>
    public ValueTask<SignInAnswer> GetAsync(CancellationToken cancellationToken)
    {
        Task read = Look(out bool isRead);
        return isRead && !read.IsCompleted ? ReadAndAnswerAsync(read, cancellationToken) : Answer(cancellationToken);
    }

    /// <summary>How often another program has put other tokens into the file, as far as it was seen; looks whether it did so now, at most every few seconds.
    /// What was held against the sign-in before says nothing about it now.</summary>
    public long CountAdoptions()
    {
        _ = Look(out _);
        return _state.Adoptions;
    }

    private ValueTask<SignInAnswer> Answer(CancellationToken cancellationToken)
    {
        if (_state.Answer(_options, _tools.Clock.GetUtcNow(), out bool isDue) is not { } answer) return WaitAsync(cancellationToken);
        if (isDue) _ = Launch(() => _renewal.RenewAsync(ahead: true));
        return ValueTask.FromResult(answer);
    }

    /// <summary>After an upstream answered 401: another credential, or why there is none. The caller tries once more with it, and tells here if that is
    /// refused too.</summary>
    /// <param name="generation">Of the credential that was refused.</param>
    public ValueTask<SignInAnswer> RefusedAsync(long generation, CancellationToken cancellationToken)
    {
        _state.Refuse(generation);
        return GetAsync(cancellationToken);
    }

    /// <summary>Switches it off until its file changes, because the provider wants its owner to act.</summary>
    /// <param name="reason">For the log and for <see cref="Status"/>; completes "FILE: ". The tokens of this sign-in are taken out of it.</param>
    /// <param name="link">Page that the owner is to open.</param>
    public void Disable(string reason, Uri? link)
    {
        AuthFile? file = _state.Current;
        foreach (string? token in new[] { file?.AccessToken, file?.RefreshToken, file?.IdToken })
        {
            if (!string.IsNullOrEmpty(token)) reason = reason.Replace(token, "***", StringComparison.Ordinal);
        }

        string message = $"{Path}: {reason}; the sign-in is not used until its file changes";
        bool isNew = _state.Halt?.Message != message;
        _state.Stop(new Halt(SignInFailureKind.Disabled, message, _tools.Clock.GetUtcNow(), null, link));
        if (isNew) _report.Tell(SignInEventKind.Disabled, LogLevel.Error, link is null ? message : $"{message}; see {link}");
        Schedule();
    }

    /// <summary>Reads the file so that <see cref="Status"/> can tell of it; asks no provider. Does nothing when it was read before.</summary>
    public Task LoadAsync(CancellationToken cancellationToken) =>
        _state.Current is null ? Launch(() => _renewal.ReadAsync(_options)).WaitAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Keeps the project that was found for this sign-in: in memory, and in the file where its layout has a place for it.</summary>
    /// <returns>true: it stands in the file.</returns>
    public async ValueTask<bool> SaveProjectAsync(string projectId, CancellationToken cancellationToken)
    {
        bool isSaved = false;
        Task? mine = null;
        while (mine is null)
        {
            Task flight = Launch(async () => isSaved = await _renewal.SaveProjectAsync(projectId), out bool isMine);
            if (isMine || IsClosed) mine = flight;
            await flight.WaitAsync(cancellationToken);
        }

        return isSaved;
    }

    /// <summary>Ends when nothing is being read, refreshed or written.</summary>
    public Task WhenQuiet()
    {
        lock (_gate) return _flight ?? Task.CompletedTask;
    }

    public override string ToString() => Type + ":" + Id;

    internal bool IsWriteBackOff => !_options.WriteBack;

    internal void Warn(string message) => _report.Tell(SignInEventKind.Warning, LogLevel.Warning, message);

    internal void Update(SignInOptions options)
    {
        SignInOptions old = _options;
        _options = options;
        bool isOtherWay = old.TokenUrl != options.TokenUrl || old.ClientId != options.ClientId || old.ClientSecret != options.ClientSecret || old.Client != options.Client;
        if (isOtherWay) _state.Forgive();
        lock (_gate) _isIdle = false;
        Schedule();
    }

    /// <summary>No configuration names it any more: it is not refreshed ahead, but requests that still hold it are served.</summary>
    internal void Rest()
    {
        lock (_gate) _isIdle = true;
        Schedule();
    }

    /// <summary>Starts nothing any more; ends when what runs has ended and a last try to save was made.</summary>
    internal async Task CloseAsync()
    {
        lock (_gate) _isClosed = true;
        await _timer.DisposeAsync();
        await WhenQuiet();
        try
        {
            await _renewal.SavePendingAsync();
        }
        catch (Exception failure)
        {
            _report.NotSaved(_options, failure.GetType().Name);
        }
    }

    /// <summary>Begins to read a file that was changed. What runs already reads it anyway, or leaves it for the next look.</summary>
    private Task Look(out bool isRead)
    {
        isRead = false;
        long last = Interlocked.Read(ref _lookedAt), now = _tools.Clock.GetTimestamp();
        bool isTurn = _tools.Clock.GetElapsedTime(last, now) >= LookInterval && Interlocked.CompareExchange(ref _lookedAt, now, last) == last;
        return isTurn && _state.Current is not null && HasChanged() ? Launch(() => _renewal.ReadAsync(_options), out isRead) : Task.CompletedTask;
    }

    private async ValueTask<SignInAnswer> ReadAndAnswerAsync(Task read, CancellationToken cancellationToken)
    {
        await read.WaitAsync(cancellationToken);
        return await Answer(cancellationToken);
    }

    private bool IsClosed { get { lock (_gate) return _isClosed; } }

    private async ValueTask<SignInAnswer> WaitAsync(CancellationToken cancellationToken)
    {
        for (int round = 0; round < MostRounds; round++)
        {
            await Launch(() => _renewal.RenewAsync(ahead: false)).WaitAsync(cancellationToken);
            if (_state.Answer(_options, _tools.Clock.GetUtcNow(), out bool isDue) is not { } answer) continue;
            if (isDue) _ = Launch(() => _renewal.RenewAsync(ahead: true));
            return answer;
        }

        return _state.Halt?.ToAnswer() ?? new SignInAnswer(null, new SignInFailure(SignInFailureKind.Unavailable, $"{Path}: the sign-in could not be refreshed in time", null));
    }

    private Task Launch(Func<Task> work) => Launch(work, out _);

    /// <summary>Joins what runs already, or starts this. The task never fails.</summary>
    private Task Launch(Func<Task> work, out bool isMine)
    {
        isMine = false;
        TaskCompletionSource done;
        lock (_gate)
        {
            if (_flight is { } running) return running;
            if (_isClosed) return Task.CompletedTask;
            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _flight = done.Task;
        }

        isMine = true;
        _ = _run(() => FlyAsync(work, done));
        return done.Task;
    }

    private async Task FlyAsync(Func<Task> work, TaskCompletionSource done)
    {
        try
        {
            await work();
        }
        catch (Exception failure)
        {
            // A bug of ours; those who wait must still get an answer. Its text may hold anything and is not told.
            _report.Waiting(_state, _options, SignInFailureKind.Unavailable, failure.GetType().Name, PollInterval);
        }
        finally
        {
            _spread = _tools.Jitter();
            lock (_gate) _flight = null;
            Schedule();
            done.SetResult();
        }
    }

    /// <summary>Decides anew each time from the wall clock, whatever the timer was set for.</summary>
    private void OnTimer()
    {
        DateTimeOffset now = _tools.Clock.GetUtcNow();
        if (IsOut(now) && HasChanged()) _ = Launch(() => _renewal.ReadAsync(_options));
        else if (_state.Pending is not null && _options.WriteBack) _ = Launch(_renewal.SavePendingAsync);
        else if (Due(now) <= now) _ = Launch(() => _renewal.RenewAsync(ahead: true));
        Schedule();
    }

    private bool HasChanged() => _tools.Steps.Stamp(Path) is { } stamp && stamp != _state.Stamp;

    private void Schedule()
    {
        lock (_gate)
        {
            // What runs sets the timer when it ends.
            if (_isClosed || _flight is not null) return;
            DateTimeOffset now = _tools.Clock.GetUtcNow();
            TimeSpan sleep = Sleep(now);
            _timer.Change(sleep < ShortestSleep ? ShortestSleep : sleep, Timeout.InfiniteTimeSpan);
        }
    }

    private TimeSpan Sleep(DateTimeOffset now)
    {
        if (IsOut(now)) return PollInterval;
        if (_state.Pending is not null && _options.WriteBack) return SaveInterval;
        return Due(now) is { } due && due - now < LongestSleep ? due - now : LongestSleep;
    }

    private bool IsOut(DateTimeOffset now) => _state.Halt is { } halt && (halt.StopsUse || halt.Kind == SignInFailureKind.Unreadable) && !(halt.IsOver(now) && halt.StopsUse);

    private DateTimeOffset? Due(DateTimeOffset now)
    {
        lock (_gate) return _isIdle ? null : _state.RefreshDue(_options, now, _spread);
    }

    private SignInState StateOf(AuthFile? file, Halt? halt, DateTimeOffset now)
    {
        if (halt?.Kind == SignInFailureKind.Dead) return SignInState.Dead;
        if (halt?.Kind == SignInFailureKind.Disabled) return SignInState.Disabled;
        // However long ago it was tried.
        if (file is null) return _state.Halt is null ? SignInState.Unread : SignInState.Unreadable;
        bool isUsable = !_state.NeedsRefresh(_options, now, ahead: false);
        bool isFlying = !WhenQuiet().IsCompleted;
        if (isUsable) return isFlying ? SignInState.Refreshing : SignInState.Ok;
        return isFlying ? SignInState.Refreshing
            : halt?.Kind == SignInFailureKind.Unreadable ? SignInState.Unreadable
            : halt is not null ? SignInState.Waiting
            : SignInState.Expired;
    }
}
