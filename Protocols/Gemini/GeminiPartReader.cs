using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Reads the parts of one turn.</summary>
/// <remarks>A wrapped proof of another provider, which a call or an empty text part carries, becomes a thinking part of its own before that part
/// again.</remarks>
public sealed class GeminiPartReader(TurnRole role, List<(string Path, JsonElement Value)> untranslatable)
{
    private readonly List<Part> _parts = [];

    public IReadOnlyList<Part> Parts => _parts;

    public void Add(JsonFields part)
    {
        Seal? seal = ReadSeal(part);
        if (part.Object("functionCall") is { } call) Call(call, part.Path, seal);
        else if (part.Object("functionResponse") is { } response) _parts.Add(Response(response, part.Path));
        else if (part.Text("text") is { } text) Text(text, part, seal);
        else if (part.Object("inlineData") is { } inline) _parts.Add(Inline(inline, part.Path));
        else if (part.Object("fileData") is { } file) _parts.Add(File(file, part.Path));
        else Foreign(part);
    }

    /// <summary>The part's signature; a foreign one inside an envelope has become a part by then, and null is returned.</summary>
    private Seal? ReadSeal(JsonFields part)
    {
        if (part.String("thoughtSignature") is not { Length: > 0 } value) return null;
        if (!SealEnvelope.IsEnvelope(value)) return new Seal(SealKind.Thought, "", value);
        if (SealEnvelope.Unwrap(value) is not var (seal, text)) return null;
        switch (seal.Kind)
        {
            case SealKind.Thought: return seal;
            case SealKind.None: return null;
        }
        Restore(seal, text, part.Path);
        return null;
    }

    /// <summary>Adds the proof of another provider. Its thoughts came as parts without proof earlier in this step, perhaps with text behind them; it stands
    /// where they stood, for a proof holds only behind the conversation that it was made behind. Thoughts that were not shown came before the text.</summary>
    private void Restore(Seal seal, string? text, string path)
    {
        int step = _parts.FindLastIndex(part => part is ToolCallPart or ThinkingPart { Seal: not null }) + 1;
        int end = _parts.FindLastIndex(part => part is ThinkingPart { Seal: null }) + 1;
        int first = end > step ? end : step;
        while (first > step && _parts[first - 1] is ThinkingPart { Seal: null }) first--;
        int count = end > step ? end - first : 0;
        string shown = string.Concat(_parts.Skip(first).Take(count).Select(part => ((ThinkingPart)part).Text.ToString()));
        _parts.RemoveRange(first, count);
        bool isRedacted = seal.Kind == SealKind.Redacted;
        _parts.Insert(first, new ThinkingPart(isRedacted ? "" : text ?? shown) { Path = path, Seal = seal, IsRedacted = isRedacted });
    }

    private void Text(JsonText text, JsonFields part, Seal? seal)
    {
        if (part.Bool("thought") == true) _parts.Add(new ThinkingPart(text) { Path = part.Path, Seal = seal });
        else if (!text.IsEmpty || seal is not null) _parts.Add(new TextPart(text) { Path = part.Path, Seal = seal });
    }

    private void Call(JsonFields call, string path, Seal? seal)
    {
        string name = call.String("name") is { Length: > 0 } told ? told : throw call.Missing("name");
        byte[] arguments = call.Object("args") is { } args ? JsonFields.RawBytes(args.Raw) : "{}"u8.ToArray();
        _parts.Add(new ToolCallPart(call.String("id") is { Length: > 0 } id ? id : null, name, arguments) { Path = path, Seal = seal });
    }

    private ToolResultPart Response(JsonFields response, string path)
    {
        var content = new List<Part>();
        bool isError = false;
        if (response.Get("response") is { } value)
        {
            (JsonText text, isError) = Unwrap(value);
            content.Add(new TextPart(text) { Path = response.At("response") });
        }
        foreach ((JsonElement media, string at) in response.Items("parts", single: true))
        {
            var part = new JsonFields(media, at, proto: true);
            if (part.Object("inlineData") is { } inline) content.Add(Inline(inline, at));
            else if (part.Object("fileData") is { } file) content.Add(File(file, at));
            else if (part.Text("text") is { } text) content.Add(new TextPart(text) { Path = at });
        }
        return new ToolResultPart(response.String("id") is { Length: > 0 } id ? id : null, response.String("name") is { Length: > 0 } name ? name : null, content)
        {
            Path = path,
            IsError = isError,
        };
    }

    /// <summary>The text inside a response object of one string (libraries wrap a string result so, one of them beside its name); else the object's
    /// JSON.</summary>
    private static (JsonText Text, bool IsError) Unwrap(JsonElement response)
    {
        if (response.ValueKind == JsonValueKind.String) return (JsonText.From(response), false);
        if (response.ValueKind != JsonValueKind.Object) return (Raw(response), false);
        JsonElement? text = null;
        bool isError = false;
        int others = 0;
        foreach (JsonProperty member in response.EnumerateObject())
        {
            bool isResult = member.NameEquals("output") || member.NameEquals("result") || member.NameEquals("content"), isFailure = member.NameEquals("error");
            if (text is null && (isResult || isFailure) && member.Value.ValueKind == JsonValueKind.String) (text, isError) = (member.Value, isFailure);
            else if (!member.NameEquals("name")) others++;
        }
        bool namesToo = response.TryGetProperty("name", out _);
        bool isWrapped = others == 0 && (!namesToo || response.TryGetProperty("content", out _) || response.TryGetProperty("error", out _));
        return text is { } found && isWrapped ? (JsonText.From(found), isError) : (Raw(response), false);
    }

    private static JsonText Raw(JsonElement value) => new(global::System.Text.Encoding.UTF8.GetString(JsonFields.RawBytes(value)));

    private static MediaPart Inline(JsonFields inline, string path)
    {
        string type = inline.String("mimeType") is { Length: > 0 } told ? told : throw inline.Missing("mimeType");
        JsonText data = Base64Text.Normal(inline.Text("data") ?? throw inline.Missing("data"));
        return new MediaPart(KindOf(type), new Base64Source(type == "image/jpg" ? "image/jpeg" : type, data)) { Path = path };
    }

    private static MediaPart File(JsonFields file, string path)
    {
        JsonText uri = file.Text("fileUri") ?? throw file.Missing("fileUri");
        string? type = file.String("mimeType");
        string address = uri.ToString();
        // Uploads, buckets and films of the provider's own site mean nothing elsewhere.
        bool isPublic = Uri.TryCreate(address, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "https" or "http"
            && !parsed.Host.EndsWith("googleapis.com", StringComparison.OrdinalIgnoreCase)
            && !parsed.Host.EndsWith("youtube.com", StringComparison.OrdinalIgnoreCase) && !parsed.Host.EndsWith("youtu.be", StringComparison.OrdinalIgnoreCase);
        return new MediaPart(KindOf(type ?? ""), isPublic ? new UrlSource(uri, type) : new FileSource(GeminiNames.Protocol, file.Raw)) { Path = path };
    }

    private void Foreign(JsonFields part)
    {
        string type = "";
        foreach (JsonProperty member in part.Raw.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object && !member.NameEquals("videoMetadata") && !member.NameEquals("partMetadata")) type = member.Name;
        }
        if (type.Length == 0) return;
        if (role != TurnRole.Assistant) untranslatable.Add((part.Path, part.Raw));
        _parts.Add(new ForeignPart(GeminiNames.Protocol, type, part.Raw) { Path = part.Path });
    }

    private static MediaKind KindOf(string type) =>
        type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Image
        : type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Audio
        : type.StartsWith("video/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Video
        : MediaKind.Document;
}
