namespace Aiproxy.Upstreams.Google;

/// <summary>Google's days of quota end at midnight in California. By rule, since small systems have no table of time zones.</summary>
public static class PacificTime
{
    public static DateTimeOffset NextMidnight(DateTimeOffset now)
    {
        TimeSpan offset = Offset(now);
        DateTime midnight = now.ToOffset(offset).Date.AddDays(1);
        var first = new DateTimeOffset(midnight, offset);
        // The clocks may be changed between now and then.
        return new DateTimeOffset(midnight, Offset(first)).ToUniversalTime();
    }

    /// <summary>Daylight saving: from the second Sunday in March at 2:00 to the first in November at 2:00, local time.</summary>
    private static TimeSpan Offset(DateTimeOffset time)
    {
        DateTimeOffset begin = new(Sunday(time.UtcDateTime.Year, 3, 2).AddHours(10), TimeSpan.Zero), end = new(Sunday(time.UtcDateTime.Year, 11, 1).AddHours(9), TimeSpan.Zero);
        return TimeSpan.FromHours(time >= begin && time < end ? -7 : -8);
    }

    private static DateTime Sunday(int year, int month, int number)
    {
        var first = new DateTime(year, month, 1);
        return first.AddDays(((7 - (int)first.DayOfWeek) % 7) + (7 * (number - 1)));
    }
}
