using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>An <c>api_type</c>: a dialect and how it is carried. Stateless; one object for the life of the process.</summary>
public interface IUpstreamType
{
    string Name { get; }

    /// <summary>What the configuration reader must know of the type.</summary>
    UpstreamTypeFact Fact { get; }

    /// <summary>What this upstream speaks to a request of <paramref name="client"/>; null where it cannot serve such a client.</summary>
    IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config);

    /// <summary>The upstream has this call.</summary>
    bool Supports(Operation operation);

    /// <param name="baseUrl">null only for a type without base URLs.</param>
    /// <param name="query">The client's query without its key, with the question mark; or empty.</param>
    Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query);

    /// <param name="credential">null: the upstream has none.</param>
    void Authorize(HttpRequestMessage message, UpstreamCredential? credential);

    /// <summary>The transport, where it is not HTTP over the network.</summary>
    HttpMessageHandler? CreateHandler();

    /// <summary>What the provider asks beyond the dialect; null: nothing.</summary>
    IUpstreamWire? Wire { get; }
}
