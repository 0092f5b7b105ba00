namespace Aiproxy.Protocols.Model;

/// <summary>A history without its proofs, for an upstream that refused one of them.</summary>
public static class ProofStrip
{
    /// <summary>The request without thinking and without seals; everything said and called stays.</summary>
    public static ChatRequest Apply(ChatRequest request) => request with { Turns = [.. request.Turns.Select(Apply)] };

    /// <summary>There is something to take away.</summary>
    public static bool HasProofs(ChatRequest request) => request.Turns.Any(static turn => turn.Parts.Any(static part => part is ThinkingPart || SealOf(part) is not null));

    private static Turn Apply(Turn turn) => turn with
    {
        Parts = [.. turn.Parts.Where(static part => part is not ThinkingPart).Select(static part => part switch
        {
            ToolCallPart call => call with { Seal = null },
            TextPart text => text with { Seal = null },
            _ => part,
        })],
    };

    private static Seal? SealOf(Part part) => part switch
    {
        ToolCallPart call => call.Seal,
        TextPart text => text.Seal,
        _ => null,
    };
}
