using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Puts recorded thinking back into the history of a request, where the answer had it.</summary>
public static class ProofReplay
{
    /// <summary>The request with the thinking that <paramref name="find"/> knows in front of the calls it led to; the same object where it knows none.</summary>
    /// <remarks>What the client sent with a proof stays and nothing is added to it; thinking without one gives way to what was recorded. References to
    /// reasoning items are resolved where no call follows (the call brings its own), and go away in any case: they are never an error.</remarks>
    /// <param name="find">By a call's id, or by <see cref="ProofCache.ReasoningKey"/>.</param>
    public static ChatRequest WithProofs(ChatRequest request, Func<string, AnswerProof?> find)
    {
        List<Turn>? turns = null;
        for (int i = 0; i < request.Turns.Count; i++)
        {
            Turn turn = request.Turns[i];
            if (turn.Role != TurnRole.Assistant || !turn.Parts.Any(static part => part is ToolCallPart or ForeignPart { Type: "item_reference" })) continue;
            List<Part> parts = Rewrite(turn.Parts, find);
            if (parts.SequenceEqual(turn.Parts, ReferenceEqualityComparer.Instance)) continue;
            turns ??= [.. request.Turns];
            turns[i] = turn with { Parts = parts };
        }
        return turns is null ? request : request with { Turns = turns };
    }

    private static List<Part> Rewrite(IReadOnlyList<Part> parts, Func<string, AnswerProof?> find)
    {
        var written = new List<Part>(parts.Count + 4);
        var gap = new List<Part>();
        foreach (Part part in parts)
        {
            if (part is not ToolCallPart call)
            {
                gap.Add(part);
                continue;
            }
            gap.RemoveAll(IsReasoningReference);
            AnswerProof? proof = call.Id is { } id ? find(id) : null;
            if (proof is not null) Restore(gap, proof);
            written.AddRange(gap);
            written.Add(proof?.CallSeal is { } seal && call.Seal is null ? call with { Seal = seal } : call);
            gap.Clear();
        }
        Resolve(gap, find);
        written.AddRange(gap);
        return written;
    }

    /// <summary>The parts between two calls, with the thinking that was there.</summary>
    private static void Restore(List<Part> gap, AnswerProof proof)
    {
        if (proof.Thinking.Count == 0 || gap.Exists(static part => part is ThinkingPart { Seal: not null })) return;
        gap.RemoveAll(static part => part is ThinkingPart);
        gap.InsertRange(0, proof.Thinking.Take(proof.BeforeText));
        gap.AddRange(proof.Thinking.Skip(proof.BeforeText));
    }

    private static void Resolve(List<Part> gap, Func<string, AnswerProof?> find)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < gap.Count; i++)
        {
            if (!IsReasoningReference(gap[i])) continue;
            string? key = ProofCache.ReasoningKey(ReferencedId(gap[i])!);
            gap.RemoveAt(i--);

            // The items of one answer are one record: the first reference stands for all.
            if (key is null || !seen.Add(key) || find(key) is not { } proof) continue;
            gap.InsertRange(i + 1, proof.Thinking);
            i += proof.Thinking.Count;
        }
    }

    private static bool IsReasoningReference(Part part) => ReferencedId(part)?.StartsWith("rs_", StringComparison.Ordinal) == true;

    private static string? ReferencedId(Part part) =>
        part is ForeignPart { Type: "item_reference", Raw: { ValueKind: JsonValueKind.Object } raw } && raw.TryGetProperty("id"u8, out JsonElement id)
        && id.ValueKind == JsonValueKind.String ? JsonFields.Decode(id) : null;
}
