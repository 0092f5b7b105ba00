using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Reads content blocks of a request.</summary>
/// <param name="untranslatable">Takes user content that no other protocol can express.</param>
public sealed class AnthropicPartReader(List<(string Path, JsonElement Value)> untranslatable)
{
    /// <summary>A member that is a string or an array of blocks; missing: nothing.</summary>
    public IReadOnlyList<Part> Content(JsonFields owner, string name, TurnRole role)
    {
        if (owner.Get(name) is not { } content) return [];
        string path = owner.At(name);
        if (content.ValueKind == JsonValueKind.String) return [new TextPart(JsonText.From(content)) { Path = path }];
        if (content.ValueKind != JsonValueKind.Array) throw JsonFields.Wrong(path, "a string or an array", content);
        var parts = new List<Part>();
        foreach ((JsonElement value, string at) in owner.Items(name))
        {
            if (Block(new JsonFields(value, at), role) is { } part) parts.Add(part);
        }
        return parts;
    }

    /// <summary>One block, for protocols whose clients mix some in.</summary>
    public Part Single(JsonElement block, string path) => Block(new JsonFields(block, path), TurnRole.User)!;

    public static TextPart Text(JsonFields block) =>
        new(block.Text("text") ?? throw block.Missing("text")) { Path = block.Path, CacheHint = HasCacheMark(block) };

    private Part? Block(JsonFields block, TurnRole role)
    {
        string type = block.String("type") ?? throw block.Missing("type");
        switch (type)
        {
            case "text": return role == TurnRole.Assistant ? Text(block) with { Citations = Citations(block) } : Text(block);
            case "image": return Media(block, MediaKind.Image);
            case "document": return Media(block, MediaKind.Document);
            case "search_result": return SearchResult(block);
            case "thinking": return Thinking(block);
            case "redacted_thinking": return Redacted(block);
            case "tool_use": return Call(block);
            case "tool_result": return Result(block);
            case "tool_reference":
                return new TextPart($"Tool {block.String("tool_name") ?? throw block.Missing("tool_name")} is now available.") { Path = block.Path };
            // The tools of the request say the same already.
            case "tool_addition" or "tool_removal" when role == TurnRole.System: return null;
        }
        // A search that was told here: the answer's text is what the model said.
        if ((block.String("id") ?? block.String("tool_use_id")) is { } id && AnthropicSources.IsMade(Encoding.UTF8.GetBytes(id))) return null;
        // What the model was shown by the user must not get lost in silence; what it did itself on the provider's servers may be left to the writer.
        // A compaction block stands for all turns before it.
        if (role != TurnRole.Assistant || type == "compaction") untranslatable.Add((block.Path, block.Raw));
        return new ForeignPart(AnthropicNames.Protocol, type, block.Raw) { Path = block.Path, CacheHint = HasCacheMark(block) };
    }

    private static List<Citation> Citations(JsonFields block) =>
        block.Get("citations") is { ValueKind: JsonValueKind.Array } told ? AnthropicCitations.ReadAll(JsonMarshal.GetRawUtf8Value(told)) : [];

    private Part Media(JsonFields block, MediaKind kind)
    {
        JsonFields source = block.Object("source") ?? throw block.Missing("source");
        string type = source.String("type") ?? throw source.Missing("type");
        MediaSource read = type switch
        {
            "base64" => new Base64Source(
                MediaType(source.String("media_type") ?? (kind == MediaKind.Document ? "application/pdf" : throw source.Missing("media_type"))),
                source.Text("data") ?? throw source.Missing("data")),
            "url" => Url(source.Text("url") ?? throw source.Missing("url")),
            "text" => new TextSource(source.Text("data") ?? throw source.Missing("data")),
            "content" => new PartsSource(Content(source, "content", TurnRole.User)),
            _ => new FileSource(AnthropicNames.Protocol, source.Raw),
        };
        return new MediaPart(kind, read) { Path = block.Path, CacheHint = HasCacheMark(block), Title = block.Text("title") };
    }

    private MediaPart SearchResult(JsonFields block)
    {
        IReadOnlyList<Part> content = Content(block, "content", TurnRole.User);
        // What the model is to name when it rests on the result.
        if (block.Text("source") is { IsBlank: false } source) content = [new TextPart(source) { Path = block.At("source") }, .. content];
        return new MediaPart(MediaKind.Document, new PartsSource(content)) { Path = block.Path, CacheHint = HasCacheMark(block), Title = block.Text("title") };
    }

    /// <summary>A data URL is base64 in other clothes.</summary>
    private static MediaSource Url(JsonText url)
    {
        if (DataUrl.Split(url) is not var (head, data)) return new UrlSource(url);
        string[] words = head.Split(';');
        return words.Contains("base64", StringComparer.OrdinalIgnoreCase) ? new Base64Source(MediaType(words[0]), data) : new TextSource(Uri.UnescapeDataString(data.ToString()));
    }

    private static string MediaType(string type) => type == "image/jpg" ? "image/jpeg" : type;

    private static ThinkingPart Thinking(JsonFields block)
    {
        JsonText text = block.Text("thinking") ?? throw block.Missing("thinking");
        string signature = block.String("signature") ?? "";
        var part = new ThinkingPart(text) { Path = block.Path };
        if (signature.Length == 0) return part;
        if (!SealEnvelope.IsEnvelope(signature)) return part with { Seal = new Seal(SealKind.Thinking, "", signature) };
        if (SealEnvelope.Unwrap(signature) is not var (seal, signed) || seal.Kind == SealKind.None) return part;
        return part with { Seal = seal, Text = signed is null ? text : signed, IsRedacted = seal.Kind == SealKind.Redacted };
    }

    private static ThinkingPart Redacted(JsonFields block)
    {
        string data = block.String("data") ?? throw block.Missing("data");
        Seal? seal = SealEnvelope.IsEnvelope(data) ? SealEnvelope.Unwrap(data)?.Seal : new Seal(SealKind.Redacted, "", data);
        return new ThinkingPart("") { Path = block.Path, IsRedacted = true, Seal = seal };
    }

    private static ToolCallPart Call(JsonFields block) =>
        new(block.String("id"), block.String("name") ?? throw block.Missing("name"),
            block.Object("input") is { } input ? JsonFields.RawBytes(input.Raw) : "{}"u8.ToArray())
        {
            Path = block.Path,
            CacheHint = HasCacheMark(block),
        };

    private ToolResultPart Result(JsonFields block) =>
        new(block.String("tool_use_id") ?? throw block.Missing("tool_use_id"), null, Content(block, "content", TurnRole.User))
        {
            Path = block.Path,
            CacheHint = HasCacheMark(block),
            IsError = block.Bool("is_error") == true,
        };

    private static bool HasCacheMark(JsonFields block) => block.Get("cache_control") is not null;
}
