using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Google Code Assist with Antigravity's sign-in.</summary>
public sealed class AntigravityUpstream(TimeProvider clock) : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => "antigravity";

    // No usual base URL: one that is configured replaces the provider's whole list.
    public UpstreamTypeFact Fact { get; } = new("antigravity", null, UsesTokens: false, UsesAuthFiles: true, IsAvailable: true, Quirks.All);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, ProtocolTraits.Antigravity);

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.CountTokens;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        CodeAssist.Address(baseUrl ?? GoogleFacts.Daily, CodeAssist.Method(head));

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential) => CodeAssist.Authorize(message, credential);

    public HttpMessageHandler? CreateHandler() => null;

    public IUpstreamWire? Wire { get; } = new AntigravityWire(clock);
}
