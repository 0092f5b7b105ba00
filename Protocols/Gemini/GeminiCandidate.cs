using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The members of one candidate. Nearly every chunk has one candidate with one part, which is read on the way.</summary>
public ref struct GeminiCandidate
{
    /// <summary>The whole object; empty: there is none.</summary>
    public ReadOnlySpan<byte> Content;

    /// <summary>The word of <c>finishReason</c>; empty: none.</summary>
    public ReadOnlySpan<byte> Reason;

    /// <summary>What is told of the answer's sources: <c>groundingMetadata</c>, <c>citationMetadata</c>; empty: nothing.</summary>
    public ReadOnlySpan<byte> Grounding, Recited;

    public long Index;

    /// <summary>Elements of <c>parts</c>.</summary>
    public int Parts;

    /// <summary>The first of them, if it is an object.</summary>
    public GeminiAnswerPart First;

    /// <param name="scan">Walks the candidate.</param>
    public static GeminiCandidate Read(scoped ref JsonScan scan)
    {
        var candidate = new GeminiCandidate();
        while (scan.Next())
        {
            if (scan.Is("content"u8)) candidate.ReadContent(ref scan);
            else if (scan.Is("finishReason"u8)) candidate.Reason = scan.Inner;
            else if (scan.Is("index"u8)) candidate.Index = scan.Long() ?? 0;
            else if (scan.Is("groundingMetadata"u8)) candidate.Grounding = scan.Value;
            else if (scan.Is("citationMetadata"u8)) candidate.Recited = scan.Value;
        }
        return candidate;
    }

    private void ReadContent(scoped ref JsonScan scan)
    {
        Parts = 0;
        First = default;
        if (scan.Kind == JsonTokenType.StartObject)
        {
            JsonScan members = scan.Enter();
            while (members.Next())
            {
                if (members.Is("parts"u8) && members.IsContainer) ReadParts(ref members);
            }
            scan.Leave(ref members);
        }
        Content = scan.Value;
    }

    private void ReadParts(scoped ref JsonScan members)
    {
        JsonScan parts = members.Enter();
        while (parts.Next())
        {
            if (Parts++ > 0 || parts.Kind != JsonTokenType.StartObject) continue;
            JsonScan part = parts.Enter();
            First = GeminiAnswerPart.Read(ref part);
            parts.Leave(ref part);
        }
        members.Leave(ref parts);
    }
}
