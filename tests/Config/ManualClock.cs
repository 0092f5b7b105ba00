using System.Threading.Channels;

namespace Aiproxy.Tests.Config;

/// <summary>Stands still until told. Tells which timers are armed, so that a test knows when the code under test has gone to sleep.</summary>
public sealed class ManualClock : TimeProvider
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private readonly List<Alarm> _alarms = [];
    private readonly Channel<TimeSpan> _armed = Channel.CreateUnbounded<TimeSpan>();
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    /// <summary>Waits until a timer is armed that was not told before, and tells its time.</summary>
    public Task<TimeSpan> NextSleep() => _armed.Reader.ReadAsync().AsTask().WaitAsync(Guard);

    public void Advance(TimeSpan time)
    {
        List<Alarm> due;
        lock (_lock)
        {
            _now += time;
            due = [.. _alarms.Where(alarm => alarm.Due <= _now)];
            _alarms.RemoveAll(due.Contains);
        }
        due.ForEach(alarm => alarm.Ring());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state), _now + dueTime);
        lock (_lock) _alarms.Add(alarm);
        _armed.Writer.TryWrite(dueTime);
        return alarm;
    }

    private sealed class Alarm(ManualClock clock, Action ring, TimeSpan due) : ITimer
    {
        public TimeSpan Due => due;

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose()
        {
            lock (clock._lock) clock._alarms.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
