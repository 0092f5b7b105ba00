using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Media parts as both OpenAI protocols spell them.</summary>
public static class OpenAIMedia
{
    /// <summary>An image by http URL or data URL.</summary>
    public static MediaPart Image(JsonElement url, string path)
    {
        if (url.ValueKind != JsonValueKind.String) throw Wrong(path, "expected a string");
        return new MediaPart(MediaKind.Image, FromUrl(JsonText.From(url), "image/png"));
    }

    /// <summary>A document as data URL or bare base64.</summary>
    public static MediaPart Document(JsonText data, JsonText? title)
    {
        MediaSource source = DataUrl.Is(data) ? FromUrl(data, "application/pdf") : new Base64Source("application/pdf", data);
        bool isImage = source is Base64Source { MediaType: var type } && type.StartsWith("image/", StringComparison.OrdinalIgnoreCase);
        return new MediaPart(isImage ? MediaKind.Image : MediaKind.Document, source) { Title = title };
    }

    /// <summary>The part that has <c>input_audio: {data, format}</c>.</summary>
    public static MediaPart Audio(JsonElement part, string path)
    {
        path += ".input_audio";
        if (!TryGet(part, "input_audio"u8, out JsonElement audio)) throw Wrong(path, "required");
        RequireObject(audio, path);
        JsonText data = JsonString(audio, "data", path) ?? throw Wrong(Join(path, "data"), "required");
        string format = RequestFields.String(audio, "format", path) ?? "wav";
        string type = format == "mp3" ? "audio/mpeg" : "audio/" + format;
        return new MediaPart(MediaKind.Audio, new Base64Source(type, data));
    }

    /// <summary>Writes content as a data URL, in the form that a strict server takes.</summary>
    /// <param name="output">What <paramref name="json"/> writes to.</param>
    public static void WriteDataUrl(Utf8JsonWriter json, IBufferWriter<byte> output, Base64Source source) =>
        Base64Text.Normal(source.Data).WriteTo(json, output, $"data:{Base64Text.MediaType(source.MediaType, source.Data)};base64,");

    /// <summary>An image in one of the forms that all vendors take.</summary>
    public static bool IsCommonImage(Base64Source source) =>
        Base64Text.MediaType(source.MediaType, source.Data) is "image/png" or "image/jpeg" or "image/gif" or "image/webp";

    /// <summary>A user's part as the parts that both protocols have: documents made of parts are taken apart, documents of text become text, refusals read
    /// as text, other protocols' own parts are dropped.</summary>
    /// <param name="target">The protocol's name in refusals.</param>
    public static IEnumerable<Part> Flatten(Part part, string target)
    {
        switch (part)
        {
            case MediaPart { Source: PartsSource source } media:
                if (media.Title is { IsEmpty: false } title) yield return new TextPart(title) { Path = part.Path };
                foreach (Part inner in source.Parts.SelectMany(inner => Flatten(inner, target))) yield return inner;
                break;
            case MediaPart { Source: TextSource source } media:
                yield return Words(media, source.Text.ToString());
                break;
            case MediaPart { Kind: MediaKind.Document, Source: Base64Source source } media when IsText(source) && Base64Text.Decode(source.Data) is { } words:
                yield return Words(media, words);
                break;
            case RefusalPart refusal:
                yield return new TextPart(refusal.Text) { Path = part.Path };
                break;
            case TextPart or MediaPart:
                yield return part;
                break;
        }
    }

    private static TextPart Words(MediaPart document, string text)
    {
        string head = document.Title is { IsEmpty: false } name ? $"<document title=\"{name}\">" : "<document>";
        return new TextPart(new JsonText($"{head}{text}</document>")) { Path = document.Path };
    }

    /// <summary>Files are PDF in these protocols, or told apart by their names; text is read by every server.</summary>
    private static bool IsText(Base64Source source)
    {
        string type = Base64Text.MediaType(source.MediaType, source.Data);
        return type.StartsWith("text/", StringComparison.Ordinal)
            || type is "application/json" or "application/xml" or "application/yaml" or "application/x-yaml" or "application/javascript" or "application/x-javascript";
    }

    /// <summary>Splits a base64 data URL; any other URL stays one.</summary>
    public static MediaSource FromUrl(JsonText url, string defaultType)
    {
        if (DataUrl.Split(url) is not var (head, data) || !head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase)) return new UrlSource(url);
        string type = head[..head.IndexOf(';', StringComparison.Ordinal)].Trim();
        return new Base64Source(type.Length == 0 ? defaultType : type, data);
    }
}
