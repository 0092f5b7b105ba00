using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>A neutral request as a Responses body.</summary>
public static class OpenAIResponsesRequestWriter
{
    /// <summary>The protocol's name in refusals.</summary>
    public const string Target = "OpenAI Responses";

    /// <summary>Smaller limits are refused: <c>integer_below_min_value</c>.</summary>
    private const int MinOutputTokens = 16;

    /// <exception cref="ProtocolException">Something cannot be said.</exception>
    public static void Write(IBufferWriter<byte> output, ChatRequest client, OpenAIResponsesTraits traits)
    {
        OpenAIRequestWords.Refuse(client, Target);
        ModelFacts facts = traits.Models.Find(client.Model);
        ChatRequest request = HistoryRepair.Apply(client, new HistoryRules
        {
            KnowsCustomTools = true,
            KnowsMidSystem = true,
            NeedsTurn = true,
            DropsEmptyText = true,
            OwnBlocks = "responses",
            AfterTrailingAssistant = OpenAIRequestWords.AfterTrailingAssistant(client, traits.RefusesPrefill, Target),
        });
        using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
        json.WriteStartObject();
        json.WriteString("model"u8, request.Model);
        string? system = OpenAIRequestWords.SystemText(request);
        // Without any input the instructions are all there is to answer, and no input at all is refused.
        bool isInput = traits.InstructionsAsDeveloper || request.Turns.Count == 0;
        if (traits.InstructionsAsDeveloper) json.WriteString("instructions"u8, ""u8);
        else if (system is not null && !isInput) json.WriteString("instructions"u8, system);
        json.WriteStartArray("input"u8);
        var items = new OpenAIResponsesItemWriter(json, output, traits);
        if (isInput && system is not null) items.Developer(system);
        items.Write(request.Turns);
        json.WriteEndArray();
        Tools(json, request, traits);
        Parameters(json, request, traits, facts);
        json.WriteEndObject();
    }

    private static void Parameters(Utf8JsonWriter json, ChatRequest request, OpenAIResponsesTraits traits, ModelFacts facts)
    {
        if (!traits.BareParameters)
        {
            if (OpenAIRequestWords.Limit(request, facts) is { } limit) json.WriteNumber("max_output_tokens"u8, Math.Max(limit, MinOutputTokens));
            if (OpenAIRequestWords.Samples(request, facts))
            {
                Number(json, "temperature"u8, request.Sampling.Temperature);
                Number(json, "top_p"u8, request.Sampling.TopP);
            }
            if (OpenAIRequestWords.EndUser(request.EndUserId) is { } user) json.WriteString("safety_identifier"u8, user);
        }
        Reasoning(json, request, facts);
        string? verbosity = OpenAIRequestWords.Verbosity(request);
        if (request.Output is not null || verbosity is not null)
        {
            json.WriteStartObject("text"u8);
            if (request.Output is { } format)
            {
                json.WritePropertyName("format"u8);
                Format(json, format, OpenAIRequestWords.Strict(request, format));
            }
            if (verbosity is not null) json.WriteString("verbosity"u8, verbosity);
            json.WriteEndObject();
        }
        if (OpenAIRequestWords.CacheKey(request) is { } cacheKey) json.WriteString("prompt_cache_key"u8, cacheKey);
        string? tier = OpenAIRequestWords.Tier(request.ServiceTier);
        if (tier is not null && (!traits.BareParameters || tier == "priority")) json.WriteString("service_tier"u8, tier);

        // Nothing of the conversation is kept upstream: the whole history comes with each request.
        json.WriteBoolean("store"u8, false);
        // "Encrypted content is not supported with this model"
        if (!OpenAIModelNames.IsKnownNotToReason(request.Model))
        {
            json.WriteStartArray("include"u8);
            json.WriteStringValue("reasoning.encrypted_content"u8);
            json.WriteEndArray();
        }
        if (request.Stream || traits.AlwaysStreams) json.WriteBoolean("stream"u8, true);
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonElement? value)
    {
        if (value is not { } told) return;
        json.WritePropertyName(name);
        told.WriteTo(json);
    }

    /// <summary>Nothing where the client said nothing of reasoning. Without <c>summary</c> no readable reasoning is produced.</summary>
    private static void Reasoning(Utf8JsonWriter json, ChatRequest request, ModelFacts facts)
    {
        ReasoningEffort? effort = OpenAIRequestWords.Effort(request, facts);
        bool isVisible = request.Reasoning is { Visible: not false } && effort != ReasoningEffort.None && OpenAIRequestWords.Reasons(request, facts);
        if (effort is null && !isVisible) return;
        json.WriteStartObject("reasoning"u8);
        if (effort is { } told) json.WriteString("effort"u8, OpenAIEffort.Word(told));
        if (isVisible) json.WriteString("summary"u8, "auto"u8);
        json.WriteEndObject();
    }

    private static void Format(Utf8JsonWriter json, OutputFormat format, bool? strict)
    {
        json.WriteStartObject();
        if (format.Schema is not { } schema)
        {
            json.WriteString("type"u8, "json_object"u8);
        }
        else
        {
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteString("name"u8, OpenAIRequestWords.SchemaName(format.Name));
            if (format.Description is { } description)
            {
                json.WritePropertyName("description"u8);
                description.WriteTo(json);
            }
            json.WritePropertyName("schema"u8);
            new OpenAISchema(json).WriteRoot(schema);

            // Left out, some servers take it for true.
            json.WriteBoolean("strict"u8, strict == true);
        }
        json.WriteEndObject();
    }

    private static void Tools(Utf8JsonWriter json, ChatRequest request, OpenAIResponsesTraits traits)
    {
        List<ToolDefinition> tools = OpenAIRequestWords.Tools(request, Target,
            tool => ServerTools.IsResponses(tool) || (traits.WebSearch && ServerTools.IsWebSearch(tool)));
        if (tools.Count == 0) return;
        json.WriteStartArray("tools"u8);
        foreach (ToolDefinition tool in tools) Tool(json, tool);
        json.WriteEndArray();
        if (request.ToolChoice is { } choice)
        {
            json.WritePropertyName("tool_choice"u8);
            if (request.Protocol != "responses" && choice.Foreign is not null) json.WriteRawValue("""{"type":"web_search"}"""u8, skipInputValidation: true);
            else OpenAIResponsesNames.WriteChoice(json, choice, name => tools.Exists(tool => tool.Name == name && tool.Kind == ToolKind.Custom));
        }
        if (request.ParallelTools == false) json.WriteBoolean("parallel_tool_calls"u8, false);
    }

    private static void Tool(Utf8JsonWriter json, ToolDefinition tool)
    {
        if (tool.Kind == ToolKind.Foreign)
        {
            if (ServerTools.IsResponses(tool)) tool.Raw!.Value.WriteTo(json);
            else WebSearchTool.Read(tool).WriteResponses(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type"u8, tool.Kind == ToolKind.Custom ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, tool.Name);
        OpenAIToolText.WriteDescription(json, tool);
        if (tool.Kind == ToolKind.Custom)
        {
            OpenAIResponsesNames.WriteCustomFormat(json, tool.Raw);
        }
        else
        {
            json.WritePropertyName("parameters"u8);
            OpenAIToolText.WriteSchema(json, tool);

            // "strict missing = true here": optional arguments would come back filled.
            json.WriteBoolean("strict"u8, tool.Strict == true);
        }
        json.WriteEndObject();
    }
}
