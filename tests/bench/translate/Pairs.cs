using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Upstreams;

namespace Aiproxy.Bench;

/// <summary>The protocols of both sides.</summary>
public static class Pairs
{
    public static readonly IReadOnlyList<string> Names = ["anthropic", "openai", "responses", "gemini"];

    private static readonly UpstreamTable Types = UpstreamTable.Create(TimeProvider.System);

    private static readonly ProtocolTable Clients = new([new AnthropicProtocol(), new OpenAIChatProtocol(), new OpenAIResponsesProtocol(), new GeminiProtocol()]);

    public static IClientProtocol Client(string name) => Clients[name];

    public static UpstreamTarget Target(string name, IClientProtocol client)
    {
        var config = new UpstreamConfig
        {
            Name = "bench",
            ApiType = name,
            BaseUrls = [],
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Timeout = TimeSpan.FromSeconds(600),
            StreamIdleTimeout = TimeSpan.FromSeconds(600),
        };
        IUpstreamType type = Types.Find(name)!;
        return new UpstreamTarget(config, type, type.ProtocolFor(client, config)!, Model(name), null, 0);
    }

    public static string Model(string name) => name switch
    {
        "anthropic" => "claude-sonnet-4-5",
        "gemini" => "gemini-3-pro-preview",
        _ => "gpt-5.1",
    };
}
