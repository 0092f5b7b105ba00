using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Codex;

/// <summary>OpenAI's back end for Codex, with a ChatGPT sign-in: the Responses protocol without a memory, always streamed.</summary>
public sealed class CodexUpstream : IUpstreamType
{
    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, IUpstreamProtocol> _spoken = [];

    public string Name => "codex";

    public UpstreamTypeFact Fact { get; } = new("codex", CodexFacts.Host, UsesTokens: false, UsesAuthFiles: true, IsAvailable: true, Quirks.All) { AlwaysStreams = true, KeepsNoAnswers = true };

    public IUpstreamWire? Wire { get; } = new CodexWire();

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => _spoken.GetValue(config, ProtocolTraits.Codex);

    public bool Supports(Operation operation) => operation is Operation.Generate or Operation.Compact;

    // The base URL holds the whole path: there is no version to it.
    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) =>
        new((baseUrl ?? CodexFacts.Host).AbsoluteUri.TrimEnd('/') + (head.Target.Operation == Operation.Compact ? "/responses/compact" : "/responses"));

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        foreach (string name in (ReadOnlySpan<string>)["x-api-key", "api-key", "Authorization", "ChatGPT-Account-ID", "X-OpenAI-Fedramp"]) message.Headers.Remove(name);
        if (credential is null) return;
        message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + credential.Secret.Reveal());
        if (credential.SignIn?.AccountId is { } account) message.Headers.TryAddWithoutValidation("ChatGPT-Account-ID", account);
        if (credential.SignIn is { IsFedRamp: true }) message.Headers.TryAddWithoutValidation("X-OpenAI-Fedramp", "true");
    }

    public HttpMessageHandler? CreateHandler() => null;
}
