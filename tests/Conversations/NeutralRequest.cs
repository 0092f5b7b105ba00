using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Conversations;

/// <summary>Reads the request of a case file. Members have the model's names in camel case; a part is an object with one member that says its kind.</summary>
public static class NeutralRequest
{
    public static ChatRequest Read(JsonElement json) => new()
    {
        Model = Text(json, "model") ?? "case-model",
        Protocol = Text(json, "protocol") ?? "",
        Stream = Flag(json, "stream") ?? false,
        System = [.. List(json, "system").Select((text, i) => new TextPart(JsonText.From(text)) { Path = $"system[{i}]" })],
        Turns = [.. List(json, "turns").Select(ReadTurn)],
        Tools = [.. List(json, "tools").Select(ReadTool)],
        ToolChoice = Get(json, "toolChoice") is { } choice
            ? new ToolChoice(Enum.Parse<ToolChoiceMode>(Text(choice, "mode")!), Strings(choice, "names")) { Path = "toolChoice" }
            : null,
        ParallelTools = Flag(json, "parallelTools"),
        MaxTokens = Long(json, "maxTokens"),
        Sampling = new Sampling { Temperature = Get(json, "temperature"), TopP = Get(json, "topP"), TopK = Get(json, "topK"), Seed = Get(json, "seed") },
        Stop = Strings(json, "stop"),
        Reasoning = Get(json, "reasoning") is { } reasoning ? ReadReasoning(reasoning) : null,
        Output = Get(json, "output") is { } output
            ? new OutputFormat(Get(output, "schema")) { Path = "output", Name = Text(output, "name"), Strict = Flag(output, "strict") }
            : null,
        EndUserId = Text(json, "endUserId"),
        CacheKey = Text(json, "cacheKey"),
        ServiceTier = Text(json, "serviceTier"),
    };

    private static Turn ReadTurn(JsonElement turn, int index)
    {
        string path = $"turns[{index}]";
        Part[] parts = [.. List(turn, "parts").Select((part, i) => ReadPart(part) with { Path = $"{path}.parts[{i}]" })];
        return new Turn(Enum.Parse<TurnRole>(Text(turn, "role")!), parts) { Path = path };
    }

    private static Part ReadPart(JsonElement part)
    {
        JsonProperty kind = part.EnumerateObject().First();
        JsonElement value = kind.Value;
        return kind.Name switch
        {
            "text" => new TextPart(JsonText.From(value)) { CacheHint = Flag(part, "cacheHint") ?? false, Citations = [.. List(part, "citations").Select(ReadCitation)] },
            "foreign" => new ForeignPart(Text(part, "protocol")!, Text(value, "type") ?? value.EnumerateObject().First().Name, value),
            "thinking" => new ThinkingPart(JsonText.From(value)) { Seal = ReadSeal(part), IsRedacted = Flag(part, "redacted") ?? false },
            "refusal" => new RefusalPart(JsonText.From(value)),
            "image" => Media(MediaKind.Image, value),
            "document" => Media(MediaKind.Document, value),
            "audio" => Media(MediaKind.Audio, value),
            "call" => new ToolCallPart(Text(value, "id"), Text(value, "name")!, JsonMarshal.GetRawUtf8Value(value.GetProperty("arguments")).ToArray())
            {
                IsCustom = Flag(value, "custom") ?? false,
                Namespace = Text(value, "namespace"),
                Seal = ReadSeal(value),
            },
            "result" => new ToolResultPart(Text(value, "callId"), Text(value, "name"), [.. List(value, "content").Select(ReadPart)])
            {
                IsError = Flag(value, "error") ?? false,
                IsCustom = Flag(value, "custom") ?? false,
            },
            _ => throw new InvalidDataException($"no part: {kind.Name}"),
        };
    }

    /// <summary>A source with its members in camel case; <c>raw</c> where a protocol's own words matter.</summary>
    public static Citation ReadCitation(JsonElement json) => new(Text(json, "protocol") ?? "", Get(json, "raw") is { } raw ? JsonMarshal.GetRawUtf8Value(raw).ToArray() : "{}"u8.ToArray())
    {
        Url = Text(json, "url"),
        Title = Text(json, "title"),
        Start = Long(json, "start"),
        End = Long(json, "end"),
    };

    private static MediaPart Media(MediaKind kind, JsonElement media)
    {
        MediaSource source = Get(media, "url") is { } url ? new UrlSource(JsonText.From(url), Text(media, "mediaType"))
            : Get(media, "text") is { } text ? new TextSource(JsonText.From(text))
            : new Base64Source(Text(media, "mediaType")!, JsonText.From(media.GetProperty("data")));
        return new MediaPart(kind, source) { Title = Get(media, "title") is { } title ? JsonText.From(title) : default(JsonText?) };
    }

    private static Seal? ReadSeal(JsonElement owner) =>
        Get(owner, "seal") is { } seal ? new Seal(Enum.Parse<SealKind>(Text(seal, "kind")!), Text(seal, "issuer") ?? "", Text(seal, "value")!) : null;

    private static ToolDefinition ReadTool(JsonElement tool, int index) => Get(tool, "foreign") is { } foreign
        ? new ToolDefinition(ToolKind.Foreign, Text(foreign, "name") ?? Text(foreign, "type") ?? foreign.EnumerateObject().First().Name) { Path = $"tools[{index}]", Raw = foreign }
        : ReadFunction(tool, index);

    private static ToolDefinition ReadFunction(JsonElement tool, int index) => new(KindOf(tool), Text(tool, "name")!)
    {
        Path = $"tools[{index}]",
        Namespace = Text(tool, "namespace"),
        Description = Get(tool, "description") is { } description ? JsonText.From(description) : default(JsonText?),
        Schema = Get(tool, "schema"),
        Strict = Flag(tool, "strict"),
        Raw = Get(tool, "format"),
    };

    private static ToolKind KindOf(JsonElement tool) => Flag(tool, "custom") == true ? ToolKind.Custom : ToolKind.Function;

    private static ReasoningRequest ReadReasoning(JsonElement reasoning) => new()
    {
        Effort = Text(reasoning, "effort") is { } effort ? Enum.Parse<ReasoningEffort>(effort) : null,
        Budget = Long(reasoning, "budget"),
        Adaptive = Flag(reasoning, "adaptive") ?? false,
        Visible = Flag(reasoning, "visible"),
    };

    private static JsonElement? Get(JsonElement owner, string name) => owner.TryGetProperty(name, out JsonElement value) ? value : null;

    private static string? Text(JsonElement owner, string name) => Get(owner, name)?.GetString();

    private static bool? Flag(JsonElement owner, string name) => Get(owner, name)?.GetBoolean();

    private static long? Long(JsonElement owner, string name) => Get(owner, name)?.GetInt64();

    private static IReadOnlyList<string> Strings(JsonElement owner, string name) => [.. List(owner, name).Select(value => value.GetString()!)];

    private static IEnumerable<JsonElement> List(JsonElement owner, string name) => Get(owner, name) is { } list ? list.EnumerateArray() : [];
}
