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
        string text = data.ToString();
        MediaSource source = text.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? FromUrl(data, "application/pdf") : new Base64Source("application/pdf", data);
        MediaKind kind = source is Base64Source { MediaType: var type } && type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Image : MediaKind.Document;
        return new MediaPart(kind, source) { Title = title };
    }

    /// <summary><c>input_audio</c>: <c>{data, format}</c>.</summary>
    public static MediaPart Audio(JsonElement audio, string path)
    {
        JsonText data = JsonString(audio, "data", path) ?? throw Wrong(Join(path, "data"), "required");
        string type = RequestFields.String(audio, "format", path) switch { null or "wav" => "audio/wav", "mp3" => "audio/mpeg", string other => "audio/" + other };
        return new MediaPart(MediaKind.Audio, new Base64Source(type, data));
    }

    /// <summary>Content as a data URL, in the form that a strict server takes.</summary>
    public static string DataUrl(Base64Source source) => $"data:{Base64Text.MediaType(source.MediaType, source.Data)};base64,{Base64Text.Normal(source.Data)}";

    /// <summary>An image in one of the forms that all vendors take.</summary>
    public static bool IsCommonImage(Base64Source source) =>
        Base64Text.MediaType(source.MediaType, source.Data) is "image/png" or "image/jpeg" or "image/gif" or "image/webp";

    /// <summary>Splits a base64 data URL; any other URL stays one.</summary>
    public static MediaSource FromUrl(JsonText url, string defaultType)
    {
        string text = url.ToString();
        if (!text.StartsWith("data:", StringComparison.OrdinalIgnoreCase)) return new UrlSource(url);
        int comma = text.IndexOf(',');
        if (comma < 0) return new UrlSource(url);
        string head = text[5..comma];
        int semicolon = head.IndexOf(';');
        if (!head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase)) return new UrlSource(url);
        string type = head[..semicolon].Trim();
        return new Base64Source(type.Length == 0 ? defaultType : type, new JsonText(text[(comma + 1)..]));
    }
}
