using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Chat messages to system prompt and turns. Tool messages that follow each other become one turn; nothing else is merged here.</summary>
/// <remarks>Cursor sends the parts of Messages to this protocol's path where a model's name is Claude's: they are read too.</remarks>
public sealed class OpenAIChatMessageReader(List<TextPart> system, List<Turn> turns, List<(string, JsonElement)> untranslatable)
{
    private List<Part>? _results;

    public void Read(JsonElement messages)
    {
        int index = 0;
        foreach (JsonElement message in messages.EnumerateArray())
        {
            string path = $"messages[{index++}]";
            string role = RequiredString(RequireObject(message, path), "role", path);
            if (role is not ("tool" or "function")) _results = null;
            switch (role)
            {
                case "system" or "developer":
                    System(message, path);
                    break;
                case "user":
                    turns.Add(new Turn(TurnRole.User, Marked(Content(message, path), message)) { Path = path });
                    break;
                case "assistant":
                    turns.Add(new Turn(TurnRole.Assistant, Marked(Assistant(message, path), message)) { Path = path });
                    break;
                case "tool" or "function":
                    Result(message, path, role);
                    break;
                default:
                    throw Wrong(path + ".role", "expected developer, system, user, assistant or tool");
            }
        }
    }

    private void System(JsonElement message, string path)
    {
        List<Part> parts = Marked(Content(message, path), message);
        if (turns.Count > 0)
        {
            turns.Add(new Turn(TurnRole.System, parts) { Path = path });
            return;
        }
        foreach (Part part in parts) system.Add(part as TextPart ?? throw Wrong(part.Path, "a system message holds text only"));
    }

    private List<Part> Assistant(JsonElement message, string path)
    {
        var parts = new List<Part>();
        JsonText? thinking = JsonString(message, "reasoning_content", path);
        if (thinking is not { IsEmpty: false } && TryGet(message, "reasoning"u8, out JsonElement reasoning) && reasoning.ValueKind == JsonValueKind.String)
            thinking = JsonText.From(reasoning);
        if (thinking is { IsEmpty: false } text) parts.Add(new ThinkingPart(text) { Path = path + ".reasoning_content" });

        parts.AddRange(Cited(Content(message, path), message, path));
        if (JsonString(message, "refusal", path) is { IsEmpty: false } refusal) parts.Add(new RefusalPart(refusal) { Path = path + ".refusal" });
        if (RequestFields.Object(message, "audio", path) is { } audio) untranslatable.Add((path + ".audio", audio));
        if (RequestFields.Array(message, "tool_calls", path) is { } calls)
        {
            int index = 0;
            foreach (JsonElement call in calls.EnumerateArray())
            {
                string callPath = $"{path}.tool_calls[{index++}]";
                parts.Add(Call(RequireObject(call, callPath), callPath));
            }
        }
        if (RequestFields.Object(message, "function_call", path) is { } legacy) parts.Add(Function(legacy, null, path + ".function_call"));
        return parts;
    }

    /// <summary>The sources of an earlier answer: their places count in its whole content, which replayed as a string is one part.</summary>
    private static List<Part> Cited(List<Part> content, JsonElement message, string path)
    {
        if (content is not [TextPart only] || RequestFields.Array(message, "annotations", path) is not { } told) return content;
        Citation?[] citations = [.. told.EnumerateArray().Select(static one => OpenAIAnnotations.Read(JsonMarshal.GetRawUtf8Value(one), "openai"))];
        return [only with { Citations = [.. citations.OfType<Citation>()] }];
    }

    private static ToolCallPart Call(JsonElement call, string path)
    {
        string? id = RequestFields.String(call, "id", path);
        if (RequestFields.Object(call, "custom", path) is { } custom)
        {
            string customPath = path + ".custom";
            if (JsonString(custom, "input", customPath) is not { } input) throw Wrong(customPath + ".input", "required");
            return new ToolCallPart(id, RequiredString(custom, "name", customPath), input.RawToken.ToArray()) { Path = path, IsCustom = true };
        }
        JsonElement function = RequestFields.Object(call, "function", path) ?? throw Wrong(path + ".function", "required");
        return Function(function, id, path + ".function") with { Path = path, Seal = Signature(call) };
    }

    private static ToolCallPart Function(JsonElement function, string? id, string path) =>
        new(string.IsNullOrEmpty(id) ? null : id, RequiredString(function, "name", path), Arguments(function, "arguments", path)) { Path = path };

