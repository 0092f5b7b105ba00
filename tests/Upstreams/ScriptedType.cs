using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>A type whose transport is a test's own.</summary>
public sealed class ScriptedType(string name, IUpstreamProtocol protocol, HttpMessageHandler? handler, IUpstreamWire? wire = null, bool alwaysStreams = false) : IUpstreamType
{
    public string Name => name;

    public UpstreamTypeFact Fact { get; } = new(name, null, UsesTokens: true, UsesAuthFiles: false, IsAvailable: true, []) { AlwaysStreams = alwaysStreams };

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => protocol;

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.CountTokens;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) => new(baseUrl!, "/call" + query);

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        if (credential is not null) message.Headers.TryAddWithoutValidation("x-credential", credential.Secret.Reveal());
    }

    public HttpMessageHandler? CreateHandler() => handler;

    public IUpstreamWire? Wire => wire;
}
