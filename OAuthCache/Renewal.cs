namespace Aiproxy.OAuthCache;

/// <summary>The work of one sign-in that takes time: reading, refreshing, writing back. Never two at once for one sign-in; its caller sees to that.</summary>
/// <remarks>Step numbers are those of the sequence under both locks: 1 read again, 2 another account, 3 refused before, 4 ask, 5 write and publish, 6 read
/// once more after a refusal.</remarks>
public sealed class Renewal
{
    private static readonly TimeSpan MostForOwner = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan OwnerPause = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Dead401 = TimeSpan.FromMinutes(5);

    private readonly SignInTools _tools;
    private readonly TokenState _state;
    private readonly Func<SignInOptions> _options;
    private readonly AuthFileStore _store;
    private readonly AuthFileSave _save;
    private readonly RefreshCall _call;
    private readonly SignInReport _report;
    private readonly RefreshFailures _failures;

    public Renewal(SignInTools tools, TokenState state, Func<SignInOptions> options, SignInReport report)
    {
        _tools = tools;
        _state = state;
        _options = options;
        _report = report;
        _store = new AuthFileStore(tools.Steps, tools.Clock);
        _save = new AuthFileSave(state, _store);
        _call = new RefreshCall(tools.Clock);
        _failures = new RefreshFailures(tools, state, report);
    }

    private DateTimeOffset Now => _tools.Clock.GetUtcNow();

    /// <summary>Sees that there is a token to use, or that it is known why not.</summary>
    /// <param name="ahead">Also refreshes a token that has only reached its margin.</param>
    public async Task RenewAsync(bool ahead)
    {
        SignInOptions options = _options();
        if (_state.Current is null)
        {
            await ReadAsync(options);
            if (_state.Current is null || _state.IsHeld(Now)) return;
        }

        if (!_state.NeedsRefresh(options, Now, ahead)) return;
        if (options.Lazy && !_state.IsRefused && await OwnerRefreshedAsync(options)) return;
        using FileLock held = await LockAsync(options);
        if (held.IsTimeout)
        {
            if (await ReadAsync(options) && !_state.NeedsRefresh(options, Now, ahead: false)) return;
            _failures.Transient(options, "another process holds its lock file");
            return;
        }

        // 1, 2
        FileNews? news = await TakeAsync(options);
        if (news is null || _state.IsHeld(Now)) return;
        bool isOld = news is FileNews.None or FileNews.Edited;
        if (!_state.NeedsRefresh(options, Now, ahead && isOld)) return;
        // Once more when step 6 has found tokens that have expired too.
        if (await RefreshAsync(options)) await RefreshAsync(options);
    }

    /// <summary>Reads the file without asking anybody: at first use, and when it has changed while the sign-in was out.</summary>
    /// <returns>false: it cannot be read.</returns>
    public async Task<bool> ReadAsync(SignInOptions options) => await TakeAsync(options) is not null;

    /// <summary>Tries again to write what could not be written.</summary>
    public async Task SavePendingAsync()
    {
        SignInOptions options = _options();
        if (_state.Pending is null || !options.WriteBack) return;
        using FileLock held = await LockAsync(options);
        if (held.IsTimeout || _state.Pending is not { } pending) return;
        SaveResult result = await SaveSafelyAsync(options, pending);
        switch (result.Kind)
        {
            case SaveResultKind.Saved:
                _state.Saved(result.Read);
                _report.Saved(options, result.Problem);
                break;
            case SaveResultKind.Foreign:
                Take(options, result.Read);
                break;
            default:
                _report.NotSaved(options, result.Problem);
                break;
        }
    }

    /// <returns>false: not written, which is no harm: it is found again.</returns>
    public async Task<bool> SaveProjectAsync(string projectId)
    {
        SignInOptions options = _options();
        _state.SetProject(projectId);
        if (!options.WriteBack || _state.Current?.Layout.HasProject != true) return false;
        using FileLock held = await LockAsync(options);
        if (held.IsTimeout) return false;
        SaveResult result = await _save.SaveProjectAsync(options, projectId);
        if (result.Kind == SaveResultKind.Saved) Take(options, result.Read);
        return result.Kind == SaveResultKind.Saved;
    }

    /// <returns>true: other tokens were found that may need a refresh of their own.</returns>
    private async Task<bool> RefreshAsync(SignInOptions options)
    {
        AuthFile file = _state.Current!;
        if (file.RefreshToken is null)
        {
            _report.Dead(_state, options, _state.IsRefused ? "was refused and has no refresh token" : "has expired and has no refresh token", null);
            return false;
        }

        if (_state.IsRefusedYoung(Now))
        {
            _report.Dead(_state, options, "gets tokens that are refused at once", Dead401);
            return false;
        }

        (RefreshRequest? request, string? problem) = new RefreshPlan(options, _tools.Steps).Make(file);
        if (request is null)
        {
            _report.Dead(_state, options, problem!, null, isWholeSentence: true);
            return false;
        }

        // 3
        if (_tools.Refused.Find(request.Fingerprint) is { } reason)
        {
            _report.Dead(_state, options, reason, null, isWholeSentence: true);
            return false;
        }

        return await AskAsync(options, file, request);
    }