    /// <summary><c>extra_content.google.thought_signature</c>: where Gemini's own Chat endpoint and the libraries that know it keep the signature.</summary>
    private static Seal? Signature(JsonElement call) =>
        TryGet(call, "extra_content"u8, out JsonElement extra) && extra.ValueKind == JsonValueKind.Object
        && TryGet(extra, "google"u8, out JsonElement google) && google.ValueKind == JsonValueKind.Object
        && TryGet(google, "thought_signature"u8, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? SignatureIn(Text(value, "")) : null;

    private static Seal? SignatureIn(string value) =>
        !SealEnvelope.IsEnvelope(value) ? new Seal(SealKind.Thought, "", value)
        : SealEnvelope.Unwrap(value)?.Seal is { Kind: SealKind.Thought } seal ? seal : null;

    private void Result(JsonElement message, string path, string role)
    {
        List<Part> content = Content(message, path);
        var result = role == "function"
            ? new ToolResultPart(null, RequiredString(message, "name", path), content) { Path = path }
            : new ToolResultPart(RequestFields.String(message, "tool_call_id", path), RequestFields.String(message, "name", path), content) { Path = path };
        if (_results is null)
        {
            _results = [];
            turns.Add(new Turn(TurnRole.User, _results) { Path = path });
        }
        _results.Add(result with { CacheHint = HasCacheHint(message) });
    }

    private List<Part> Content(JsonElement message, string path)
    {
        var parts = new List<Part>();
        if (!TryGet(message, "content"u8, out JsonElement content)) return parts;
        path += ".content";
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
            if (part.ValueKind == JsonValueKind.String)
            {
                parts.Add(new TextPart(JsonText.From(part)) { Path = partPath });
                continue;
            }
            parts.Add(ReadPart(RequireObject(part, partPath), partPath) with { Path = partPath, CacheHint = HasCacheHint(part) });
        }
        return parts;
    }

    private Part ReadPart(JsonElement part, string path)
    {
        string type = RequiredString(part, "type", path);
        switch (type)
        {
            case "text" or "input_text" or "output_text":
                return new TextPart(JsonString(part, "text", path) ?? throw Wrong(path + ".text", "required"));
            case "refusal":
                return new RefusalPart(JsonString(part, "refusal", path) ?? throw Wrong(path + ".refusal", "required"));
            case "image_url" or "input_image":
                if (!TryGet(part, "image_url"u8, out JsonElement image)) throw Wrong(path + ".image_url", "required");
                if (image.ValueKind == JsonValueKind.String) return OpenAIMedia.Image(image, path + ".image_url");
                if (!TryGet(RequireObject(image, path + ".image_url"), "url"u8, out JsonElement url)) throw Wrong(path + ".image_url.url", "required");
                return OpenAIMedia.Image(url, path + ".image_url.url");
            case "input_audio":
                return OpenAIMedia.Audio(part, path);
            case "file":
                JsonElement file = RequestFields.Object(part, "file", path) ?? throw Wrong(path + ".file", "required");
                JsonText? title = JsonString(file, "filename", path + ".file");
                if (JsonString(file, "file_data", path + ".file") is { } data) return OpenAIMedia.Document(data, title);
                return new MediaPart(MediaKind.Document, new FileSource("openai", part)) { Title = title };
            // Cursor tells calls and results in the words of Messages where the model bears a Claude's name.
            case "tool_use" or "tool_result" or "image" or "document" or "redacted_thinking":
            case "thinking" when TryGet(part, "thinking"u8, out JsonElement thought) && thought.ValueKind == JsonValueKind.String:
                return new AnthropicPartReader(untranslatable).Single(part, path);
            default:
                // What a part of an unknown type says is part of the prompt: left out, the answer would be to another question.
                untranslatable.Add((path, part));
                return new ForeignPart("openai", type, part);
        }
    }

    /// <summary>A mark on the whole message is one behind its last part.</summary>
    private static List<Part> Marked(List<Part> parts, JsonElement message)
    {
        if (parts.Count > 0 && HasCacheHint(message)) parts[^1] = parts[^1] with { CacheHint = true };
        return parts;
    }

    /// <summary>OpenAI's own mark, or Anthropic's, which some clients put into Chat bodies.</summary>
    private static bool HasCacheHint(JsonElement owner) => TryGet(owner, "prompt_cache_breakpoint"u8, out _) || TryGet(owner, "cache_control"u8, out _);
}
