namespace Aiproxy.Balancer;

/// <summary>A time of rest, with a single try now and then while it is long. Not thread-safe: lives under its owner's lock.</summary>
public struct Rest
{
    /// <summary>A provider may name hours and lift the limit earlier. A rest that ends within the interval is over before its first try.</summary>
    public static readonly TimeSpan TryInterval = TimeSpan.FromHours(1);

    private DateTimeOffset until;
    private DateTimeOffset nextTry;

    /// <summary>When it ends by itself; in the past where there is none.</summary>
    public readonly DateTimeOffset Until => until;

    public readonly bool IsOn(DateTimeOffset now) => now < until;

    /// <summary>The time from which the next request may pass: a try, or the end. In the past where there is no rest.</summary>
    public readonly DateTimeOffset NextTry => nextTry;

    /// <summary>Rests until <paramref name="time"/>, also where that shortens the present rest.</summary>
    public void Begin(DateTimeOffset time, DateTimeOffset now)
    {
        until = time;
        Tried(now);
    }

    /// <summary>The next try is an hour from now.</summary>
    public void Tried(DateTimeOffset now) => nextTry = now + TryInterval < until ? now + TryInterval : until;

    /// <summary>The try came to nothing: another may go.</summary>
    public void Untried(DateTimeOffset now) => nextTry = now;

    public void End() => this = default;
}
