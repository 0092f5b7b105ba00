using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Google Code Assist with Gemini CLI's sign-in.</summary>
public sealed class GeminiCliUpstream(TimeProvider clock, Func<string, string?> environment) : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => "geminicli";

    public UpstreamTypeFact Fact { get; } = new("geminicli", GoogleFacts.Production, UsesTokens: false, UsesAuthFiles: true, IsAvailable: true, Quirks.All);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, ProtocolTraits.GeminiCli);

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.CountTokens;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        CodeAssist.Address(baseUrl ?? GoogleFacts.Production, CodeAssist.Method(head));

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential) => CodeAssist.Authorize(message, credential);

    public HttpMessageHandler? CreateHandler() => null;

    public IUpstreamWire? Wire { get; } = new GeminiCliWire(clock, environment);
}
