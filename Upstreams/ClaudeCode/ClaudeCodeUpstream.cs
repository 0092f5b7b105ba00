using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>The Messages API with a Claude subscription's sign-in.</summary>
public sealed class ClaudeCodeUpstream : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => "claudecode";

    public UpstreamTypeFact Fact { get; } = new("claudecode", ClaudeCodeFacts.Host, UsesTokens: false, UsesAuthFiles: true, IsAvailable: true, Quirks.All);

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, ProtocolTraits.Anthropic);

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.CountTokens;

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        new((baseUrl ?? ClaudeCodeFacts.Host).AbsoluteUri.TrimEnd('/') + ProviderPaths.Of("anthropic", head, upstreamModel) + query);

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        // Beside a bearer token the provider refuses a key.
        message.Headers.Remove("x-api-key");
        message.Headers.Remove("Authorization");
        if (credential is not null) message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + credential.Secret.Reveal());
    }

    public HttpMessageHandler? CreateHandler() => null;

    public IUpstreamWire? Wire { get; } = new ClaudeCodeWire();
}
