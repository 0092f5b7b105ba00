using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>Where one attempt goes.</summary>
/// <param name="Protocol">What <paramref name="Type"/> speaks to this client.</param>
/// <param name="Model">The upstream's name of the model.</param>
/// <param name="Credential">null: the upstream has none.</param>
/// <param name="CredentialIndex">Position among the upstream's credentials.</param>
public sealed record UpstreamTarget(
    UpstreamConfig Config, IUpstreamType Type, IUpstreamProtocol Protocol, string Model, UpstreamCredential? Credential, int CredentialIndex)
{
    /// <summary>The upstream is asked for a stream although the client wants one answer.</summary>
    public bool Collects { get; init; }

    /// <summary>What <see cref="IUpstreamWire.PrepareAsync"/> knows of the model: its whole answers are not to be trusted, one is collected from a stream.</summary>
    public bool MustStream { get; init; }

    /// <summary>The request as the upstream is asked for it.</summary>
    public RequestHead HeadOf(Exchange exchange) => Collects ? exchange.Head with { Stream = true, JsonArray = false } : exchange.Head;

    /// <summary>Base URLs in the order of trying; empty: the type knows its address.</summary>
    public IReadOnlyList<Uri> Hosts { get; init; } = Config.BaseUrls;
}
