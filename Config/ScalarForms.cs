using System.Globalization;

namespace Aiproxy.Config;

/// <summary>The written forms of booleans, numbers, durations and sizes. White space around them is ignored.</summary>
public static class ScalarForms
{
    /// <summary>A number longer than this is out of every range here, and would overflow the arithmetic.</summary>
    private const int LongestNumber = 18;

    private const decimal MostSeconds = 1_000_000_000;

    /// <summary>Those of YAML 1.1: <c>true</c>, <c>yes</c>, <c>on</c>, <c>y</c> and their opposites, in any case.</summary>
    public static bool TryBoolean(string text, out bool value)
    {
        string word = text.Trim().ToLowerInvariant();
        value = word is "true" or "yes" or "on" or "y";
        return value || word is "false" or "no" or "off" or "n";
    }

    /// <summary>Digits with an optional sign.</summary>
    public static bool TryWhole(string text, out long value) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>Seconds (decimals allowed), or numbers with units in a row: <c>250ms</c>, <c>30s</c>, <c>10m</c>, <c>1h30m</c>, <c>2d</c>.</summary>
    /// <remarks>Never below zero.</remarks>
    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = default;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return false;
        if (TryNumber(rest, out decimal seconds)) return TryTimeSpan(seconds, out value);

        decimal total = 0;
        while (!rest.IsEmpty)
        {
            int digits = LeadingNumber(rest);
            if (!TryNumber(rest[..digits], out decimal count)) return false;
            rest = rest[digits..];
            int letters = LeadingLetters(rest);
            if (!TryUnit(rest[..letters], out decimal unit)) return false;
            rest = rest[letters..];
            if (count > MostSeconds) return false;
            total += count * unit;
        }
        return TryTimeSpan(total, out value);
    }

    /// <summary>Bytes, or a number (decimals allowed) with <c>KB</c>, <c>MB</c>, <c>GB</c> or <c>TB</c>, all of them powers of 1024.</summary>
    /// <remarks>In any case, with or without <c>i</c> or <c>B</c>.</remarks>
    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        ReadOnlySpan<char> trimmed = text.AsSpan().Trim();
        int digits = LeadingNumber(trimmed);
        if (!TryNumber(trimmed[..digits], out decimal count)) return false;
        decimal unit = trimmed[digits..].Trim().ToString().ToLowerInvariant() switch
        {
            "" or "b" => 1,
            "k" or "kb" or "kib" => 1L << 10,
            "m" or "mb" or "mib" => 1L << 20,
            "g" or "gb" or "gib" => 1L << 30,
            "t" or "tb" or "tib" => 1L << 40,
            _ => 0,
        };
        if (unit == 0 || count > long.MaxValue / unit) return false;
        decimal exact = count * unit;
        bytes = (long)exact;
        return bytes == exact;
    }

    private static bool TryTimeSpan(decimal seconds, out TimeSpan value)
    {
        value = default;
        if (seconds > MostSeconds) return false;
        value = TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        // What is not zero must not become zero: zero means "no limit".
        if (value == TimeSpan.Zero && seconds > 0) value = TimeSpan.FromTicks(1);
        return true;
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, out decimal seconds)
    {
        seconds = unit switch { "ms" => 0.001m, "s" => 1, "m" => 60, "h" => 3600, "d" => 86400, _ => 0 };
        return seconds > 0;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out decimal value)
    {
        value = 0;
        return text.Length is > 0 and <= LongestNumber && LeadingNumber(text) == text.Length
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
    }

    private static int LeadingNumber(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExcept("0123456789.");
        return end < 0 ? text.Length : end;
    }

    private static int LeadingLetters(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('a', 'z');
        return end < 0 ? text.Length : end;
    }
}
