using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>A neutral request as a Chat Completions body.</summary>
public static class OpenAIChatRequestWriter
{
    /// <summary>The protocol's name in refusals.</summary>
    public const string Target = "OpenAI Chat Completions";

    /// <summary>What the protocol takes; further ones are enforced on the answer's text.</summary>
    private const int MaxStops = 4;

    /// <exception cref="ProtocolException">Something cannot be said.</exception>
    public static void Write(IBufferWriter<byte> output, ChatRequest client, OpenAIChatTraits traits)
    {
        OpenAIRequestWords.Refuse(client, Target);
        ModelFacts facts = traits.Models.Find(client.Model);
        ChatRequest request = HistoryRepair.Apply(facts.HasSystem ? client : SystemAsText(client), new HistoryRules
        {
            AfterTrailingAssistant = OpenAIRequestWords.AfterTrailingAssistant(client, traits.RefusesPrefill, Target),
            KnowsCustomTools = traits.IsOfficial,
            KnowsMidSystem = TakesMidSystem(client.Model, traits, facts),
            MergesRoles = traits.StrictAlternation,
            StartsWithUser = traits.StrictAlternation,
        });
        using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
        json.WriteStartObject();
        json.WriteString("model"u8, request.Model);
        json.WriteStartArray("messages"u8);
        new OpenAIChatMessageWriter(json, output, traits, client.Model.Contains("gemini", StringComparison.OrdinalIgnoreCase)).Write(request);
        json.WriteEndArray();
        Tools(json, request, traits);
        Parameters(json, request, traits, facts);
        json.WriteEndObject();
    }

    /// <summary>OpenAI takes instructions anywhere. The templates of many open models refuse any but the first, so that elsewhere the model must be known to take them.</summary>
    private static bool TakesMidSystem(string model, OpenAIChatTraits traits, ModelFacts facts) =>
        traits.MidSystem ?? (traits.IsOfficial || OpenAIModelNames.IsOpenAI(model) || facts.HasMidSystem);

    private static void Parameters(Utf8JsonWriter json, ChatRequest request, OpenAIChatTraits traits, ModelFacts facts)
    {
        if (OpenAIRequestWords.Limit(request, facts) is { } limit)
        {
            if (OpenAIModelNames.IsOpenAI(request.Model)) json.WriteNumber("max_completion_tokens"u8, limit);
            else json.WriteNumber("max_tokens"u8, limit);
        }
        if (OpenAIRequestWords.Samples(request, facts))
        {
            Number(json, "temperature"u8, request.Sampling.Temperature);
            Number(json, "top_p"u8, request.Sampling.TopP);
            Number(json, "frequency_penalty"u8, request.Sampling.FrequencyPenalty);
            Number(json, "presence_penalty"u8, request.Sampling.PresencePenalty);
        }
        if (request.Stop.Count > 0 && !OpenAIModelNames.IsOpenAIReasoning(request.Model))
        {
            json.WriteStartArray("stop"u8);
            foreach (string stop in request.Stop.Take(MaxStops)) json.WriteStringValue(stop);
            json.WriteEndArray();
        }
        Number(json, traits.IsStrict ? "random_seed"u8 : "seed"u8, request.Sampling.Seed);
        if (!traits.IsStrict && OpenAIRequestWords.Effort(request, facts) is { } effort) json.WriteString("reasoning_effort"u8, OpenAIEffort.Word(effort));
        // Of other protocols' models only the client's own upstream is known to take it.
        if (OpenAIRequestWords.Verbosity(request) is { } verbosity && (traits.IsOfficial || OpenAIModelNames.IsOpenAI(request.Model))) json.WriteString("verbosity"u8, verbosity);
        if (request.Output is { } format) Format(json, format, OpenAIRequestWords.Strict(request, format));
        if (!traits.IsStrict && OpenAIRequestWords.EndUser(request.EndUserId) is { } user) json.WriteString(traits.IsOfficial ? "safety_identifier"u8 : "user"u8, user);

        // Groq, Cerebras and others refuse the member: elsewhere the key goes out to OpenAI's models alone, and only the client's own.
        bool knowsKey = traits.IsOfficial || (request.CacheKey is not null && OpenAIModelNames.IsOpenAI(request.Model));
        if (knowsKey && OpenAIRequestWords.CacheKey(request) is { } cacheKey) json.WriteString("prompt_cache_key"u8, cacheKey);
        if (!traits.IsStrict && OpenAIRequestWords.Tier(request.ServiceTier) is { } tier) json.WriteString("service_tier"u8, tier);
        if (!request.Stream) return;
        json.WriteBoolean("stream"u8, true);
        if (traits.IsStrict) return;
        json.WriteStartObject("stream_options"u8);
        json.WriteBoolean("include_usage"u8, true);
        json.WriteEndObject();
    }

    /// <summary>Models without a system role read the prompt at the head of the first user turn.</summary>
    private static ChatRequest SystemAsText(ChatRequest request)
    {
        if (request.System.Count == 0) return request;
        bool isFirst = request.Turns is [{ Role: TurnRole.User }, ..];
        var head = new Turn(TurnRole.User, [.. request.System, .. isFirst ? request.Turns[0].Parts : []]);
        return request with { System = [], Turns = [head, .. request.Turns.Skip(isFirst ? 1 : 0)] };
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonElement? value)
    {
        if (value is not { } told) return;
        json.WritePropertyName(name);
        told.WriteTo(json);
    }

