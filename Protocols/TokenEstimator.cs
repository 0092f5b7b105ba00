using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Guesses the prompt tokens of a request where the upstream cannot count them. Guesses high rather than low.</summary>
/// <remarks>Text and JSON by <see cref="TextTokens"/>. Flat: 4 a turn, 4 for the request, 8 a call or result, 10 a tool beside its texts, and 350 once where
/// there are tools, which is what the prompt costs that teaches a model to call them. Media by their kind and size. Proofs by their length.</remarks>
public static class TokenEstimator
{
    private const long PerRequest = 4, PerTurn = 4, PerCall = 8, PerTool = 10, ToolPrompt = 350;

    // The vendors scale an image down to about this: 1568 pixels a side, 750 pixels a token.
    private const long PerImage = 1600;

    // A page costs its text and its picture, 1500 to 3000 tokens; text pages have 20 to 60 KB. More than 100 pages are seldom taken.
    private const long PdfPage = 2500, PdfBytesPerToken = 20, MaxPdf = 300_000;

    public static long Estimate(ChatRequest request)
    {
        long sum = PerRequest;
        foreach (TextPart text in request.System) sum += Of(text.Text);
        if (request.System.Count > 0) sum += PerTurn;
        foreach (Turn turn in request.Turns) sum += PerTurn + Of(turn.Parts);
        if (request.Tools.Count > 0) sum += ToolPrompt;
        foreach (ToolDefinition tool in request.Tools) sum += Of(tool);
        if (request.Output is { } output) sum += PerTool + Of(output.Schema) + Of(output.Description);
        return sum;
    }

    private static long Of(IReadOnlyList<Part> parts)
    {
        long sum = 0;
        foreach (Part part in parts) sum += Of(part);
        return sum;
    }

    private static long Of(Part part) => part switch
    {
        TextPart text => Of(text.Text),
        ThinkingPart thinking => Of(thinking.Text) + Of(thinking.Seal),
        RefusalPart refusal => Of(refusal.Text),
        ToolCallPart call => PerCall + TextTokens.Count(call.Name) + TextTokens.Count(call.Arguments.Span),
        ToolResultPart result => PerCall + Of(result.Content),
        MediaPart media => Of(media),
        ForeignPart foreign => Of(foreign.Raw),
        _ => 0,
    };

    private static long Of(ToolDefinition tool) =>
        PerTool + TextTokens.Count(tool.Name) + TextTokens.Count(tool.Namespace) + Of(tool.Description) + Of(tool.Schema) + Of(tool.Raw);

    private static long Of(MediaPart media) => (media.Source, media.Kind) switch
    {
        (TextSource text, _) => Of(text.Text),
        (PartsSource parts, _) => Of(parts.Parts),
        (_, MediaKind.Image) => PerImage,
        (Base64Source data, MediaKind.Document) => Math.Clamp(Bytes(data) / PdfBytesPerToken, PdfPage, MaxPdf),

        // 32 tokens a second of 16 KB, which is compressed sound of good quality; 300 tokens a second of 180 KB, which is compressed film of poor quality.
        (Base64Source data, MediaKind.Audio) => 100 + Bytes(data) / 400,
        (Base64Source data, MediaKind.Video) => 300 + Bytes(data) / 600,

        // Of what is elsewhere nobody knows the size: five pages, or a minute of sound.
        (_, MediaKind.Document) => 5 * PdfPage,
        _ => 2000,
    };

    private static long Bytes(Base64Source source)
    {
        int raw = source.Data.RawInner.Length;
        return (raw > 0 ? raw : source.Data.ToString().Length) * 3L / 4;
    }

    private static long Of(JsonText? text) => text is not { IsEmpty: false } told ? 0
        : told.RawInner is { IsEmpty: false } raw ? TextTokens.Count(raw, isToken: true) : TextTokens.Count(told.ToString());

    private static long Of(JsonElement? json) =>
        json is { ValueKind: not JsonValueKind.Undefined } told ? TextTokens.Count(JsonMarshal.GetRawUtf8Value(told)) : 0;

    /// <summary>Encrypted reasoning stands for reasoning that counts again; signatures count little or nothing.</summary>
    private static long Of(Seal? seal) => seal is { Kind: SealKind.Encrypted or SealKind.Redacted } ? seal.Value.Length / 6 : 0;
}
