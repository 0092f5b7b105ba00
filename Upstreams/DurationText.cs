using System.Globalization;

namespace Aiproxy.Upstreams;

/// <summary>Reads durations as providers write them: <c>6m0s</c>, <c>20ms</c>, <c>34.07s</c>, <c>1h2m3.5s</c>, <c>20 seconds</c>.</summary>
public static class DurationText
{
    private static readonly (string Unit, double Seconds)[] Units =
    [
        ("milliseconds", 0.001), ("millisecond", 0.001), ("ms", 0.001),
        ("seconds", 1), ("second", 1), ("secs", 1), ("sec", 1), ("s", 1),
        ("minutes", 60), ("minute", 60), ("mins", 60), ("min", 60), ("m", 60),
        ("hours", 3600), ("hour", 3600), ("hrs", 3600), ("hr", 3600), ("h", 3600),
        ("days", 86400), ("day", 86400), ("d", 86400),
    ];

    /// <summary>Seconds at the beginning of <paramref name="text"/>, blanks before it skipped; null where none stand. A number needs a unit.</summary>
    public static double? Seconds(ReadOnlySpan<char> text)
    {
        double? sum = null;
        while (true)
        {
            text = text.TrimStart();
            int digits = 0;
            while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
            // A point belongs to the number only with a digit behind it: "try again in 5s. Then" ends at the s.
            if (digits > 0 && digits + 1 < text.Length && text[digits] == '.' && char.IsAsciiDigit(text[digits + 1]))
            {
                digits++;
                while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
            }

            if (digits == 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return sum;
            text = text[digits..].TrimStart();
            int letters = 0;
            while (letters < text.Length && char.IsAsciiLetter(text[letters])) letters++;
            if (UnitSeconds(text[..letters]) is not { } unit) return sum;
            sum = (sum ?? 0) + (number * unit);
            text = text[letters..];
        }
    }

    private static double? UnitSeconds(ReadOnlySpan<char> word)
    {
        foreach ((string unit, double seconds) in Units)
        {
            if (word.Equals(unit, StringComparison.OrdinalIgnoreCase)) return seconds;
        }

        return null;
    }
}
