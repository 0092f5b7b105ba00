using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Codex;

/// <summary>What a refusal of the Codex back end means.</summary>
public static class CodexJudgement
{
    private static readonly TimeSpan WithoutReset = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PerMinute = TimeSpan.FromSeconds(20);

    // A plan does not change by itself; a day later somebody may have bought one.
    private static readonly TimeSpan WithoutPlan = TimeSpan.FromHours(24);

    /// <summary>null: as everywhere.</summary>
    public static Outcome? Of(Refusal refusal)
    {
        ProxyError error = refusal.Error;
        if (Says(refusal, "selected model is at capacity")) return Limited(refusal, ErrorKind.Overloaded, Scope.Model, refusal.Now + WithoutReset);
        if (Says(refusal, "is not supported when using Codex")) return Judgement.Failed(error with { Kind = ErrorKind.NotFound });
        return (refusal.Status, error.Code) switch
        {
            (401, _) => Judgement.CredentialRefused(error) with { IsStaleToken = true },
            (402, _) or (_, "insufficient_quota") => Limited(refusal, ErrorKind.Quota, Scope.Credential, Told(refusal) ?? refusal.Now + WithoutPlan),
            // A page of the network in front: nothing about the account, and no use in trying again soon.
            (403, _) when !IsJson(refusal) => Judgement.Failed(error with { Kind = ErrorKind.Permission, Message = "the provider's network refused the connection (HTTP 403 with a page)" }),
            (403, _) => Judgement.CredentialRefused(error),
            (_, "usage_not_included") => Limited(refusal, ErrorKind.Quota, Scope.Credential, refusal.Now + WithoutPlan),
            (_, "usage_limit_reached") => Limited(refusal, ErrorKind.RateLimit, Scope.Credential, Told(refusal) ?? refusal.Now + WithoutReset),
            (429, _) => Limited(refusal, ErrorKind.RateLimit, Scope.Credential, Told(refusal) ?? refusal.Now + (IsPerMinute(refusal) ? PerMinute : WithoutReset)),
            (_, "server_is_overloaded" or "slow_down") => Judgement.Failed(error with { Kind = ErrorKind.Overloaded }),
            (400, "invalid_prompt" or "cyber_policy") => Judgement.Refused(error with { Kind = ErrorKind.ContentPolicy }),
            (400, "context_too_large") => Judgement.Refused(error with { Kind = ErrorKind.ContextTooLong }),
            _ => null,
        };
    }

    /// <summary>The limit of a minute, not of a plan's window.</summary>
    public static bool IsPerMinute(Refusal refusal) =>
        refusal.Error.Code is "rate_limit_exceeded" || refusal.Error.Message.Contains("try again in", StringComparison.OrdinalIgnoreCase);

    private static DateTimeOffset? Told(Refusal refusal) =>
        RetryHint.Read(refusal.Headers, refusal.Body.Span, refusal.Now) ?? (refusal.Error.RetryAfter is { } wait ? refusal.Now + wait : null);

    private static Outcome Limited(Refusal refusal, ErrorKind kind, Scope scope, DateTimeOffset until) =>
        Judgement.Limited(refusal.Error with { Kind = kind }, scope, until, refusal.Now);

    private static bool IsJson(Refusal refusal) => refusal.Body.Span.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];

    private static bool Says(Refusal refusal, string words) => refusal.Error.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
}
