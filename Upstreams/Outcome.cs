using Aiproxy.Config;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>What one attempt came to: whose fault, how wide it reaches, when to come back.</summary>
public sealed record Outcome
{
    public required OutcomeKind Kind { get; init; }

    /// <summary>What the failure is a fact about.</summary>
    public Scope Scope { get; init; } = Scope.Request;

    /// <summary>What a client is to be told should nothing better come; null for <see cref="OutcomeKind.Success"/> and <see cref="OutcomeKind.ClientGone"/>.</summary>
    public ProxyError? Error { get; init; }

    /// <summary>When the provider says to come back; null: it named no usable time.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>A failure for the circuit of (upstream, model). With <see cref="Scope.Credential"/> only when the visit has no other credential left.</summary>
    public bool Counts { get; init; }

    /// <summary>A failure for the circuit only if another upstream then accepts the same request.</summary>
    public bool CountsIfAnotherAccepts { get; init; }

    /// <summary>The action of the configured rule that decided; null: the built-in judgement did.</summary>
    public ErrorAction? Rule { get; init; }

    /// <summary>The token is not accepted any more: a refreshed one may be.</summary>
    public bool IsStaleToken { get; init; }

    /// <summary><see cref="RetryAt"/> is a guess: the account's own page knows when its limit begins anew.</summary>
    public bool AsksForReset { get; init; }

    /// <summary>The sign-in is of no use until its owner acts; null: not so.</summary>
    public SignInFault? SignInFault { get; init; }

    /// <summary>The client is answered now; no other candidate is tried.</summary>
    public bool IsFinal => Kind is OutcomeKind.Success or OutcomeKind.ClientGone or OutcomeKind.NoRoom || Rule is ErrorAction.Fail;

    public static Outcome Success { get; } = new() { Kind = OutcomeKind.Success };

    /// <summary>The client went away: says nothing about the upstream.</summary>
    public static Outcome ClientGone { get; } = new() { Kind = OutcomeKind.ClientGone };

    /// <summary>The upstream is at its own <c>max_concurrent</c>.</summary>
    public static Outcome Busy { get; } = new()
    {
        Kind = OutcomeKind.Busy,
        Scope = Scope.Model,
        Error = new ProxyError(ErrorKind.RateLimit, "the upstream has as many requests in flight as its configuration allows"),
    };

    /// <summary>The memory for bodies on their way to upstreams is taken. Blames nobody.</summary>
    public static Outcome NoRoom { get; } = new()
    {
        Kind = OutcomeKind.NoRoom,
        Error = new ProxyError(ErrorKind.Unavailable, "too many request bodies are held at once") { RetryAfter = TimeSpan.FromSeconds(5) },
    };

    /// <summary>The target's protocol has no words for the request. Blames nobody.</summary>
    public static Outcome CannotSay(ProxyError error) => new() { Kind = OutcomeKind.CannotSay, Error = error };
}

public enum OutcomeKind
{
    Success,
    ClientGone,

    /// <summary>The request's fault.</summary>
    Refused,

    /// <summary>The upstream's fault.</summary>
    Failed,

    /// <summary>The upstream wants less: too many requests, no quota, or down for a named time.</summary>
    Limited,

    /// <summary>The upstream does not accept our credential.</summary>
    CredentialRefused,

    Busy,
    CannotSay,
    NoRoom,
}

public enum Scope
{
    Request,

    /// <summary>(upstream, model): the circuit.</summary>
    Model,

    /// <summary>One credential of the upstream, whatever the model.</summary>
    Credential,

    /// <summary>One credential with this one model: providers keep quotas by model.</summary>
    CredentialModel,
}

/// <summary>Why a sign-in is out of use.</summary>
/// <param name="Reason">For the log and the status; without secrets.</param>
/// <param name="Link">Where its owner can mend it; null: the provider named none.</param>
public sealed record SignInFault(string Reason, Uri? Link = null);
