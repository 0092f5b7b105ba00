using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Upstreams' error texts made fit to be shown, and what can be read from them where codes say nothing.</summary>
public static partial class ErrorText
{
    /// <summary>Keys and addresses that hold one are taken out, line breaks become spaces.</summary>
    public static string Redact(string message) => Secrets().Replace(Breaks().Replace(message, " "), "[redacted]").Trim();

    /// <summary>There is something in it that <see cref="Redact"/> takes out.</summary>
    public static bool ShowsSecret(string text) => Secrets().IsMatch(text);

    /// <summary>What to say where an error body is not of the protocol: the status and the first 200 characters.</summary>
    public static string OfBody(int status, ReadOnlySpan<byte> body)
    {
        string reason = Enum.IsDefined((HttpStatusCode)status) ? $"{status} {(HttpStatusCode)status}" : status.ToString(CultureInfo.InvariantCulture);
        // A key may lie across the border of what is shown: redact before cutting.
        string text = Redact(Encoding.UTF8.GetString(body[..Math.Min(body.Length, 2000)]));
        if (text.Length > 200) text = text[..(char.IsHighSurrogate(text[199]) ? 199 : 200)];
        return text.Length == 0 ? $"the upstream answered {reason}" : $"the upstream answered {reason}: {text}";
    }

    /// <summary>The kind that a status alone tells. 401 and 403 blame the proxy's credential, never the client's.</summary>
    public static ErrorKind KindOf(int status) => status switch
    {
        401 or 403 => ErrorKind.UpstreamAuth,
        402 => ErrorKind.Quota,
        404 => ErrorKind.NotFound,
        405 => ErrorKind.MethodNotAllowed,
        408 or 504 => ErrorKind.Timeout,
        409 => ErrorKind.Conflict,
        413 => ErrorKind.TooLarge,
        415 => ErrorKind.UnsupportedMedia,
        429 => ErrorKind.RateLimit,
        502 => ErrorKind.BadGateway,
        503 or 529 => ErrorKind.Overloaded,
        >= 500 => ErrorKind.ServerError,
        >= 400 => ErrorKind.InvalidRequest,
        _ => ErrorKind.BadGateway,
    };

    /// <summary>The wordings by which providers say that the prompt is longer than the model takes.</summary>
    public static bool IsContextTooLong(string message) => TooLong().IsMatch(message);

    /// <summary>Prompt tokens and limit, where a text names both. The prompt is the larger one, or it would not be an error.</summary>
    public static (long Tokens, long Limit)? TokenCounts(string message)
    {
        long first = 0, second = 0;
        foreach (Match match in Numbers().Matches(message))
        {
            if (!long.TryParse(match.Value.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out long number) || number < 1000) continue;
            if (number > first) (first, second) = (number, first);
            else if (number < first && number > second) second = number;
        }
        return second > 0 ? (first, second) : null;
    }

    [GeneratedRegex(@"https?://\S*[?&]key=\S*|\b(?:api[_-]?)?key=[^\s&""']+|\b(?:sk|rk|pk)-[A-Za-z0-9_\-*]{6,}|\bAIza[A-Za-z0-9_\-]{8,}"
        + @"|\bya29\.[A-Za-z0-9_\-.]+|\bAQ\.[A-Za-z0-9_\-]{10,}|\bBearer\s+[A-Za-z0-9_\-.~+/=]{8,}|\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+"
        // Kiro's tokens and keys.
        + @"|\b(?:ao[ar]|ksk_)[A-Za-z0-9_\-:+/=]{20,}",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Secrets();

    [GeneratedRegex(@"[\u0000-\u001F\u007F]+", RegexOptions.CultureInvariant)]
    private static partial Regex Breaks();

    [GeneratedRegex(@"prompt is too long|prompt_too_long|input is too long|context[ _]length|exceeds? (?:the )?(?:context|maximum number of tokens)"
        + @"|exceed context limit|maximum context|context window|input token count",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TooLong();

    [GeneratedRegex(@"\d[\d,]*\d", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
