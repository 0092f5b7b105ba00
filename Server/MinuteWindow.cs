namespace Aiproxy.Server;

/// <summary>How much happened in the last 60 seconds, to the second. Not thread-safe. Fixed size.</summary>
public sealed class MinuteWindow(TimeProvider clock)
{
    private const int Seconds = 60;

    private readonly long[] _perSecond = new long[Seconds];
    private readonly long _start = clock.GetTimestamp();
    private long _second;

    /// <summary>Everything of the last minute.</summary>
    public long Sum { get; private set; }

    public void Add(long amount)
    {
        Turn();
        _perSecond[_second % Seconds] += amount;
        Sum += amount;
    }

    /// <summary>How long until less than <paramref name="limit"/> is left in the window; zero when that is so now.</summary>
    public TimeSpan WaitUntilBelow(long limit)
    {
        Turn();
        long left = Sum;
        if (left < limit)
            return TimeSpan.Zero;
        for (int age = Seconds - 1; age >= 0; age--)
        {
            long second = _second - age;
            if (second < 0)
                continue;
            left -= _perSecond[second % Seconds];
            if (left < limit)
                return TimeSpan.FromSeconds(Seconds - age) - SinceSecond();
        }

        return TimeSpan.FromSeconds(Seconds);
    }

    /// <summary>Empties the seconds that fell out of the window.</summary>
    private void Turn()
    {
        long now = (long)clock.GetElapsedTime(_start).TotalSeconds;
        for (int passed = 0; _second < now && passed < Seconds; passed++)
        {
            _second++;
            ref long slot = ref _perSecond[_second % Seconds];
            Sum -= slot;
            slot = 0;
        }

        _second = Math.Max(_second, now);
    }

    private TimeSpan SinceSecond() => clock.GetElapsedTime(_start) - TimeSpan.FromSeconds(_second);
}
