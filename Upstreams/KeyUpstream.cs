using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>The four types that speak a client protocol over HTTPS with an API key.</summary>
/// <param name="speak">The protocol as a configured upstream speaks it.</param>
/// <param name="name">api_type, equal to the protocol's name.</param>
/// <param name="publicUrl">The provider's endpoint, without version path.</param>
/// <param name="keyHeader">Header that carries the key; <c>Authorization</c> carries it as a bearer token.</param>
/// <param name="operations">Calls the provider has.</param>
public sealed class KeyUpstream(Func<UpstreamConfig, IUpstreamProtocol> speak, string name, Uri publicUrl, string keyHeader, IReadOnlyList<Operation> operations) : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => name;

    public UpstreamTypeFact Fact { get; } = new(name, publicUrl, UsesTokens: true, UsesAuthFiles: false, IsAvailable: true, Quirks.All);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, key => speak(key));

    public bool Supports(Operation operation) => operations.Contains(operation);

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        new((baseUrl ?? publicUrl).AbsoluteUri.TrimEnd('/') + ProviderPaths.Of(name, head, upstreamModel) + (query.Length > 0 ? query : ProviderPaths.Query(name, head)));

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        if (credential is null) return;
        string value = keyHeader == "Authorization" ? "Bearer " + credential.Secret.Reveal() : credential.Secret.Reveal();
        // A second value beside one from http_headers would spoil both.
        message.Headers.Remove(keyHeader);
        message.Headers.TryAddWithoutValidation(keyHeader, value);
    }

    public HttpMessageHandler? CreateHandler() => null;

    public IUpstreamWire? Wire => null;
}
