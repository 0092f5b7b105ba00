using System.Globalization;

namespace Aiproxy.OAuthCache;

/// <summary>Times as auth files and providers write them.</summary>
public static class LoginTime
{
    /// <summary>RFC 3339 in UTC, whole seconds.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>When a token ends whose answer came now.</summary>
    /// <param name="seconds">As told; null: not told.</param>
    public static DateTimeOffset Expiry(TimeProvider clock, long? seconds) =>
        clock.GetUtcNow() + TimeSpan.FromSeconds(seconds is > 0 and < 10L * 365 * 86400 ? seconds.Value : 3600);

    /// <summary>A told wait between polls, kept within reason.</summary>
    public static TimeSpan Interval(long? seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds ?? 5, 1, 60));
}
