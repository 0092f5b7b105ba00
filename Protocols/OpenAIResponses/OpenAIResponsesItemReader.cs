using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Input items to system prompt and turns. One per request.</summary>
/// <remarks>Consecutive items of the model's (reasoning, messages, calls) are one assistant turn; consecutive outputs with the user messages after them are one
/// user turn.</remarks>
public sealed class OpenAIResponsesItemReader(List<(string, JsonElement)> untranslatable)
{
    private TurnRole? _role;
    private List<Part> _parts = [];
    private bool _hasResults;

    public List<TextPart> System { get; } = [];

    public List<Turn> Turns { get; } = [];

    /// <summary>What the input announces (<c>additional_tools</c>). Codex tells all its tools this way to models that it knows.</summary>
    public List<ToolDefinition> Tools { get; } = [];

    public void Read(JsonElement input)
    {
        if (input.ValueKind == JsonValueKind.String)
        {
            Turns.Add(new Turn(TurnRole.User, [new TextPart(JsonText.From(input)) { Path = "input" }]) { Path = "input" });
            return;
        }
        if (input.ValueKind != JsonValueKind.Array) throw Wrong("input", "expected a string or an array");
        int index = 0;
        foreach (JsonElement item in input.EnumerateArray())
        {
            string path = $"input[{index++}]";
            if (item.ValueKind == JsonValueKind.String) User(path, [new TextPart(JsonText.From(item)) { Path = path }]);
            else Item(RequireObject(item, path), path);
        }
    }

    private void Item(JsonElement item, string path)
    {
        string type = RequestFields.String(item, "type", path)
            ?? (TryGet(item, "role"u8, out _) ? "message" : TryGet(item, "id"u8, out _) ? "item_reference" : throw Wrong(path + ".type", "required"));
        switch (type)
        {
            case "message":
                Message(item, path);
                break;
            case "reasoning":
                Into(TurnRole.Assistant, path).Add(Reasoning(item, path));
                break;
            case "function_call":
                Into(TurnRole.Assistant, path).Add(new ToolCallPart(CallId(item, path), RequiredString(item, "name", path), Arguments(item, "arguments", path))
                {
                    Path = path,
                    Namespace = RequestFields.String(item, "namespace", path) is { Length: > 0 } space ? space : null,
                });
                break;
            case "custom_tool_call":
                if (JsonString(item, "input", path) is not { } text) throw Wrong(path + ".input", "required");
                Into(TurnRole.Assistant, path).Add(new ToolCallPart(CallId(item, path), RequiredString(item, "name", path), text.RawToken.ToArray())
                {
                    Path = path,
                    IsCustom = true,
                    Namespace = RequestFields.String(item, "namespace", path) is { Length: > 0 } space2 ? space2 : null,
                });
                break;
            case "function_call_output" or "custom_tool_call_output":
                Result(item, path, type == "custom_tool_call_output");
                break;
            case "additional_tools":
                if (RequestFields.Array(item, "tools", path) is { } tools) OpenAITools.Read(tools, path + ".tools", Tools);
                break;
            default:
                if (IsStored(item, type)) untranslatable.Add((path, item));
                // Outputs of hosted tools come from the client's side, everything else the model or its provider said.
                bool isOutput = type.EndsWith("_output", StringComparison.Ordinal)
                    || type is "mcp_approval_response" or "configuration_update";
                Into(isOutput ? TurnRole.User : TurnRole.Assistant, path).Add(new ForeignPart("responses", type, item) { Path = path });
                break;
        }
    }

    /// <summary>Only its provider knows what the item stands for: without it the answer would be to another conversation. Reasoning can be done without.</summary>
    private static bool IsStored(JsonElement item, string type) => type is "compaction" or "compaction_trigger"
        || (type == "item_reference" && RequestFields.String(item, "id", "")?.StartsWith("rs_", StringComparison.Ordinal) != true);

    private void Message(JsonElement item, string path)
    {
        string role = RequiredString(item, "role", path);
        List<Part> parts = TryGet(item, "content"u8, out JsonElement content) ? Content(content, path + ".content") : [];
        switch (role)
        {
            case "system" or "developer" when Turns.Count == 0:
                foreach (Part part in parts) System.Add(part as TextPart ?? throw Wrong(part.Path, "a system message holds text only"));
                break;
            case "system" or "developer":
                Turns.Add(new Turn(TurnRole.System, parts) { Path = path });
                _role = null;
                break;
            case "user":
                User(path, parts);
                break;
            case "assistant":
                List<Part> said = Into(TurnRole.Assistant, path);
                // Two messages that follow each other are no pieces of one text.
                if (said is [.., TextPart] && parts is [TextPart first, ..]) parts[0] = first with { IsApart = true };
                said.AddRange(parts);
                break;
            default:
                throw Wrong(path + ".role", "expected user, assistant, system or developer");
        }
    }

    private void User(string path, List<Part> parts)
    {
        if (_role == TurnRole.User && !_hasResults) _role = null;
        Into(TurnRole.User, path).AddRange(parts);
    }

