using System.Text.RegularExpressions;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>What a refusal of Code Assist means. Quotas are kept by model, so a limit is a fact about a sign-in with that model.</summary>
/// <param name="type">api_type, for what its owner is told to do.</param>
public sealed partial class CodeAssistJudgement(string type)
{
    /// <summary>A limit beyond this is not one of the minute: it counts as used up.</summary>
    public static readonly TimeSpan LongestShortLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan PerMinute = TimeSpan.FromSeconds(60);

    // "soft: no long cooldown"
    private static readonly TimeSpan WithoutReason = TimeSpan.FromSeconds(5);

    // Not a matter of time; asked again once a day, should the plan have changed.
    private static readonly TimeSpan NotEntitled = TimeSpan.FromDays(1);

    private readonly bool _isAntigravity = type == "antigravity";

    /// <summary>What the refusal tells, also of an error inside a stream.</summary>
    public static CodeAssistError Told(Refusal refusal) =>
        refusal.Body.Span.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] ? CodeAssistError.Read(refusal.Body.Span) : CodeAssistError.Of(refusal.Error);

    /// <summary>The servers are full; the account is not to blame.</summary>
    public static bool IsCapacity(CodeAssistError told) =>
        told.Reason is "MODEL_CAPACITY_EXHAUSTED" or "MODEL_CAPACITY_EXCEEDED" || told.Message.Contains("No capacity available", StringComparison.OrdinalIgnoreCase);

    /// <summary>null: as everywhere.</summary>
    public Outcome? Of(Refusal refusal)
    {
        // "not for every model → local estimate on error"
        if (refusal.Operation == Operation.CountTokens && _isAntigravity && refusal.Status is not (401 or 403 or 429))
            return Outcome.CannotSay(refusal.Error with { Kind = ErrorKind.Unsupported });
        return Of(refusal.Status, Told(refusal), refusal.Error, refusal.Now);
    }

    /// <summary>As above, of a call of ours.</summary>
    public Outcome? Of(int status, CodeAssistError told, ProxyError error, DateTimeOffset now)
    {
        var refusal = new Fact(error, now);
        return status switch
        {
            400 when IsTooOld(told) => Judgement.Failed(refusal.Error with
            {
                Message = refusal.Error.Message + " (the provider reads the version in the User-Agent: set user_agent of this upstream)",
            }),
            403 => OfForbidden(refusal, told),
            404 => Judgement.Failed(refusal.Error with { Kind = ErrorKind.NotFound }),
            429 or 499 or 503 when NoLimit().IsMatch(told.Message) => Spent(refusal, refusal.Now + NotEntitled),
            429 or 503 when IsCapacity(told) => OfCapacity(refusal, told),
            429 => OfLimit(refusal, told),
            499 => Judgement.Failed(refusal.Error with { Kind = ErrorKind.ServerError }),
            _ => null,
        };
    }

    private readonly record struct Fact(ProxyError Error, DateTimeOffset Now);

    private static bool IsTooOld(CodeAssistError told) =>
        told.Message.Contains("version", StringComparison.OrdinalIgnoreCase) && told.Message.Contains("no longer supported", StringComparison.OrdinalIgnoreCase);

    private static Outcome OfCapacity(Fact refusal, CodeAssistError told)
    {
        DateTimeOffset? until = told.Delay(refusal.Now) is { } delay && delay > TimeSpan.Zero ? refusal.Now + delay : null;
        return Judgement.Limited(refusal.Error with { Kind = ErrorKind.Overloaded }, Scope.Model, until, refusal.Now);
    }

    private Outcome OfForbidden(Fact refusal, CodeAssistError told)
    {
        Outcome refused = Judgement.CredentialRefused(refusal.Error);
        string words = refusal.Error.Message;
        SignInFault? fault =
            told.Reason == "VALIDATION_REQUIRED" ? new SignInFault("the provider wants the account verified in a browser: " + words, told.Link("validation_link", "validation_url"))
            : told.Reason == "TOS_VIOLATION" || Says(told, "has been disabled in this account for violation of Terms of Service")
                ? new SignInFault("the provider has suspended the account: " + words, told.Link("appeal_url"))
            : told.Reason == "SERVICE_DISABLED" || Says(told, "Cloud Code Private API has not been used")
                ? new SignInFault("the API is not enabled in the account's project: " + words, told.Link("activationUrl"))
            : Says(told, "license") || Says(told, "licence") || Says(told, "required permission") || Says(told, "does not have permission")
                ? new SignInFault("no licence, or not for this project: " + words + (_isAntigravity ? "" : "; " + GoogleFacts.GeminiCliEnd), told.HelpLink is null ? null : told.Link())
            : null;
        return refused with { SignInFault = fault };
    }

    private Outcome OfLimit(Fact refusal, CodeAssistError told)
    {
        TimeSpan? delay = told.Delay(refusal.Now);
        DateTimeOffset reset = delay is { } known && known > TimeSpan.Zero ? refusal.Now + known : PacificTime.NextMidnight(refusal.Now);
        bool isShort = IsShort(delay);
        if (told.Reason == "INSUFFICIENT_G1_CREDITS_BALANCE") return Spent(refusal, refusal.Now + NotEntitled);
        if (told.Reason == "QUOTA_EXHAUSTED" || told.IsDaily || Says(told, "exhausted your capacity")) return Spent(refusal, reset);
        if (told.Reason == "RATE_LIMIT_EXCEEDED") return isShort ? Limited(refusal, refusal.Now + delay!.Value) : Spent(refusal, reset);
        if (told.IsPerMinute) return Limited(refusal, refusal.Now + (delay ?? PerMinute));
        if (delay is not null) return Limited(refusal, reset);
        return Limited(refusal, refusal.Now + (_isAntigravity ? WithoutReason : PerMinute));
    }

    /// <summary>A limit of the minute, and when it ends.</summary>
    public bool IsShort(TimeSpan? delay) => _isAntigravity ? delay < LongestShortLimit : delay <= LongestShortLimit;

    private static Outcome Spent(Fact refusal, DateTimeOffset until) =>
        Judgement.Limited(refusal.Error with { Kind = ErrorKind.Quota, ShouldRetry = false }, Scope.CredentialModel, until, refusal.Now);

    private static Outcome Limited(Fact refusal, DateTimeOffset until) =>
        Judgement.Limited(refusal.Error with { Kind = ErrorKind.RateLimit, ShouldRetry = null }, Scope.CredentialModel, until > refusal.Now ? until : refusal.Now.AddSeconds(1), refusal.Now);

    private static bool Says(CodeAssistError told, string words) => told.Message.Contains(words, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\blimit:\s*0(?![\d.])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NoLimit();
}
