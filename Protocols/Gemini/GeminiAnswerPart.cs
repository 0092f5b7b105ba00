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

    /// <summary>The object of an image or the like.</summary>
    public ReadOnlySpan<byte> Media;

    public bool IsThought;

    /// <summary>It holds something that only this protocol can express.</summary>
    public bool IsForeign;

    /// <param name="scan">Walks the part.</param>
    public void Read(scoped ref JsonScan scan)
    {
        while (scan.Next())
        {
            if (scan.Is("text"u8) && scan.IsString) Text = scan.Value;
            else if (scan.Is("thought"u8)) IsThought = scan.Kind == JsonTokenType.True;
            else if (scan.Is("thoughtSignature"u8) && scan.IsString) Signature = scan.Value;
            else if (scan.Is("functionCall"u8)) Call = scan.Value;
            else if (scan.Kind == JsonTokenType.StartObject)
            {
                IsForeign |= !(scan.Is("videoMetadata"u8) || scan.Is("partMetadata"u8) || scan.Is("mediaResolution"u8));
                if (scan.Is("inlineData"u8) || scan.Is("fileData"u8)) Media = scan.Value;
            }
        }
    }
}
