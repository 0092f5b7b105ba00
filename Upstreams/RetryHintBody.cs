using System.Text.Json;

namespace Aiproxy.Upstreams;

/// <summary>The part of <see cref="RetryHint"/> that reads an error body.</summary>
internal static class RetryHintBody
{
    // Error bodies are a few kilobytes; what lies further in is not an error's own text.
    private const int LongestBodyBytes = 256 * 1024;

    private static readonly string[] Phrases = ["try again in", "retry in", "retry after", "try again after", "reset after", "resets in", "reset in"];

    /// <summary>Members made for machines first, the latest of them; then the words of the messages.</summary>
    public static DateTimeOffset? Read(ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (body.Length > LongestBodyBytes) body = body[..LongestBodyBytes];
        DateTimeOffset? member = null;
        DateTimeOffset? words = null;
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 64, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Member name = Member.Other;
        try
        {
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    name = NameOf(ref json);
                    continue;
                }

                if (json.TokenType is JsonTokenType.String or JsonTokenType.Number)
                {
                    if (name == Member.Words) words ??= json.TokenType == JsonTokenType.String ? Words(json.GetString()!, now) : null;
                    else if (name != Member.Other && Value(ref json, name, now) is { } time && (member is null || time > member)) member = time;
                }

                name = Member.Other;
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // No JSON, cut, or bad UTF-8 in a string: what was found until there stands.
        }

        return member ?? words;
    }

    private static Member NameOf(ref Utf8JsonReader json) =>
        json.ValueTextEquals("retryDelay"u8) || json.ValueTextEquals("quotaResetDelay"u8) || json.ValueTextEquals("retry_after"u8)
            || json.ValueTextEquals("resets_in_seconds"u8) || json.ValueTextEquals("retryAfterSeconds"u8) ? Member.Wait
        : json.ValueTextEquals("retry_after_ms"u8) ? Member.WaitMilliseconds
        : json.ValueTextEquals("resets_at"u8) || json.ValueTextEquals("quotaResetTimeStamp"u8) || json.ValueTextEquals("nextDateReset"u8) ? Member.Time
        : json.ValueTextEquals("message"u8) || json.ValueTextEquals("detail"u8) || json.ValueTextEquals("error"u8) ? Member.Words
        : Member.Other;

    private static DateTimeOffset? Value(ref Utf8JsonReader json, Member name, DateTimeOffset now)
    {
        if (json.TokenType == JsonTokenType.Number)
        {
            if (!json.TryGetDouble(out double number)) return null;
            return name switch
            {
                Member.Time => RetryHint.Time(number, now),
                Member.WaitMilliseconds => RetryHint.After(number / 1000, now),
                _ => RetryHint.After(number, now),
            };
        }

        string text = json.GetString()!;
        return name == Member.Time ? RetryHint.Time(text, now)
            : DurationText.Seconds(text) is { } seconds ? RetryHint.After(seconds, now)
            : name == Member.Wait ? RetryHint.Time(text, now)
            : null;
    }

    internal static DateTimeOffset? Words(string text, DateTimeOffset now)
    {
        foreach (string phrase in Phrases)
        {
            int at = text.IndexOf(phrase, StringComparison.OrdinalIgnoreCase);
            if (at >= 0 && DurationText.Seconds(text.AsSpan(at + phrase.Length)) is { } seconds) return RetryHint.After(seconds, now);
        }

        return null;
    }

    private enum Member
    {
        Other,

        /// <summary>A duration with unit, or seconds.</summary>
        Wait,
        WaitMilliseconds,

        /// <summary>A point in time.</summary>
        Time,

        /// <summary>Text for people.</summary>
        Words,
    }
}
