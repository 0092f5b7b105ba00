using System.Globalization;

namespace Aiproxy.Upstreams;

/// <summary>Reads from a failed answer when its provider wants to be asked again.</summary>
/// <remarks>Never throws, whatever headers and body hold. Times that are past, negative or years away are no hint; others beyond <see cref="Longest"/> count as that.
/// In this order: <c>retry-after-ms</c>, <c>retry-after</c>, the windows that are used up, the body.</remarks>
public static class RetryHint
{
    /// <summary>Limits by the month exist, but nothing is believed for more than a week.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    // No limit is kept for longer than a year: such a number was meant as something else.
    private const double AbsurdSeconds = 366 * 86400;

    // Numbers below are waits, above times: 1e9 seconds are 31 years, and the epoch second 1e9 was in 2001.
    private const double FirstEpochSeconds = 1e9;
    private const double FirstEpochMilliseconds = 1e11;

    private static readonly string[] DateFormats =
        ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>When to come back, or null. <paramref name="headers"/>: a repeated name is a repeated pair; of those the first readable counts.</summary>
    public static DateTimeOffset? Read(IEnumerable<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        DateTimeOffset? wait = null;
        var windows = new List<Window>();
        foreach ((string name, string value) in headers)
        {
            if (name.Equals("retry-after-ms", StringComparison.OrdinalIgnoreCase))
            {
                if (Number(value) is { } milliseconds && After(milliseconds / 1000, now) is { } exact) return exact;
            }
            else if (name.Equals("retry-after", StringComparison.OrdinalIgnoreCase))
            {
                wait ??= RetryAfter(value, now);
            }
            // What an account may spend beyond its windows is settled by the month and says nothing of when a window opens.
            else if (name.Contains("ratelimit", StringComparison.OrdinalIgnoreCase) && !name.Contains("overage", StringComparison.OrdinalIgnoreCase))
            {
                Note(windows, name.ToLowerInvariant(), value);
            }
        }

        return wait ?? Latest(windows, now) ?? RetryHintBody.Read(body, now);
    }

    /// <summary>A wait that an error's words name; null: none.</summary>
    public static DateTimeOffset? ReadWords(string message, DateTimeOffset now) => RetryHintBody.Words(message, now);

    /// <summary>A point in time: RFC 3339, seconds or milliseconds since 1970, or, below 1e9, seconds from now.</summary>
    internal static DateTimeOffset? Time(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        text = text.Trim();
        if (Number(text) is { } number) return Time(number, now);
        // Only what begins like a date: the parser also takes "5" or "12:30" and would fill in today.
        return text.Length >= 10 && text[4] == '-' && text[7] == '-'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? After((time - now).TotalSeconds, now)
            : null;
    }

    internal static DateTimeOffset? Time(double number, DateTimeOffset now)
    {
        double epoch = (now - DateTimeOffset.UnixEpoch).TotalSeconds;
        return number switch
        {
            >= FirstEpochMilliseconds => After((number / 1000) - epoch, now),
            >= FirstEpochSeconds => After(number - epoch, now),
            _ => After(number, now),
        };
    }

    /// <summary>A wait in seconds as a time; null where it is not a wait.</summary>
    internal static DateTimeOffset? After(double seconds, DateTimeOffset now) =>
        seconds is not (> 0 and < AbsurdSeconds) ? null
        : seconds >= Longest.TotalSeconds ? now + Longest
        : now + TimeSpan.FromTicks((long)Math.Ceiling(seconds * TimeSpan.TicksPerSecond));

    private static DateTimeOffset? RetryAfter(string value, DateTimeOffset now)
    {
        ReadOnlySpan<char> text = value.AsSpan().Trim();
        // RFC 9110: Retry-After = HTTP-date / delay-seconds. Decimals and other people's durations are seen too.
        if (Number(text) is { } number) return Time(number, now);
        if (DateTimeOffset.TryParseExact(text, DateFormats, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out DateTimeOffset date))
        {
            return After((date - now).TotalSeconds, now);
        }

        return Time(text, now) ?? (DurationText.Seconds(text) is { } seconds ? After(seconds, now) : null);
    }

    /// <summary>Sorts <c>x-ratelimit-reset-tokens</c> and <c>anthropic-ratelimit-tokens-reset</c> alike under the window they tell of.</summary>
    private static void Note(List<Window> windows, string name, string value)
    {
        foreach (string member in Window.Members)
        {
            int at = name.LastIndexOf(member, StringComparison.Ordinal);
            if (at < 0) continue;
            string key = name.Remove(at, member.Length);
            Window? window = windows.Find(known => known.Key == key);
            if (window is null) windows.Add(window = new Window(key));
            window.Set(member, value);
            return;
        }
    }

    private static DateTimeOffset? Latest(List<Window> windows, DateTimeOffset now)
    {
        DateTimeOffset? latest = null;
        foreach (Window window in windows)
        {
            if (!window.IsUsedUp || window.Reset is null) continue;
            DateTimeOffset? reset = Number(window.Reset) is { } number ? Time(number, now)
                : Time(window.Reset, now) ?? (DurationText.Seconds(window.Reset) is { } seconds ? After(seconds, now) : null);
            if (reset is not null && (latest is null || reset > latest)) latest = reset;
        }

        return latest;
    }

    private static double? Number(ReadOnlySpan<char> text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;

    /// <summary>One limit of the provider as its headers tell it.</summary>
    private sealed class Window(string key)
    {
        public static readonly string[] Members = ["-reset", "-remaining", "-status"];

        private string? remaining;
        private string? status;

        public string Key => key;

        public string? Reset { get; private set; }

        /// <summary>A window that has something left does not explain the refusal. OpenAI and Anthropic send all windows with every answer.
        /// One that says nothing of what is left explains it, unless it is Anthropic's, which always says.</summary>
        public bool IsUsedUp =>
            status is not null ? status.Trim().Equals("rejected", StringComparison.OrdinalIgnoreCase)
            : remaining is not null ? Number(remaining) is <= 0
            : !key.StartsWith("anthropic", StringComparison.Ordinal);

        public void Set(string member, string value)
        {
            switch (member)
            {
                case "-reset": Reset ??= value; break;
                case "-remaining": remaining ??= value; break;
                default: status ??= value; break;
            }
        }
    }
}
