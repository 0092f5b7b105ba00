using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes the parts of a repaired request's contents: results name their function, arguments are objects.</summary>
/// <param name="traits">Where images of results stand, and who fetches URLs.</param>
/// <param name="sendsIds">Calls and results carry ids; both or neither.</param>
public sealed class GeminiPartWriter(Utf8JsonWriter writer, ModelFacts facts, GeminiTraits traits, bool sendsIds)
{
    private readonly bool _hasMediaInResults = traits.HasMediaInResults ?? facts.IsGemini3;
    private readonly bool _fetchesUrls = traits.FetchesUrls ?? facts.IsGemini3;

    public void Write(GeminiPart part)
    {
        switch (part.Part)
        {
            case TextPart text: Text(text.Text, part.Signature, isThought: false); break;
            case ThinkingPart thinking: Text(thinking.Text, part.Signature, isThought: true); break;
            case MediaPart media: Media(media); break;
            case ToolCallPart call: Call(call, part.Signature); break;
            case ToolResultPart result: Result(result); break;
            case ForeignPart { Protocol: GeminiNames.Protocol } foreign:
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(foreign.Raw), skipInputValidation: true);
                break;
            default: throw RequestRefusal.Of(part.Part.Path, GeminiRequestWriter.Target);
        }
    }

    private void Text(JsonText text, string? signature, bool isThought)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("text"u8);
        text.WriteTo(writer);
        if (isThought) writer.WriteBoolean("thought"u8, true);
        if (signature is not null) writer.WriteString("thoughtSignature"u8, signature);
        writer.WriteEndObject();
    }

    private void Call(ToolCallPart call, string? signature)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("functionCall"u8);
        if (sendsIds && call.Id is not null) writer.WriteString("id"u8, call.Id);
        writer.WriteString("name"u8, call.Name);
        writer.WritePropertyName("args"u8);
        writer.WriteRawValue(call.Arguments.Span, skipInputValidation: true);
        writer.WriteEndObject();
        if (signature is not null) writer.WriteString("thoughtSignature"u8, signature);
        writer.WriteEndObject();
    }

    private void Result(ToolResultPart result)
    {
        var texts = new List<string>();
        var media = new List<MediaPart>();
        foreach (Part part in result.Content) Flatten(part, texts, media);

        writer.WriteStartObject();
        writer.WriteStartObject("functionResponse"u8);
        if (sendsIds && result.CallId is not null) writer.WriteString("id"u8, result.CallId);
        writer.WriteString("name"u8, result.Name!);
        writer.WriteStartObject("response"u8);
        // Never read as JSON, even where it looks like some: the tool answered in text.
        writer.WriteString(result.IsError ? "error" : traits.ResultName, string.Join('\n', texts));
        writer.WriteEndObject();
        if (_hasMediaInResults && media.Count > 0)
        {
            writer.WriteStartArray("parts"u8);
            foreach (MediaPart part in media) Media(part);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The images of a result, where the model knows no place for them inside it: to be written after all results.</summary>
    public void WriteLateMedia(IEnumerable<GeminiPart> parts)
    {
        if (_hasMediaInResults) return;
        foreach (GeminiPart part in parts)
        {
            if (part.Part is not ToolResultPart result) continue;
            var media = new List<MediaPart>();
            foreach (Part content in result.Content) Flatten(content, [], media);
            foreach (MediaPart item in media) Media(item);
        }
    }

    private static void Flatten(Part part, List<string> texts, List<MediaPart> media)
    {
        switch (part)
        {
            case TextPart text: texts.Add(text.Text.ToString()); break;
            case MediaPart { Source: TextSource source } document: texts.Add(Document(document.Title, source.Text)); break;
            case MediaPart { Source: PartsSource source } document:
                if (document.Title is { IsEmpty: false } title) texts.Add(title.ToString());
                foreach (Part inner in source.Parts) Flatten(inner, texts, media);
                break;
            case MediaPart item: media.Add(item); break;
        }
    }

    private static string Document(JsonText? title, JsonText text) =>
        $"<document title=\"{(title?.ToString() ?? "").Replace("\"", "&quot;", StringComparison.Ordinal)}\">\n{text}\n</document>";

    private void Media(MediaPart media)
    {
        switch (media.Source)
        {
            case Base64Source source:
                JsonText data = Base64Text.Normal(source.Data);
                Begin("inlineData", Base64Text.MediaType(source.MediaType, data));
                writer.WritePropertyName("data"u8);
                data.WriteTo(writer);
                End();
                break;
            // Before Gemini 3 the proxy would have to fetch it.
            case UrlSource url when _fetchesUrls:
                Begin("fileData", url.MediaType ?? TypeOf(url.Url.ToString(), media.Kind));
                writer.WritePropertyName("fileUri"u8);
                url.Url.WriteTo(writer);
                End();
                break;
            case FileSource { Protocol: GeminiNames.Protocol } file:
                writer.WriteStartObject();
                writer.WritePropertyName("fileData"u8);
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(file.Raw), skipInputValidation: true);
                writer.WriteEndObject();
                break;
            case TextSource text:
                Text(media.Title is { IsEmpty: false } ? Document(media.Title, text.Text) : text.Text, null, isThought: false);
                break;
            case PartsSource parts:
                if (media.Title is { IsEmpty: false } title) Text(title, null, isThought: false);
                foreach (Part part in parts.Parts)
                {
                    if (part is TextPart { Text.IsEmpty: false } or MediaPart) Write(new GeminiPart(part));
                }
                break;
            default: throw RequestRefusal.Of(media.Path, GeminiRequestWriter.Target);
        }
    }

    private void Begin(string member, string type)
    {
        writer.WriteStartObject();
        writer.WriteStartObject(member);
        writer.WriteString("mimeType"u8, type);
    }

    private void End()
    {
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string TypeOf(string url, MediaKind kind)
    {
        string path = url.Split('?', '#')[0].ToLowerInvariant();
        return path[(path.LastIndexOf('.') + 1)..] switch
        {
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "pdf" => "application/pdf",
            "mp4" => "video/mp4",
            "mp3" => "audio/mp3",
            "wav" => "audio/wav",
            _ => kind switch { MediaKind.Document => "application/pdf", MediaKind.Audio => "audio/mp3", MediaKind.Video => "video/mp4", _ => "image/jpeg" },
        };
    }
}
