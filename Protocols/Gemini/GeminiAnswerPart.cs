using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The members of one part of an answer, raw. What a part does not have is empty.</summary>
public ref struct GeminiAnswerPart
{
    /// <summary>A JSON string token.</summary>
    public ReadOnlySpan<byte> Text;

    /// <summary>A JSON string token.</summary>
    public ReadOnlySpan<byte> Signature;

    /// <summary>The object of a function call.</summary>
    public ReadOnlySpan<byte> Call;

    public bool IsThought;

    /// <summary>It holds something that only this protocol can express.</summary>
    public bool IsForeign;

    /// <param name="scan">Walks the part.</param>
    public static GeminiAnswerPart Read(scoped ref JsonScan scan)
    {
        var part = new GeminiAnswerPart();
        while (scan.Next())
        {
            if (scan.Is("text"u8) && scan.IsString) part.Text = scan.Value;
            else if (scan.Is("thought"u8)) part.IsThought = scan.Kind == JsonTokenType.True;
            else if (scan.Is("thoughtSignature"u8) && scan.IsString) part.Signature = scan.Value;
            else if (scan.Is("functionCall"u8)) part.Call = scan.Value;
            else if (scan.Kind == JsonTokenType.StartObject)
                part.IsForeign |= !(scan.Is("videoMetadata"u8) || scan.Is("partMetadata"u8) || scan.Is("mediaResolution"u8));
        }
        return part;
    }
}
