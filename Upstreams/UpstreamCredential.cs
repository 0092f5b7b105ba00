using Aiproxy.Config;
using Aiproxy.OAuthCache;

namespace Aiproxy.Upstreams;

/// <summary>What one attempt signs in with.</summary>
/// <param name="Secret">API key, or the access token of <paramref name="SignIn"/>.</param>
/// <param name="SignIn">null: an API key.</param>
public sealed record UpstreamCredential(Secret Secret, Credential? SignIn = null)
{
    /// <summary>Google types: the project that requests are booked on; known after <see cref="IUpstreamWire.PrepareAsync"/>.</summary>
    public string? Project { get; init; }

    /// <summary>kiro: the profile that requests may have to name; known after <see cref="IUpstreamWire.PrepareAsync"/>.</summary>
    public string? Profile { get; init; }

    public static UpstreamCredential? OfKey(Secret? key) => key is null ? null : new UpstreamCredential(key);
}
