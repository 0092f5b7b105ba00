using System.Globalization;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>What an error answer of Code Assist tells for machines. Its members vary: what is not there or of another kind is passed over.</summary>
public sealed record CodeAssistError
{
    private const int MaxBytes = 256 * 1024;

    public string Message { get; init; } = "";

    /// <summary>Of <c>ErrorInfo</c>, such as <c>QUOTA_EXHAUSTED</c>; empty: none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Of <c>ErrorInfo</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Of <c>RetryInfo</c>; null: none.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>Of <c>QuotaFailure</c>.</summary>
    public IReadOnlyList<string> QuotaIds { get; init; } = [];

    /// <summary>The first link of <c>Help</c>; null: none.</summary>
    public string? HelpLink { get; init; }

    public bool HasDetails { get; init; }

    public bool IsDaily => QuotaIds.Any(static id => id.Contains("PerDay", StringComparison.OrdinalIgnoreCase) || id.Contains("Daily", StringComparison.OrdinalIgnoreCase));

    public bool IsPerMinute => QuotaIds.Count > 0 && QuotaIds.All(static id => id.Contains("PerMinute", StringComparison.OrdinalIgnoreCase));

    /// <summary>The latest of the times that the answer names; null: none.</summary>
    public TimeSpan? Delay(DateTimeOffset now)
    {
        TimeSpan? delay = RetryDelay;
        if (Metadata.TryGetValue("quotaResetDelay", out string? told) && Duration(told) is { } reset && !(delay > reset)) delay = reset;
        if (Metadata.TryGetValue("quotaResetTimeStamp", out string? stamp) && RetryHint.Time(stamp, now) - now is { } until && !(delay > until)) delay = until;
        return delay ?? InWords(now);
    }

    /// <summary>Where the owner can mend it; null: the answer names no place.</summary>
    public Uri? Link(params ReadOnlySpan<string> members)
    {
        foreach (string member in members)
            if (Metadata.TryGetValue(member, out string? told) && Web(told) is { } link) return link;
        return HelpLink is null ? null : Web(HelpLink);
    }

    /// <summary>Never throws.</summary>
    public static CodeAssistError Read(ReadOnlySpan<byte> body) => Read(body, 0) ?? new CodeAssistError();

    /// <summary>An error told inside a stream, of which the dialect's reader kept this much.</summary>
    public static CodeAssistError Of(Protocols.Model.ProxyError error) => new()
    {
        Message = error.Message,
        Reason = error.Code ?? "",
        RetryDelay = error.RetryAfter,
        QuotaIds = error.Kind == Protocols.Model.ErrorKind.Quota ? ["PerDay"] : [],
        HasDetails = error.RetryAfter is not null || error.Kind == Protocols.Model.ErrorKind.Quota,
    };

    /// <summary><c>34.07s</c>, <c>900ms</c>, <c>1h2m3.5s</c>, <c>6h</c>, or seconds without a unit; null: none of these.</summary>
    public static TimeSpan? Duration(string text)
    {
        double? seconds = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : DurationText.Seconds(text);
        return seconds is >= 0 and < 366 * 86400 ? TimeSpan.FromSeconds(seconds.Value) : null;
    }

    private TimeSpan? InWords(DateTimeOffset now)
    {
        string message = Encoding.UTF8.GetString(RawJson.Encode(Message));
        return RetryHint.Read([], Encoding.UTF8.GetBytes("{\"message\":" + message + "}"), now) - now;
    }

    private static CodeAssistError? Read(ReadOnlySpan<byte> body, int depth)
    {
        if (body.Length > MaxBytes) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body.ToArray());
            JsonElement root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0) root = root[0];
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("error", out JsonElement error)) return null;
            if (error.ValueKind == JsonValueKind.String) return Nested(JsonFields.Decode(error), depth) ?? new CodeAssistError { Message = JsonFields.Decode(error) };
            if (error.ValueKind != JsonValueKind.Object) return null;
            string message = Text(error, "message") ?? "";
            return Nested(message, depth) ?? Details(error, new CodeAssistError { Message = message });
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>An error may be a text inside another one's message.</summary>
    private static CodeAssistError? Nested(string message, int depth)
    {
        int start = message.IndexOf("{\"error\"", StringComparison.Ordinal), end = message.LastIndexOf('}');
        if (start < 0) start = message.IndexOf('{') is var brace and >= 0 && message.AsSpan(brace + 1).TrimStart().StartsWith("\"error\"") ? brace : -1;
        return depth > 2 || start < 0 || end < start ? null : Read(Encoding.UTF8.GetBytes(message[start..(end + 1)]), depth + 1);
    }

    private static CodeAssistError Details(JsonElement error, CodeAssistError told)
    {
        if (!error.TryGetProperty("details", out JsonElement details) || details.ValueKind != JsonValueKind.Array) return told;
        foreach (JsonElement detail in details.EnumerateArray())
        {
            string type = Text(detail, "@type") ?? "";
            told = type[(type.LastIndexOf('/') + 1)..] switch
            {
                "google.rpc.ErrorInfo" => told with { Reason = Text(detail, "reason") ?? told.Reason, Metadata = Pairs(detail, "metadata"), HasDetails = true },
                "google.rpc.RetryInfo" => told with { RetryDelay = Wait(detail, "retryDelay") ?? told.RetryDelay, HasDetails = true },
                "google.rpc.QuotaFailure" => told with { QuotaIds = [.. AccountJson.Strings(detail, "violations", "quotaId")], HasDetails = true },
                "google.rpc.Help" => told with { HelpLink = AccountJson.Strings(detail, "links", "url") is [var first, ..] ? first : null, HasDetails = true },
                _ => told,
            };
        }
        return told;
    }

    private static Dictionary<string, string> Pairs(JsonElement item, string member)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        if (item.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty pair in value.EnumerateObject())
                if (pair.Value.ValueKind == JsonValueKind.String) pairs[pair.Name] = JsonFields.Decode(pair.Value);
        }
        return pairs;
    }

    private static TimeSpan? Wait(JsonElement item, string member) =>
        !item.TryGetProperty(member, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Number ? Duration(value.GetRawText())
        : value.ValueKind == JsonValueKind.String ? Duration(JsonFields.Decode(value))
        : null;

    private static string? Text(JsonElement item, string member) => AccountJson.String(item, member);

    private static Uri? Web(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? link) && link.Scheme is "https" or "http" ? link : null;
}