    private void Result(JsonElement item, string path, bool isCustom)
    {
        if (_role == TurnRole.User && !_hasResults) _role = null;
        var content = new List<Part>();
        if (TryGet(item, "output"u8, out JsonElement output))
        {
            // An object is no legal output, but some clients send one: it reads best as its JSON text.
            if (output.ValueKind is JsonValueKind.String or JsonValueKind.Array) content = Content(output, path + ".output");
            else content.Add(new TextPart(new JsonText(output.GetRawText())) { Path = path + ".output" });
        }
        string? name = RequestFields.String(item, "name", path);
        Into(TurnRole.User, path).Add(new ToolResultPart(CallId(item, path), name, content) { Path = path, IsCustom = isCustom });
        _hasResults = true;
    }

    /// <summary>The parts of the turn that an item of the role belongs to.</summary>
    private List<Part> Into(TurnRole role, string path)
    {
        if (_role == role) return _parts;
        _role = role;
        _hasResults = false;
        _parts = [];
        Turns.Add(new Turn(role, _parts) { Path = path });
        return _parts;
    }

    private static string? CallId(JsonElement item, string path) => RequestFields.String(item, "call_id", path) is { Length: > 0 } id ? id : null;

    private static ThinkingPart Reasoning(JsonElement item, string path)
    {
        JsonText text = Texts(item, "summary", path);
        if (text.IsEmpty) text = Texts(item, "content", path);
        var part = new ThinkingPart(text) { Path = path };
        if (RequestFields.String(item, "encrypted_content", path) is not { Length: > 0 } proof) return part;
        if (!SealEnvelope.IsEnvelope(proof)) return part with { Seal = new Seal(SealKind.Encrypted, "", proof) };
        if (SealEnvelope.Unwrap(proof) is not var (seal, signed) || seal.Kind == SealKind.None) return part;
        return part with { Seal = seal, Text = signed is null ? text : new JsonText(signed), IsRedacted = seal.Kind == SealKind.Redacted };
    }

    private static JsonText Texts(JsonElement item, string name, string path)
    {
        if (RequestFields.Array(item, name, path) is not { } parts) return default;
        var texts = new List<JsonText>();
        foreach (JsonElement part in parts.EnumerateArray())
        {
            string partPath = $"{path}.{name}[{texts.Count}]";
            if (JsonString(RequireObject(part, partPath), "text", partPath) is { } text) texts.Add(text);
        }
        return texts.Count switch { 0 => default, 1 => texts[0], _ => new JsonText(string.Join("\n\n", texts.Select(static one => one.ToString()))) };
    }

    private List<Part> Content(JsonElement content, string path)
    {
        var parts = new List<Part>();
        if (content.ValueKind == JsonValueKind.String)
        {
            parts.Add(new TextPart(JsonText.From(content)) { Path = path });
            return parts;
        }
        if (content.ValueKind != JsonValueKind.Array) throw Wrong(path, "expected a string or an array");
        int index = 0;
        foreach (JsonElement part in content.EnumerateArray())
        {
            string partPath = $"{path}[{index++}]";
            Part read = part.ValueKind == JsonValueKind.String ? new TextPart(JsonText.From(part)) : ReadPart(RequireObject(part, partPath), partPath);
            bool isMarked = part.ValueKind == JsonValueKind.Object && TryGet(part, "prompt_cache_breakpoint"u8, out _);
            parts.Add(read with { Path = partPath, CacheHint = isMarked });
        }
        return parts;
    }

    private static List<Citation> Citations(JsonElement part, string path)
    {
        if (RequestFields.Array(part, "annotations", path) is not { } told) return [];
        return [.. told.EnumerateArray().Select(static one => OpenAIAnnotations.Read(JsonMarshal.GetRawUtf8Value(one), "responses")).OfType<Citation>()];
    }

    private Part ReadPart(JsonElement part, string path)
    {
        string type = RequiredString(part, "type", path);
        switch (type)
        {
            case "input_text" or "output_text" or "text" or "summary_text":
                return new TextPart(JsonString(part, "text", path) ?? throw Wrong(path + ".text", "required")) { Citations = Citations(part, path) };
            case "refusal":
                return new RefusalPart(JsonString(part, "refusal", path) ?? throw Wrong(path + ".refusal", "required"));
            case "input_image" or "image_url":
                if (TryGet(part, "image_url"u8, out JsonElement image))
                {
                    // A plain string here; Chat's object is a common mistake of clients.
                    if (image.ValueKind == JsonValueKind.Object && TryGet(image, "url"u8, out JsonElement url)) image = url;
                    return OpenAIMedia.Image(image, path + ".image_url");
                }
                return new MediaPart(MediaKind.Image, new FileSource("responses", part));
            case "input_file":
                JsonText? title = JsonString(part, "filename", path);
                if (JsonString(part, "file_data", path) is { } data) return OpenAIMedia.Document(data, title);
                if (JsonString(part, "file_url", path) is { } link) return new MediaPart(MediaKind.Document, new UrlSource(link)) { Title = title };
                return new MediaPart(MediaKind.Document, new FileSource("responses", part)) { Title = title };
            case "input_audio":
                return OpenAIMedia.Audio(part, path);
            default:
                // What a part of an unknown type says is part of the prompt: left out, the answer would be to another question.
                untranslatable.Add((path, part));
                return new ForeignPart("responses", type, part);
        }
    }
}