    private static void Format(Utf8JsonWriter json, OutputFormat format, bool? strict)
    {
        json.WriteStartObject("response_format"u8);
        if (format.Schema is not { } schema)
        {
            json.WriteString("type"u8, "json_object"u8);
        }
        else
        {
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteStartObject("json_schema"u8);
            json.WriteString("name"u8, OpenAIRequestWords.SchemaName(format.Name));
            if (format.Description is { } description)
            {
                json.WritePropertyName("description"u8);
                description.WriteTo(json);
            }
            json.WritePropertyName("schema"u8);
            new OpenAISchema(json).WriteRoot(schema);
            if (strict is { } told) json.WriteBoolean("strict"u8, told);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void Tools(Utf8JsonWriter json, ChatRequest request, OpenAIChatTraits traits)
    {
        List<ToolDefinition> tools = OpenAIRequestWords.Tools(request, Target, tool => traits.WebSearch && ServerTools.IsWebSearch(tool));
        if (tools.Find(static tool => tool.Kind == ToolKind.Foreign) is { } search)
        {
            json.WritePropertyName("web_search_options"u8);
            WebSearchTool.Read(search).WriteChat(json);
        }
        tools.RemoveAll(static tool => tool.Kind == ToolKind.Foreign);
        // A search that is demanded is what the options themselves say.
        ToolChoice? choice = request.ToolChoice is { Foreign: not null } ? null : request.ToolChoice;
        bool isSubset = choice is { Names.Count: > 0 } && (choice.Mode != ToolChoiceMode.Any || choice.Names.Count > 1);
        if (isSubset && !traits.IsOfficial) tools = Subset(request, tools, ref choice);
        if (tools.Count == 0) return;
        json.WriteStartArray("tools"u8);
        foreach (ToolDefinition tool in tools) Tool(json, tool);
        json.WriteEndArray();
        if (choice is not null) Choice(json, choice, tools);
        if (request.ParallelTools == false) json.WriteBoolean("parallel_tool_calls"u8, false);
    }

    /// <summary>Servers without <c>allowed_tools</c>: only the allowed tools are declared, unless the history uses others.</summary>
    private static List<ToolDefinition> Subset(ChatRequest request, List<ToolDefinition> tools, ref ToolChoice? choice)
    {
        ToolChoice asked = choice!;
        choice = asked with { Names = [] };
        bool isUsed = asked.Mode != ToolChoiceMode.Any
            && request.Turns.Any(turn => turn.Parts.Any(part => part is ToolCallPart call && !asked.Names.Contains(call.Name)));
        return isUsed ? tools : [.. tools.Where(tool => asked.Names.Contains(tool.Name))];
    }

    private static void Tool(Utf8JsonWriter json, ToolDefinition tool)
    {
        json.WriteStartObject();
        bool isCustom = tool.Kind == ToolKind.Custom;
        json.WriteString("type"u8, isCustom ? "custom"u8 : "function"u8);
        json.WriteStartObject(isCustom ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, tool.Name);
        OpenAIToolText.WriteDescription(json, tool);
        if (isCustom)
        {
            CustomFormat(json, tool.Raw);
        }
        else
        {
            json.WritePropertyName("parameters"u8);
            OpenAIToolText.WriteSchema(json, tool);
            // Not to be strict is the default, and some servers refuse the member.
            if (tool.Strict == true) json.WriteBoolean("strict"u8, true);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Responses has the members of a grammar beside the type, this protocol one level deeper.</summary>
    private static void CustomFormat(Utf8JsonWriter json, JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } told) return;
        json.WritePropertyName("format"u8);
        if (!told.TryGetProperty("definition"u8, out _))
        {
            told.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type"u8, "grammar"u8);
        json.WriteStartObject("grammar"u8);
        foreach (JsonProperty member in told.EnumerateObject())
        {
            if (member.Name != "type") member.WriteTo(json);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Choice(Utf8JsonWriter json, ToolChoice choice, List<ToolDefinition> tools)
    {
        json.WritePropertyName("tool_choice"u8);
        switch (choice)
        {
            case { Mode: ToolChoiceMode.None }:
                json.WriteStringValue("none"u8);
                break;
            case { Mode: ToolChoiceMode.Any, Names: [var only] }:
                Named(json, only, tools);
                break;
            case { Names.Count: > 0 }:
                json.WriteStartObject();
                json.WriteString("type"u8, "allowed_tools"u8);
                json.WriteStartObject("allowed_tools"u8);
                json.WriteString("mode"u8, choice.Mode == ToolChoiceMode.Any ? "required"u8 : "auto"u8);
                json.WriteStartArray("tools"u8);
                foreach (string name in choice.Names) Named(json, name, tools);
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            case { Mode: ToolChoiceMode.Any }:
                json.WriteStringValue("required"u8);
                break;
            default:
                json.WriteStringValue("auto"u8);
                break;
        }
    }

    private static void Named(Utf8JsonWriter json, string name, List<ToolDefinition> tools)
    {
        bool isCustom = tools.Exists(tool => tool.Name == name && tool.Kind == ToolKind.Custom);
        json.WriteStartObject();
        json.WriteString("type"u8, isCustom ? "custom"u8 : "function"u8);
        json.WriteStartObject(isCustom ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, name);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
