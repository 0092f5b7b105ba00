using Aiproxy.Protocols.Model;

namespace Aiproxy.Balancer;

/// <summary>Why no credential of an upstream is free.</summary>
/// <param name="Kind">Of the failure that began the rest.</param>
/// <param name="Until">When one may be of use again; null: nobody knows.</param>
public readonly record struct CredentialRest(ErrorKind Kind, DateTimeOffset? Until)
{
    public bool IsLimit => Kind == ErrorKind.RateLimit;

    /// <summary>A limit says more than any other reason; of equals, who is free sooner.</summary>
    public bool SaysMoreThan(CredentialRest other) =>
        IsLimit != other.IsLimit ? IsLimit : (Until ?? DateTimeOffset.MaxValue) < (other.Until ?? DateTimeOffset.MaxValue);
}
