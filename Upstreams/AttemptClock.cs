namespace Aiproxy.Upstreams;

/// <summary>What an attempt is waiting for when its time runs out.</summary>
public enum ClockPhase
{
    /// <summary>Response headers.</summary>
    Headers,

    /// <summary>The first output of a stream.</summary>
    FirstToken,

    /// <summary>More bytes inside an answer.</summary>
    Idle,

    /// <summary>All attempts together.</summary>
    Total,
}

/// <summary>The clocks of one attempt: one timer, whose limit depends on the phase. Cancels <see cref="Token"/> when time runs out or the client goes away.</summary>
/// <remarks>A read or write resets it by storing a timestamp; the timer looks when it fires and sleeps on for the rest, so a busy stream never re-arms a timer.</remarks>
public sealed class AttemptClock : IDisposable
{
    // A timer takes at most 49 days; a limit beyond this one only means that the timer looks more often.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1);

    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;
    private readonly long _totalDeadline;
    private readonly Lock _lock = new();
    private TimeSpan _limit;
    private bool _totalCounts = true;
    private bool _disposed;
    private bool _paused;
    private long _since;

    /// <param name="totalDeadline">Timestamp of <paramref name="clock"/> at which all attempts end; <see cref="long.MaxValue"/>: none.</param>
    public AttemptClock(TimeProvider clock, long totalDeadline, CancellationToken clientGone)
    {
        _clock = clock;
        _totalDeadline = totalDeadline;
        _source = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
        _since = clock.GetTimestamp();
        _timer = clock.CreateTimer(static state => ((AttemptClock)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Cancelled when the phase's time ran out or the client went away.</summary>
    public CancellationToken Token => _source.Token;

    public ClockPhase Phase { get; private set; }

    /// <summary>The phase whose time ran out; null while none did.</summary>
    public ClockPhase? Expired { get; private set; }

    /// <summary>Starts a phase. <see cref="TimeSpan.Zero"/>: no limit.</summary>
    public void Enter(ClockPhase phase, TimeSpan limit)
    {
        lock (_lock)
        {
            if (_disposed) return;
            Phase = phase;
            _limit = limit;
            Volatile.Write(ref _since, _clock.GetTimestamp());
            Arm();
        }
    }

    /// <summary>The phase's time stands still (the client is slow, not the upstream) until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        lock (_lock) _paused = true;
    }

    /// <summary>The phase's time starts again from here.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _paused = false;
            Volatile.Write(ref _since, _clock.GetTimestamp());
            Arm();
        }
    }

    /// <summary>Something moved: the phase's time starts again.</summary>
    public void Touch() => Volatile.Write(ref _since, _clock.GetTimestamp());

    /// <summary>Output began: the time for all attempts together counts no longer.</summary>
    public void StopTotal()
    {
        lock (_lock) _totalCounts = false;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
        }
        _source.Dispose();
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_disposed || Expired is not null) return;
            if (Remaining(out ClockPhase due) is { } rest && rest <= TimeSpan.Zero) Expired = due;
            else Arm();
        }
        // Outside the lock: callbacks of the token run inline and may come back here.
        if (Expired is not null) Cancel();
    }

    /// <summary>Ends the attempt: nobody waits for it any more.</summary>
    public void Cancel()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended in the same moment.
        }
    }

    private void Arm()
    {
        _timer.Change(Remaining(out _) switch
        {
            null => Timeout.InfiniteTimeSpan,
            { } rest when rest <= TimeSpan.Zero => TimeSpan.Zero,
            { } rest when rest >= LongestSleep => LongestSleep,
            // A timer of the runtime counts whole milliseconds and may fire a little early.
            { } rest => rest + TimeSpan.FromMilliseconds(1),
        }, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan? Remaining(out ClockPhase due)
    {
        due = Phase;
        long now = _clock.GetTimestamp();
        TimeSpan? rest = _limit > TimeSpan.Zero && !_paused ? _limit - _clock.GetElapsedTime(Volatile.Read(ref _since), now) : null;
        if (!_totalCounts || _totalDeadline == long.MaxValue) return rest;

        TimeSpan total = now >= _totalDeadline ? TimeSpan.Zero : _clock.GetElapsedTime(now, _totalDeadline);
        if (rest is { } phase && phase <= total) return phase;
        due = ClockPhase.Total;
        return total;
    }
}
