using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>What stands in front of one call of an answer, or behind its last one.</summary>
/// <param name="Thinking">In the order of the answer.</param>
/// <param name="CallSeal">The proof that sits on the call itself (Gemini).</param>
/// <param name="BeforeText">How many of <paramref name="Thinking"/> came before the text that leads to the call.</param>
public sealed record AnswerProof(IReadOnlyList<ThinkingPart> Thinking, Seal? CallSeal, int BeforeText)
{
    public bool IsEmpty => Thinking.Count == 0 && CallSeal is null;

    /// <summary>Memory that it holds, roughly.</summary>
    public long Bytes
    {
        get
        {
            long sum = 200 + 2 * (CallSeal?.Value.Length ?? 0);
            foreach (ThinkingPart part in Thinking) sum += 100 + Of(part.Text) + 2 * (part.Seal?.Value.Length ?? 0);
            return sum;
        }
    }

    private static int Of(JsonText text) => text.RawInner is { IsEmpty: false } raw ? raw.Length : 2 * text.ToString().Length;
}
