using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>The embedded upstream: answers in the client's own protocol with the last user text. For trying clients out, for tests and for load.</summary>
public sealed class EchoUpstream(TimeProvider clock) : IUpstreamType
{
    private static readonly Uri Nowhere = new("http://echo.invalid");

    public string Name => "echo";

    public UpstreamTypeFact Fact { get; } = new("echo", null, UsesTokens: false, UsesAuthFiles: false, IsAvailable: true, []);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => client as IUpstreamProtocol;

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.CountTokens;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) => Nowhere;

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential) { }

    public HttpMessageHandler? CreateHandler() => new EchoHandler(clock);

    public IUpstreamWire? Wire => null;
}
