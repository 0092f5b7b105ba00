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
    public void Read(scoped ref JsonScan scan)
    {
        while (scan.Next())
        {
            if (scan.Is("content"u8)) ReadContent(ref scan);
            else if (scan.Is("finishReason"u8)) Reason = scan.Inner;
            else if (scan.Is("index"u8)) Index = scan.Long() ?? 0;
            else if (scan.Is("groundingMetadata"u8)) Grounding = scan.Value;
            else if (scan.Is("citationMetadata"u8)) Recited = scan.Value;
        }
    }

    private void ReadContent(scoped ref JsonScan scan)
    {
        Parts = 0;
        First = default;
        if (scan.Kind == JsonTokenType.StartObject)
        {
            JsonScan.Place place = scan.Down();
            while (scan.Next())
            {
                if (scan.Is("parts"u8) && scan.IsContainer) ReadParts(ref scan);
            }
            scan.Up(place);
        }
        Content = scan.Value;
    }

    private void ReadParts(scoped ref JsonScan scan)
    {
        JsonScan.Place list = scan.Down();
        while (scan.Next())
        {
            if (Parts++ > 0 || scan.Kind != JsonTokenType.StartObject) continue;
            JsonScan.Place part = scan.Down();
            First.Read(ref scan);
            scan.Up(part);
        }
        scan.Up(list);
    }
}
