using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>What an error of the service is a fact about.</summary>
public enum KiroScope
{
    Request,

    /// <summary>The model, whoever asks for it.</summary>
    Model,

    /// <summary>The sign-in, whatever the model.</summary>
    Credential,
}

/// <summary>What to do about an error of the service.</summary>
public enum KiroAction
{
    /// <summary>The client's request is at fault.</summary>
    Refuse,

    /// <summary>Our translation is at fault: a conversation rule was broken, or a member is not known there (sampling settings may be left out once).</summary>
    Reform,

    /// <summary>Read the file again, refresh once, try once.</summary>
    Refresh,

    /// <summary>Look at the profile, the kind of token and the region; change the choice of profile once; after that the sign-in is refused.</summary>
    CheckSignIn,

    /// <summary>The sign-in is out until its owner does something; the text says what.</summary>
    Disable,

    /// <summary>This sign-in does not have this model.</summary>
    DisableModel,

    /// <summary>The sign-in rests until the next day, UTC.</summary>
    RestDay,

    /// <summary>The sign-in rests until its quota begins anew: the time that the usage call names, else the first day of the next month, UTC.</summary>
    RestMonth,

    /// <summary>A short wait of 1 to 30 seconds, or another upstream; no header says how long.</summary>
    Backoff,

    /// <summary>Another upstream, now.</summary>
    FailOver,

    /// <summary>Once again, then another upstream.</summary>
    Retry,
}

/// <summary>An error of the service, classified. The one table of its codes; HTTP errors and exceptions inside a stream are judged alike.</summary>
public sealed partial record KiroFault(ErrorKind Kind, KiroScope Scope, KiroAction Action)
{
    /// <summary>Of an error as <see cref="KiroErrors"/> read it.</summary>
    public static KiroFault Of(ProxyError error) => Of(error.UpstreamStatus ?? 500, error.Code ?? "", error.Code ?? "", error.Message);

    /// <param name="type">Such as <c>ThrottlingException</c>; empty: not told.</param>
    /// <param name="reason">Such as <c>MONTHLY_REQUEST_COUNT</c>; empty: not told.</param>
    public static KiroFault Of(int status, string type, string reason, string message) =>
        OfReason(status, reason) ?? OfText(status, type, message) ?? OfType(type) ?? OfStatus(status);

    /// <summary>When a rest ends; null: the action is no rest.</summary>
    /// <param name="nextReset">What the usage call named; null: nothing.</param>
    public DateTimeOffset? RestUntil(DateTimeOffset now, DateTimeOffset? nextReset = null)
    {
        DateTimeOffset today = new(now.UtcDateTime.Date, TimeSpan.Zero);
        return Action switch
        {
            KiroAction.RestDay => today.AddDays(1),
            KiroAction.RestMonth => nextReset > now ? nextReset : today.AddDays(1 - today.Day).AddMonths(1),
            _ => null,
        };
    }

    private static KiroFault? OfReason(int status, string reason) => reason switch
    {
        "CONTENT_LENGTH_EXCEEDS_THRESHOLD" => new(ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse),
        "INVALID_MODEL_ID" => new(ErrorKind.NotFound, KiroScope.Model, KiroAction.FailOver),
        "INVALID_CONVERSATION_ID" or "INVALID_KMS_GRANT" => new(ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Reform),
        "TEMPORARILY_SUSPENDED" => new(ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Disable),
        "FEATURE_NOT_SUPPORTED" or "UNAUTHORIZED_CUSTOMIZATION_RESOURCE_ACCESS" => new(ErrorKind.UpstreamAuth, KiroScope.Model, KiroAction.DisableModel),
        "DAILY_REQUEST_COUNT" => new(ErrorKind.Quota, KiroScope.Credential, KiroAction.RestDay),
        "MONTHLY_REQUEST_COUNT" or "OVERAGE_REQUEST_LIMIT_EXCEEDED" or "CONVERSATION_LIMIT_EXCEEDED" => new(ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth),
        "INSUFFICIENT_MODEL_CAPACITY" => new(ErrorKind.Overloaded, KiroScope.Model, KiroAction.FailOver),
        "MODEL_TEMPORARILY_UNAVAILABLE" => new(ErrorKind.Overloaded, KiroScope.Model, KiroAction.Retry),
        _ => null,
    };

    private static KiroFault? OfText(int status, string type, string message) => status switch
    {
        400 when ErrorText.IsContextTooLong(message) => new(ErrorKind.ContextTooLong, KiroScope.Request, KiroAction.Refuse),
        400 when message.Contains("Improperly formed request", StringComparison.OrdinalIgnoreCase) => new(ErrorKind.InvalidRequest, KiroScope.Request, KiroAction.Reform),
        403 when Suspended().IsMatch(message) => new(ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Disable),
        403 when Expired().IsMatch(message) || Is(type, "ExpiredToken") => new(ErrorKind.UpstreamAuth, KiroScope.Credential, KiroAction.Refresh),
        500 when message.Contains("unexpectedly high load", StringComparison.OrdinalIgnoreCase) => new(ErrorKind.Overloaded, KiroScope.Model, KiroAction.Retry),
        _ => null,
    };

    private static KiroFault? OfType(string type) =>
        Is(type, "ServiceQuotaExceeded") ? new(ErrorKind.Quota, KiroScope.Credential, KiroAction.RestMonth) : null;

    private static KiroFault OfStatus(int status)
    {
        ErrorKind kind = ErrorText.KindOf(status);
        return status switch
        {
            401 => new(kind, KiroScope.Credential, KiroAction.Refresh),
            402 => new(kind, KiroScope.Credential, KiroAction.RestMonth),
            403 => new(kind, KiroScope.Credential, KiroAction.CheckSignIn),
            404 => new(kind, KiroScope.Model, KiroAction.FailOver),
            429 => new(kind, KiroScope.Credential, KiroAction.Backoff),
            >= 400 and < 500 and not 408 => new(kind, KiroScope.Request, KiroAction.Refuse),
            _ => new(kind, KiroScope.Model, KiroAction.Retry),
        };
    }

    /// <summary>With or without <c>Exception</c> behind it, whatever the case.</summary>
    private static bool Is(string type, string name) => type.StartsWith(name, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\bsuspended\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Suspended();

    [GeneratedRegex(@"bearer token included in the request is invalid|\btoken\b.*\bexpired\b|\bexpired\b.*\btoken\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Expired();
}
