namespace Aiproxy.Config;

/// <summary>Reads the configuration again when the content of one of its files changes.</summary>
/// <remarks>Goes by content alone, links followed: a new time stamp changes nothing, a file swapped by rename or by a link is seen. The notifications of
/// the system make it quick; a poll makes it certain.</remarks>
public sealed class ConfigWatcher : IAsyncDisposable
{
    public static readonly TimeSpan UsualPollInterval = TimeSpan.FromSeconds(3);

    public static readonly TimeSpan UsualDebounce = TimeSpan.FromMilliseconds(100);

    private readonly ConfigReader _reader;
    private readonly string _path;
    private readonly Func<ConfigResult, ValueTask> _onChange;
    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly TimeSpan _pollInterval;
    private readonly TimeSpan _debounce;
    private readonly ChangeHints _watchFolders;
    private readonly ChangeSettler _settler;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Held while a file is looked at or read and while the callback runs, so results come one at a time and in order.</summary>
    private readonly SemaphoreSlim _gate = new(1);

    private readonly Task _loop;
    private volatile TaskCompletionSource _hint = NewHint();
    private ConfigResult _last;
    private IDisposable _hints;

    /// <param name="first">The result that is in use now. What changed since it was read is seen.</param>
    /// <param name="onChange">Gets good results and bad ones. Must not throw and must not call <see cref="ReloadNow"/>.</param>
    /// <param name="hints">null: <see cref="FolderHints.Watch"/>.</param>
    public ConfigWatcher(
        ConfigReader reader, string path, ConfigResult first, Func<ConfigResult, ValueTask> onChange, TimeProvider clock,
        TimeSpan pollInterval, TimeSpan debounce, ChangeHints? hints = null)
    {
        _reader = reader;
        _path = path;
        _last = first;
        _onChange = onChange;
        _clock = clock;
        _start = clock.GetTimestamp();
        _pollInterval = pollInterval;
        _debounce = debounce;
        _watchFolders = hints ?? FolderHints.Watch;
        _settler = new ChangeSettler(debounce);
        _hints = _watchFolders(first.WatchedFiles, Hint);
        _loop = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>Reads at once, changed or not, and ends when the callback has run. Does nothing after <see cref="DisposeAsync"/>.</summary>
    public async ValueTask ReloadNow()
    {
        await _gate.WaitAsync();
        try
        {
            if (_stop.IsCancellationRequested) return;
            await _onChange(ReadAgain());
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Waits for a callback that is running.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        await _loop;
        await _gate.WaitAsync();
        _hints.Dispose();
        _gate.Release();
    }

    /// <summary>Quiet: sleeps until a hint or the poll. Settling: sleeps for the debounce, whatever hints come.</summary>
    private async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan? lookAgain = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            if (lookAgain is { } wait) await SleepAsync(wait, cancellationToken);
            else await SleepUntilHintAsync(_pollInterval, cancellationToken);
            if (cancellationToken.IsCancellationRequested) return;

            bool wasHinted = TakeHint();
            lookAgain = await LookAsync(wasHinted);
            // A folder where much happens must not keep us hashing.
            if (lookAgain is null && wasHinted) await SleepAsync(_debounce, cancellationToken);
        }
    }

    /// <returns>When to look again; null: at the next hint or poll.</returns>
    private async ValueTask<TimeSpan?> LookAsync(bool wasHinted)
    {
        await _gate.WaitAsync();
        try
        {
            ConfigResult known = _last;
            ChangeSettler.Verdict verdict = _settler.Look(_clock.GetElapsedTime(_start), wasHinted, known.Fingerprints, FingerprintsOf(known.WatchedFiles));
            if (!verdict.IsRipe) return verdict.LookAgain;
            ConfigResult result = ReadAgain();
            if (!ChangeSettler.AreEqual(known.Fingerprints, result.Fingerprints)) await _onChange(result);
        }
        catch (Exception)
        {
            // The callback's bug. Whoever wrote it has the log; without this, later saves would go unseen until a restart.
        }
        finally
        {
            _gate.Release();
        }
        return null;
    }

    /// <summary>Call under the gate.</summary>
    private ConfigResult ReadAgain()
    {
        _settler.Reset();
        ConfigResult result = _reader.Read(_path);
        _last = result;
        // Watched anew each time: the folder itself may have been replaced.
        _hints.Dispose();
        _hints = _watchFolders(result.WatchedFiles, Hint);
        return result;
    }

    private static Dictionary<string, string> FingerprintsOf(IReadOnlyList<string> files) =>
        files.ToDictionary(file => file, file => FileContent.Read(file, WatchList.LongestFileBytes).Fingerprint, StringComparer.Ordinal);

    private static TaskCompletionSource NewHint() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Hint() => _hint.TrySetResult();

    /// <summary>A hint that comes while the old one is taken is lost, but what it hints at is on disk before the look that follows.</summary>
    private bool TakeHint()
    {
        if (!_hint.Task.IsCompleted) return false;
        _hint = NewHint();
        return true;
    }

    private async Task SleepUntilHintAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(SleepAsync(longest, awake.Token), _hint.Task);
        await awake.CancelAsync();
    }

    /// <summary>Ends early, without an exception, when cancelled.</summary>
    private async Task SleepAsync(TimeSpan time, CancellationToken cancellationToken) =>
        await Task.Delay(time, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
