using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Reads a generateContent request, or a countTokens one in both its forms, into neutral words. Hints without such words are left out.</summary>
public sealed class GeminiRequestReader
{
    private readonly List<(string Path, JsonElement Value)> _untranslatable = [];

    public ChatRequest Read(JsonElement body, RequestHead head)
    {
        var fields = new JsonFields(body, "", proto: true);
        if (fields.Object("generateContentRequest") is { } wrapped) fields = wrapped;
        JsonFields? config = fields.Object("generationConfig");
        IReadOnlyList<ToolDefinition> tools = new GeminiToolReader(_untranslatable).Tools(fields);
        var request = new ChatRequest
        {
            Model = head.Model,
            Protocol = GeminiNames.Protocol,
            Stream = head.Stream,
            System = System(fields),
            Turns = Turns(fields),
            Tools = tools,
            ToolChoice = Choice(fields),
            ServiceTier = fields.String("serviceTier")?.ToLowerInvariant() is { } tier && tier != "unspecified" ? tier : null,
            Untranslatable = _untranslatable,
        };
        Refuse(fields, "cachedContent", value => value.ValueKind != JsonValueKind.String || JsonFields.Decode(value).Length > 0);
        Refuse(fields, "continuationToken", _ => true);
        return config is { } found ? Configured(request, found) : request;
    }

    private ChatRequest Configured(ChatRequest request, JsonFields config)
    {
        Refuse(config, "candidateCount", _ => config.Long("candidateCount") > 1);
        Refuse(config, "responseLogprobs", _ => config.Bool("responseLogprobs") == true);
        Refuse(config, "responseModalities", _ => config.Items("responseModalities").Any(static modality => GeminiNames.Word(modality.Value, GeminiNames.Modalities) is not ("" or "TEXT")));
        return request with
        {
            MaxTokens = config.Limit("maxOutputTokens", 1),
            Sampling = new Sampling
            {
                Temperature = config.Number("temperature"),
                TopP = config.Number("topP"),
                TopK = config.Number("topK"),
                FrequencyPenalty = config.Number("frequencyPenalty"),
                PresencePenalty = config.Number("presencePenalty"),
                Seed = config.Number("seed"),
            },
            Stop = config.Strings("stopSequences"),
            Reasoning = Reasoning(config),
            Output = Output(config),
        };
    }

    private void Refuse(JsonFields fields, string name, Func<JsonElement, bool> refused)
    {
        if (fields.Get(name) is { } value && refused(value)) _untranslatable.Add((fields.At(name), value));
    }

    private List<TextPart> System(JsonFields fields)
    {
        if (fields.Get("systemInstruction") is not { } system) return [];
        string at = fields.At("systemInstruction");
        if (system.ValueKind == JsonValueKind.String) return [new TextPart(JsonText.From(system)) { Path = at }];
        var texts = new List<TextPart>();
        foreach ((JsonElement value, string path) in new JsonFields(system, at, proto: true).Items("parts", single: true))
        {
            var part = new JsonFields(value, path, proto: true);
            if (part.Text("text") is { } text) texts.Add(new TextPart(text) { Path = path });
            else if (value.EnumerateObject().Any()) _untranslatable.Add((path, value));
        }
        return texts;
    }

    private List<Turn> Turns(JsonFields fields)
    {
        if (fields.Get("contents") is null) throw fields.Missing("contents");
        var turns = new List<Turn>();
        // Neighbouring contents of the model are one turn: a library keeps each piece of a stream as a content.
        GeminiPartReader? model = null;
        foreach ((JsonElement value, string path) in fields.Items("contents", single: true))
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                model = null;
                turns.Add(new Turn(TurnRole.User, [new TextPart(JsonText.From(value)) { Path = path }]) { Path = path });
                continue;
            }
            var content = new JsonFields(value, path, proto: true);
            TurnRole role = content.String("role") switch
            {
                "model" or "MODEL" or "assistant" => TurnRole.Assistant,
                // Missing and the older "function" and "tool" stand for the user's side.
                null or "" or "user" or "USER" or "function" or "tool" => TurnRole.User,
                "system" => TurnRole.System,
                _ => throw new ProtocolException(ErrorKind.InvalidRequest, $"{path}.role: expected user or model", $"{path}.role"),
            };
            GeminiPartReader reader = role == TurnRole.Assistant && model is not null ? model : new GeminiPartReader(role, _untranslatable);
            model = role == TurnRole.Assistant ? reader : null;
            bool isNew = reader.Parts.Count == 0;
            foreach ((JsonElement part, string at) in content.Items("parts", single: true)) reader.Add(new JsonFields(part, at, proto: true));
            if (isNew && reader.Parts.Count > 0) turns.Add(new Turn(role, reader.Parts) { Path = path });
        }
        if (turns.Count == 0) throw new ProtocolException(ErrorKind.InvalidRequest, $"{fields.At("contents")}: contents is not specified", fields.At("contents"));
        return [.. turns.Select(static turn => turn.Role == TurnRole.Assistant ? turn with { Parts = GeminiPieces.Joined(turn.Parts) } : turn)];
    }

    private static ToolChoice? Choice(JsonFields fields)
    {
        if (fields.Object("toolConfig")?.Object("functionCallingConfig") is not { } calling) return null;
        IReadOnlyList<string> names = calling.Strings("allowedFunctionNames");
        ToolChoiceMode? mode = (calling.Get("mode") is { } told ? GeminiNames.Word(told, GeminiNames.CallingModes) : "") switch
        {
            "AUTO" => ToolChoiceMode.Auto,
            "ANY" => ToolChoiceMode.Any,
            "NONE" => ToolChoiceMode.None,
            "VALIDATED" => ToolChoiceMode.Validated,
            "" => null,
            _ => throw new ProtocolException(ErrorKind.InvalidRequest, $"{calling.At("mode")}: expected AUTO, ANY, NONE or VALIDATED", calling.At("mode")),
        };
        return mode is { } known ? new ToolChoice(known, names) { Path = calling.Path } : null;
    }

    private static ReasoningRequest? Reasoning(JsonFields config)
    {
        if (config.Object("thinkingConfig") is not { } thinking) return null;
        long? budget = thinking.Long("thinkingBudget");
        // Of numbers nobody knows which level they are; the model decides then.
        ReasoningEffort? effort = (thinking.Get("thinkingLevel") is { } level ? GeminiNames.Word(level, []) : null) switch
        {
            "MINIMAL" => ReasoningEffort.Minimal,
            "LOW" => ReasoningEffort.Low,
            "MEDIUM" => ReasoningEffort.Medium,
            "HIGH" => ReasoningEffort.High,
            _ => budget == 0 ? ReasoningEffort.None : null,
        };
        return new ReasoningRequest { Budget = budget, Adaptive = budget == -1, Effort = effort, Visible = thinking.Bool("includeThoughts") };
    }

    private OutputFormat? Output(JsonFields config)
    {
        string mime = config.String("responseMimeType") ?? "";
        if (mime.Equals("text/x.enum", StringComparison.OrdinalIgnoreCase))
            _untranslatable.Add((config.At("responseMimeType"), config.Get("responseMimeType")!.Value));
        if ((config.Object("responseJsonSchema") ?? config.Object("responseSchema")) is { } schema)
        {
            return new OutputFormat(GeminiSchemaReader.ToJsonSchema(schema.Raw)) { Path = schema.Path, Strict = true };
        }
        return mime.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? new OutputFormat(null) { Path = config.At("responseMimeType") } : null;
    }
}
