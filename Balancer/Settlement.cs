using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Balancer;

/// <summary>Books an <see cref="Outcome"/>: what it means for the credential and for the circuit. Once each.</summary>
public static class Settlement
{
    /// <summary>After every attempt: the credential it used.</summary>
    public static void OfAttempt(in CredentialSlot slot, Outcome outcome)
    {
        // What the requests that find it resting are told.
        ErrorKind why = outcome.Error?.Kind ?? ErrorKind.RateLimit;
        switch (outcome)
        {
            case { Kind: OutcomeKind.Success }:
                slot.Succeeded();
                break;
            case { Kind: OutcomeKind.Limited, Scope: Scope.Credential, RetryAt: { } until }:
                slot.Rest(until, why);
                break;
            case { Kind: OutcomeKind.Limited, Scope: Scope.CredentialModel, RetryAt: { } until }:
                slot.RestModel(until, why);
                break;
            case { Kind: OutcomeKind.Limited or OutcomeKind.CredentialRefused, Scope: Scope.Credential or Scope.CredentialModel }:
                slot.Refused(why);
                break;
            default:
                slot.Cancelled();
                break;
        }
    }

    /// <summary>At the end of a visit, with the outcome of its last attempt: the circuit. true: the circuit changed.</summary>
    /// <param name="anotherAccepted">Another upstream accepted the same request afterwards. To know it, the pass is kept until the request is through.</param>
    public static bool OfVisit(CircuitBreaker circuit, CircuitPass pass, Outcome outcome, bool anotherAccepted)
    {
        if (outcome.Kind == OutcomeKind.Success) return circuit.Succeeded(pass);
        if (outcome.Counts || (outcome.CountsIfAnotherAccepts && anotherAccepted)) return circuit.Failed(pass);
        if (outcome is { Kind: OutcomeKind.Limited, Scope: Scope.Model, RetryAt: { } until })
        {
            circuit.Limited(pass, until);
            return true;
        }

        circuit.Cancelled(pass);
        return false;
    }
}
