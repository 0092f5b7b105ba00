using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>What a refusal of the service means for the sign-in, the model and the request.</summary>
public static class KiroJudgement
{
    // "backoff 1–30 s or fail over; no reset header exists"
    private static readonly TimeSpan Backoff = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan WithoutModel = TimeSpan.FromHours(24);

    public static KiroFault FaultOf(Refusal refusal) => KiroFault.Of(ErrorOf(refusal));

    public static Outcome Of(Refusal refusal)
    {
        ProxyError error = ErrorOf(refusal);
        KiroFault fault = KiroFault.Of(error);
        error = error with { Kind = fault.Kind };
        return fault.Action switch
        {
            KiroAction.Refuse or KiroAction.Reform => Judgement.Refused(error),
            KiroAction.Refresh => Judgement.CredentialRefused(error) with { IsStaleToken = true },
            KiroAction.CheckSignIn => Judgement.CredentialRefused(error),
            KiroAction.Disable => Judgement.CredentialRefused(error) with { SignInFault = new SignInFault("the provider has suspended this account; its owner has to act") },
            KiroAction.DisableModel => Judgement.Limited(error, Scope.CredentialModel, refusal.Now + WithoutModel, refusal.Now),
            KiroAction.RestDay => Judgement.Limited(error, Scope.Credential, fault.RestUntil(refusal.Now), refusal.Now),
            KiroAction.RestMonth => Judgement.Limited(error, Scope.Credential, fault.RestUntil(refusal.Now), refusal.Now) with { AsksForReset = true },
            KiroAction.Backoff => Judgement.Limited(error, Scope.Credential, RetryHint.Read(refusal.Headers, refusal.Body.Span, refusal.Now) ?? refusal.Now + Backoff, refusal.Now),
            _ => Judgement.Failed(error),
        };
    }

    // The type may be told in a header alone; an error inside a stream was read from its frame.
    private static ProxyError ErrorOf(Refusal refusal)
    {
        string? type = null;
        foreach ((string name, string value) in refusal.Headers)
            if (name.Equals("x-amzn-ErrorType", StringComparison.OrdinalIgnoreCase)) type = value;
        return type is null || refusal.Error.Code is not null ? refusal.Error : KiroErrors.Read(refusal.Status, refusal.Body.Span, type);
    }
}
