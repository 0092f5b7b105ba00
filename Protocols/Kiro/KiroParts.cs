using System.Globalization;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Takes a user turn's parts apart into what a message can hold: text, images, tool results.</summary>
public sealed class KiroParts(KiroTraits traits)
{
    private static readonly string[] s_formats = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    /// <exception cref="ProtocolException">A part that the service has no place for, or that is too large; with its path.</exception>
    public void Add(KiroMessage message, Part part)
    {
        if (part is ToolResultPart result) AddResult(message, result);
        else Flatten(message, part, message.Texts, isResult: false);
    }

    private void AddResult(KiroMessage message, ToolResultPart result)
    {
        var texts = new List<string>();
        foreach (Part part in result.Content) Flatten(message, part, texts, isResult: true);
        string text = string.Join('\n', texts);
        if (string.IsNullOrWhiteSpace(text)) text = traits.Texts.EmptyResult;
        if (text.Length > traits.Limits.MaxResult) throw TooLong(result.Path, text.Length, traits.Limits.MaxResult);
        message.Results.Add(new KiroResult(result.CallId!, result.IsError, text));
    }

    /// <summary>More text than the service takes.</summary>
    public static ProtocolException TooLong(string path, long length, long limit) => new(
        ErrorKind.ContextTooLong, string.Create(CultureInfo.InvariantCulture, $"{path}: {length} characters, the upstream takes {limit} at most"), path);

    private void Flatten(KiroMessage message, Part part, List<string> texts, bool isResult)
    {
        switch (part)
        {
            case TextPart text:
                if (isResult || !text.Text.IsBlank) texts.Add(text.Text.ToString());
                break;
            case RefusalPart refusal:
                texts.Add(refusal.Text.ToString());
                break;
            case MediaPart { Source: TextSource source } document:
                texts.Add(Document(document.Title, source.Text.ToString()));
                break;
            case MediaPart { Source: PartsSource source } document:
                if (document.Title is { IsBlank: false } title) texts.Add(title.ToString());
                foreach (Part inner in source.Parts) Flatten(message, inner, texts, isResult);
                break;
            case MediaPart { Source: Base64Source source, Kind: MediaKind.Image or MediaKind.Document } media:
                Data(message, media, source, texts, isResult);
                break;
            case MediaPart media:
                throw RequestRefusal.Of(media.Path, KiroRequestWriter.Target);
        }
    }

    private void Data(KiroMessage message, MediaPart media, Base64Source source, List<string> texts, bool isResult)
    {
        JsonText data = Base64Text.Normal(source.Data);
        string type = Base64Text.MediaType(source.MediaType, data);
        if (s_formats.Contains(type))
        {
            message.Images.Add(new KiroImage(type["image/".Length..], data, Bytes(data), media.Path));
            if (isResult) texts.Add(traits.Texts.ImageInResult);
        }
        else if (IsText(type) && Base64Text.Decode(data) is { } text)
        {
            texts.Add(Document(media.Title, text));
        }
        else
        {
            throw RequestRefusal.Of(media.Path, KiroRequestWriter.Target);
        }
    }

    private static long Bytes(JsonText data)
    {
        int token = data.RawToken.Length;
        return (token > 0 ? token - 2 : data.ToString().Length) / 4 * 3L;
    }

    private static bool IsText(string type) => type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/xml";

    private static string Document(JsonText? title, string text) =>
        $"<document title=\"{(title?.ToString() ?? "").Replace("\"", "&quot;", StringComparison.Ordinal)}\">\n{text}\n</document>";
}
