using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Upstreams.ClaudeCode;
using Aiproxy.Upstreams.Codex;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Upstreams;

/// <summary>The types of upstreams that this build serves: one line a type.</summary>
public sealed class UpstreamTable
{
    private readonly Dictionary<string, IUpstreamType> _types;

    public UpstreamTable(IEnumerable<IUpstreamType> types) => _types = types.ToDictionary(type => type.Name, StringComparer.Ordinal);

    // Legal names whose traffic comes with a later build: a configuration that holds them loads.
    private static readonly UpstreamTypeFact[] Later =
    [
        OAuth("kiro") with { AlwaysStreams = true },
    ];

    /// <summary>What the configuration reader must know.</summary>
    public UpstreamTypeFacts Facts => new([.. All.Select(type => type.Fact), .. Later]);

    public IEnumerable<IUpstreamType> All => _types.Values;

    public IUpstreamType? Find(string apiType) => _types.GetValueOrDefault(apiType);

    private static UpstreamTypeFact OAuth(string name) => new(name, new Uri("https://" + name + ".invalid"), UsesTokens: false, UsesAuthFiles: true, IsAvailable: false, Quirks.All);

    /// <summary>Every type: one line each.</summary>
    public static UpstreamTable Create(TimeProvider clock) => new(
    [
        new KeyUpstream(ProtocolTraits.Anthropic, "anthropic", ProviderPaths.Anthropic, "x-api-key", [Operation.Generate, Operation.CountTokens]),
        new KeyUpstream(ProtocolTraits.OpenAIChat, "openai", ProviderPaths.OpenAI, "Authorization", [Operation.Generate]),
        new KeyUpstream(ProtocolTraits.OpenAIResponses, "responses", ProviderPaths.OpenAI, "Authorization", [Operation.Generate, Operation.CountTokens, Operation.Compact]),
        new KeyUpstream(ProtocolTraits.Gemini, "gemini", ProviderPaths.Gemini, "x-goog-api-key", [Operation.Generate, Operation.CountTokens]),
        new CodexUpstream(),
        new ClaudeCodeUpstream(),
        new GeminiCliUpstream(clock, Environment.GetEnvironmentVariable),
        new AntigravityUpstream(clock),
        new EchoUpstream(clock),
    ]);
}
