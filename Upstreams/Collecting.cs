using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;

namespace Aiproxy.Upstreams;

/// <summary>When an upstream is asked for a stream although the client wants one answer. The answer is then collected; nothing of it goes out before its end.</summary>
public static class Collecting
{
    /// <summary>The target with what its configuration and type say.</summary>
    public static UpstreamTarget Decide(Exchange exchange, UpstreamTarget target) =>
        WantsOneAnswer(exchange) && (target.Type.Fact.AlwaysStreams || target.MustStream || target.Config.MustStream == true) ? target with { Collects = true } : target;

    /// <summary>A translated request that Anthropic answers whole only after minutes of silence, in which connections die: its own library refuses to ask so.</summary>
    public static bool IsLong(Exchange exchange, UpstreamTarget target, ReadOnlySpan<byte> body)
    {
        if (target.Collects || target.Protocol.Name != AnthropicNames.Protocol || !WantsOneAnswer(exchange)) return false;
        var members = new JsonScan(body);
        while (members.Next())
        {
            if (members.Is("max_tokens"u8)) return members.Long() > AnthropicTraits.MaxTokensInOnePiece;
        }
        return false;
    }

    private static bool WantsOneAnswer(Exchange exchange) => exchange.Head is { Stream: false, Target.Operation: Operation.Generate };
}
