using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>AWS's assistant with a Kiro sign-in or key: its own dialect, in AWS event-stream frames, always streamed.</summary>
public sealed class KiroUpstream(TimeProvider clock) : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => "kiro";

    // The host depends on the sign-in's region.
    public UpstreamTypeFact Fact { get; } = new("kiro", null, UsesTokens: true, UsesAuthFiles: true, IsAvailable: true, Quirks.All) { AlwaysStreams = true };

    public IUpstreamWire? Wire { get; } = new KiroWire(clock);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, ProtocolTraits.Kiro);

    public bool Supports(Operation operation) => operation == Operation.Generate;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        new((baseUrl ?? KiroFacts.HostOf(KiroFacts.UsualRegion)).AbsoluteUri.TrimEnd('/') + "/generateAssistantResponse");

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        message.Headers.Remove("Authorization");
        message.Headers.Remove("TokenType");
        if (credential is null) return;
        message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + credential.Secret.Reveal());
        if ((credential.SignIn?.Kiro?.Method ?? KiroMethod.ApiKey) is var method && method is KiroMethod.ApiKey or KiroMethod.ExternalIdp)
            message.Headers.TryAddWithoutValidation("TokenType", method == KiroMethod.ApiKey ? "API_KEY" : "EXTERNAL_IDP");
    }

    public HttpMessageHandler? CreateHandler() => null;
}
