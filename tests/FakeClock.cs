namespace Aiproxy.Tests;

/// <summary>A clock that moves only when told. Timers fire inside <see cref="Advance"/>, on the calling thread, in order of their due time.</summary>
/// <remarks>Thread-safe. A callback sees the time at which it was due and may create, change or dispose timers.</remarks>
public sealed class FakeClock : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];
    private DateTimeOffset now;
    private long order;

    /// <summary>Starts at 2026-01-01T00:00:00Z.</summary>
    public FakeClock() : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)) { }

    public FakeClock(DateTimeOffset start) => now = start.ToUniversalTime();

    /// <summary>100 ns, as in a <see cref="TimeSpan"/>.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public DateTimeOffset Now => GetUtcNow();

    /// <summary>Timers that wait for their time.</summary>
    public int PendingTimers
    {
        get
        {
            lock (gate) return timers.Count;
        }
    }

    /// <summary>Timers that fired so far.</summary>
    public int Fired { get; private set; }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    /// <summary>Moves on by <paramref name="delta"/>, firing every timer that falls due on the way, periodic ones as often as they do.</summary>
    public void Advance(TimeSpan delta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delta, TimeSpan.Zero);
        DateTimeOffset target = GetUtcNow() + delta;
        while (TakeDue(target) is { } timer)
        {
            Fired++;
            timer.Fire();
        }
        lock (gate)
        {
            if (now < target) now = target;
        }
    }

    public void AdvanceTo(DateTimeOffset time) => Advance(time - GetUtcNow());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private FakeTimer? TakeDue(DateTimeOffset target)
    {
        lock (gate)
        {
            FakeTimer? first = null;
            foreach (FakeTimer timer in timers)
            {
                if (timer.Due <= target && (first is null || (timer.Due, timer.Order).CompareTo((first.Due, first.Order)) < 0)) first = timer;
            }

            if (first is null) return null;
            if (now < first.Due) now = first.Due;
            if (first.Period > TimeSpan.Zero)
            {
                first.Due += first.Period;
                first.Order = ++order;
            }
            else
            {
                timers.Remove(first);
            }

            return first;
        }
    }

    private bool Schedule(FakeTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (gate)
        {
            if (timer.IsDisposed) return false;
            timers.Remove(timer);
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            timer.Due = now + dueTime;
            timer.Period = period;
            timer.Order = ++order;
            timers.Add(timer);
            return true;
        }
    }

    private void Remove(FakeTimer timer)
    {
        lock (gate)
        {
            timer.IsDisposed = true;
            timers.Remove(timer);
        }
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; set; }

        /// <summary>Tells apart timers that are due at the same time: the one set first fires first.</summary>
        public long Order { get; set; }

        public bool IsDisposed { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => clock.Schedule(this, dueTime, period);

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
