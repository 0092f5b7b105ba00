using System.Globalization;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Points in time as auth files have them: RFC 3339 with any fraction and offset, seconds or milliseconds since 1970, as numbers or as text.</summary>
public static class TimeText
{
    /// <summary>Smaller numbers are seconds: 1e11 milliseconds were in 1973, 1e11 seconds are 3,000 years ahead.</summary>
    private const double FirstMilliseconds = 1e11;

    private const double LastSeconds = 253_402_300_799;

    /// <summary>null: nothing that is a time. Years up to 1 are how Go writes "none".</summary>
    public static DateTimeOffset? Read(JsonElement value) =>
        Number(value) is { } number ? FromNumber(number) : value.ValueKind == JsonValueKind.String ? Parse(value.GetString()!) : null;

    public static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetDouble(out double number) && double.IsFinite(number) ? number : null,
        JsonValueKind.String => double.TryParse(value.GetString(), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number) ? number : null,
        _ => null,
    };

    public static DateTimeOffset? FromNumber(double number)
    {
        double seconds = number < FirstMilliseconds ? number : number / 1000;
        return seconds is > 0 and < LastSeconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000)) : null;
    }

    /// <summary>Without a zone it is UTC.</summary>
    public static DateTimeOffset? Parse(string text)
    {
        text = text.Trim();
        // Only what begins like a date: the parser also takes "12:30" and would fill in today.
        if (text.Length < 10 || text[4] != '-' || text[7] != '-') return null;
        (int start, int digits) = Fraction(text);
        // .NET knows 7 digits; files have up to 9.
        if (digits > 7) text = text.Remove(start + 7, digits - 7);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) && time.Year > 1
            ? time.ToUniversalTime()
            : null;
    }

    /// <summary>The JSON of a time in the form of another.</summary>
    /// <param name="sample">What stands in the file now; null or unreadable: the usual form is taken.</param>
    public static string Like(JsonElement? sample, ExpiryUnit usual, DateTimeOffset time)
    {
        if (sample is { ValueKind: JsonValueKind.Number } old && Number(old) is { } number and > 0) return Epoch(number, time);
        if (sample is { ValueKind: JsonValueKind.String } text)
        {
            if (Number(text) is { } digits and > 0) return "\"" + Epoch(digits, time) + "\"";
            if (LooksLikeTime(text.GetString()!)) return "\"" + Rfc3339Like(text.GetString()!.Trim(), time) + "\"";
        }
        return usual switch
        {
            ExpiryUnit.Milliseconds => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            ExpiryUnit.Rfc3339Milliseconds => Utc(time, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"),
            _ => Utc(time, "yyyy-MM-dd'T'HH:mm:ss'Z'"),
        };
    }

    private static string Utc(DateTimeOffset time, string form) => "\"" + time.UtcDateTime.ToString(form, CultureInfo.InvariantCulture) + "\"";

    private static string Epoch(double old, DateTimeOffset time) =>
        (old < FirstMilliseconds ? time.ToUnixTimeSeconds() : time.ToUnixTimeMilliseconds()).ToString(CultureInfo.InvariantCulture);

    /// <summary>Date, any separator, time to the second.</summary>
    private static bool LooksLikeTime(string text) => text.Trim() is { Length: >= 19 } time && time[4] == '-' && time[7] == '-' && time[13] == ':' && time[16] == ':';

    private static string Rfc3339Like(string sample, DateTimeOffset time)
    {
        (int start, int digits) = Fraction(sample);
        string zone = digits > 0 ? sample[(start + digits)..] : sample[19..];
        TimeSpan? offset = Offset(zone);
        DateTimeOffset local = time.ToOffset(offset ?? TimeSpan.Zero);
        string fraction = digits == 0 ? "" : "." + local.ToString("fffffff", CultureInfo.InvariantCulture).PadRight(digits, '0')[..digits];
        string day = local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        char separator = sample[10] == ' ' ? ' ' : 'T';
        return day + separator + local.ToString("HH:mm:ss", CultureInfo.InvariantCulture) + fraction + (offset is null ? "Z" : zone);
    }

    /// <summary>null: no form of zone that we write.</summary>
    private static TimeSpan? Offset(string zone)
    {
        if (zone is "Z" or "z" or "") return TimeSpan.Zero;
        if (zone.Length != 6 || zone[0] is not ('+' or '-') || !TimeSpan.TryParseExact(zone[1..], "hh\\:mm", CultureInfo.InvariantCulture, out TimeSpan offset)) return null;
        if (offset > TimeSpan.FromHours(14)) return null;
        return zone[0] == '-' ? -offset : offset;
    }

    /// <summary>Where the digits after the point begin and how many they are; 0 digits: no fraction.</summary>
    private static (int Start, int Digits) Fraction(string text)
    {
        int point = text.IndexOf('.');
        if (point < 0) return (text.Length, 0);
        int end = point + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        return (point + 1, end - point - 1);
    }
}