    private async Task<bool> AskAsync(SignInOptions options, AuthFile file, RefreshRequest request)
    {
        // 4
        RefreshOutcome outcome = await SendAsync(options, file, request);
        bool mayHaveRotated = ProviderFacts.Of(options.Type)!.Rotates;
        // Whether a provider keeps a grace time for the old token is not known: asking once more can only win.
        if (outcome.Kind == RefreshOutcomeKind.Lost && mayHaveRotated) outcome = await SendAsync(options, file, request);
        // 5
        if (outcome.Grant is { AccessToken: not null } or { RefreshToken: not null }) await PublishAsync(options, outcome.Grant);
        if (outcome.Kind == RefreshOutcomeKind.Granted)
        {
            _failures.Reset();
            return false;
        }

        if (outcome.Kind == RefreshOutcomeKind.Permanent)
        {
            // 6
            FileNews? news = await TakeAsync(options);
            if (news is FileNews.Tokens or FileNews.OtherAccount) return _state.NeedsRefresh(options, Now, ahead: false) && !_state.IsHeld(Now);
            _tools.Refused.Add(request.Fingerprint, SignInReport.Ended(options, file, outcome.Reason));
        }

        _failures.Note(options, file, outcome);
        return false;
    }

    private async Task<RefreshOutcome> SendAsync(SignInOptions options, AuthFile file, RefreshRequest request)
    {
        RefreshReply reply = await _call.SendAsync(options.Client, request);
        return RefreshJudge.Judge(options.Type, file.Kiro?.Method, request, reply, Now);
    }

    /// <summary>Written before it is used: a rotated token that is only in memory is lost with the process.</summary>
    private async Task PublishAsync(SignInOptions options, TokenGrant grant)
    {
        if (!options.WriteBack)
        {
            _state.Publish(grant, saved: null);
            _report.Refreshed(options, _state.Current!);
            return;
        }

        SaveResult result = await SaveSafelyAsync(options, grant.Over(_state.Pending));
        switch (result.Kind)
        {
            case SaveResultKind.Saved:
                _state.Publish(grant, result.Read);
                _report.Refreshed(options, _state.Current!);
                _report.Rights(options, result.Problem);
                break;
            case SaveResultKind.Foreign:
                Take(options, result.Read);
                break;
            default:
                _state.Publish(grant, saved: null);
                _report.Refreshed(options, _state.Current!);
                _report.NotSaved(options, result.Problem);
                break;
        }
    }

    private async Task<SaveResult> SaveSafelyAsync(SignInOptions options, TokenGrant grant)
    {
        try
        {
            return await _save.SaveAsync(options, grant);
        }
        catch (Exception failure)
        {
            // A bug of ours must not cost the sign-in: the token goes on in memory.
            return new SaveResult(SaveResultKind.Failed, new FileRead(null, null, null, null), failure.GetType().Name);
        }
    }

    /// <summary>Gives the program that owns the file time to refresh first.</summary>
    private async Task<bool> OwnerRefreshedAsync(SignInOptions options)
    {
        FileStamp? known = _state.Stamp;
        long start = _tools.Clock.GetTimestamp();
        while (true)
        {
            FileStamp? stamp = _store.Stamp(options.Path);
            if (stamp is not null && stamp != known)
            {
                known = stamp;
                await ReadAsync(options);
                if (!_state.NeedsRefresh(options, Now, ahead: false)) return true;
            }

            if (_tools.Clock.GetElapsedTime(start) >= MostForOwner) return false;
            await Task.Delay(OwnerPause, _tools.Clock);
        }
    }

    private async Task<FileLock> LockAsync(SignInOptions options)
    {
        if (!options.WriteBack) return FileLock.None();
        FileLock held = await FileLock.TakeAsync(RealPath.Of(options.Path), options.DataFolder, _tools.Steps, _tools.Clock);
        if (held.IsMissing) _report.NoLock(options);
        return held;
    }

    /// <summary>null: the file cannot be read, which is noted.</summary>
    private async Task<FileNews?> TakeAsync(SignInOptions options)
    {
        FileRead read = await _store.ReadAsync(options.Type, options.Path, wasThere: _state.Current is not null);
        if (read.File is not null) return Take(options, read);
        _state.Looked(read.Stamp);
        _report.Unreadable(_state, options, read.Problem!);
        return null;
    }

    private FileNews Take(SignInOptions options, FileRead read)
    {
        bool wasOut = _state.Halt is { StopsUse: true } or { Kind: SignInFailureKind.Unreadable };
        FileNews news = _state.Take(read);
        if (news is FileNews.Tokens or FileNews.OtherAccount or FileNews.First) _failures.Reset();
        if (read.File!.IsDisabled) _report.DisabledByFile(_state, options);
        else _report.Taken(options, read.File, news, isBack: wasOut && _state.Halt is null);
        return news;
    }
}
