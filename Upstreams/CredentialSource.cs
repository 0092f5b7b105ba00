using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>Finds what an upstream's credential says now: a key of the configuration, or the token of a sign-in.</summary>
public sealed class CredentialSource
{
    /// <param name="index">Position among the upstream's credentials, as in its ring.</param>
    public ValueTask<HeldCredential> GetAsync(UpstreamConfig config, IUpstreamType type, int index, CancellationToken cancellationToken) =>
        new(new HeldCredential(UpstreamCredential.OfKey(index < config.Tokens.Count ? config.Tokens[index] : null)));

    /// <summary>After a 401: a newer token, or one refreshed for all who wait.</summary>
    public ValueTask<HeldCredential> RefusedAsync(UpstreamConfig config, IUpstreamType type, int index, UpstreamCredential refused, CancellationToken cancellationToken) =>
        GetAsync(config, type, index, cancellationToken);

    /// <summary>Out of use until its owner acts.</summary>
    public void Disable(UpstreamConfig config, int index, SignInFault fault)
    {
    }
}

/// <param name="Failure">null: <paramref name="Credential"/> can be used; it is null where the upstream has none.</param>
public readonly record struct HeldCredential(UpstreamCredential? Credential, Outcome? Failure = null);
