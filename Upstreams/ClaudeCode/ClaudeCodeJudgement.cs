using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>What a refusal of Anthropic's means for a subscription's sign-in.</summary>
public static class ClaudeCodeJudgement
{
    private static readonly TimeSpan WithoutReset = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WithoutRejection = TimeSpan.FromSeconds(5);

    /// <summary>null: as everywhere.</summary>
    public static Outcome? Of(Refusal refusal) => refusal.Status switch
    {
        401 when Says(refusal, "currently not supported") => Judgement.CredentialRefused(refusal.Error),
        401 => Judgement.CredentialRefused(refusal.Error) with { IsStaleToken = true },
        403 when Says(refusal, "revoked") || Says(refusal, "not allowed for this organization") || Says(refusal, "scope requirement") =>
            Judgement.CredentialRefused(refusal.Error) with { SignInFault = new SignInFault("the provider refuses this sign-in; 'aiproxy login claudecode' makes a new one") },
        400 when IsUseRefused(refusal) => Judgement.Refused(refusal.Error),
        404 => Judgement.Failed(refusal.Error with { Kind = ErrorKind.NotFound }),
        429 => OfLimit(refusal),
        _ => null,
    };

    // A refusal of the client's kind, not of the account: no rest, another upstream may take it.
    private static bool IsUseRefused(Refusal refusal) =>
        Says(refusal, "only authorized for use with Claude Code") || Says(refusal, "third-party apps");

    private static Outcome OfLimit(Refusal refusal)
    {
        // An option that the plan lacks: asked without it, the same account answers.
        if (Says(refusal, "Usage credits are required") || Says(refusal, "Extra usage is required")) return Judgement.Refused(refusal.Error);

        ClaudeCodeLimits limits = ClaudeCodeLimits.Read(refusal.Headers, refusal.Now);
        DateTimeOffset? told = RetryHint.Read(refusal.Headers, refusal.Body.Span, refusal.Now);
        if (limits.AccountResetsAt is { } account) return Limited(refusal, Scope.Credential, account);
        if (limits.ModelResetsAt is { } model) return Limited(refusal, Scope.CredentialModel, model);
        if (limits.IsRejected) return Limited(refusal, limits.IsOfModel ? Scope.CredentialModel : Scope.Credential, told ?? refusal.Now + WithoutReset);
        return Limited(refusal, Scope.CredentialModel, told ?? refusal.Now + WithoutRejection);
    }

    private static Outcome Limited(Refusal refusal, Scope scope, DateTimeOffset until) => Judgement.Limited(refusal.Error, scope, until, refusal.Now);

    private static bool Says(Refusal refusal, string words) => refusal.Error.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
}
