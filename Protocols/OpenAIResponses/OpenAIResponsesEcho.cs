using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The members of a response object that repeat the request. Built once per answer, since three events carry them.</summary>
public static class OpenAIResponsesEcho
{
    /// <param name="options">Without a request: the protocol's defaults.</param>
    /// <returns>Members without the braces around them.</returns>
    public static byte[] Write(WriterOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, OpenAIErrors.Json))
        {
            json.WriteStartObject();
            Members(json, options.Request, options);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan[1..^1].ToArray();
    }

    private static void Members(Utf8JsonWriter json, ChatRequest? request, WriterOptions options)
    {
        json.WritePropertyName("instructions"u8);
        if (request?.System is [{ Path: "instructions" } instructions, ..]) instructions.Text.WriteTo(json);
        else json.WriteNullValue();
        json.WritePropertyName("max_output_tokens"u8);
        if (request?.MaxTokens is { } limit) json.WriteNumberValue(limit);
        else json.WriteNullValue();
        json.WriteNull("max_tool_calls"u8);
        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        json.WriteString("model"u8, options.Model);
        json.WriteBoolean("parallel_tool_calls"u8, request?.ParallelTools ?? true);
        json.WriteString("previous_response_id"u8, options.PreviousResponseId);
        json.WriteString("prompt_cache_key"u8, request?.CacheKey);
        json.WriteStartObject("reasoning"u8);
        json.WriteString("effort"u8, request?.Reasoning?.Effort is { } effort ? OpenAIEffort.Word(effort) : null);
        json.WriteString("summary"u8, request?.Reasoning?.Visible == true ? "auto" : null);
        json.WriteEndObject();
        json.WriteString("safety_identifier"u8, request?.EndUserId);
        json.WriteString("service_tier"u8, request?.ServiceTier ?? "auto");
        json.WriteBoolean("store"u8, options.IsKept);
        Number(json, "temperature"u8, request?.Sampling.Temperature);
        json.WriteStartObject("text"u8);
        json.WritePropertyName("format"u8);
        OpenAIResponsesNames.WriteFormat(json, request?.Output, request?.Output?.Strict);
        json.WriteString("verbosity"u8, request?.Verbosity ?? "medium");
        json.WriteEndObject();
        json.WritePropertyName("tool_choice"u8);
        OpenAIResponsesNames.WriteChoice(json, request?.ToolChoice, static _ => false);
        json.WriteStartArray("tools"u8);
        foreach (ToolDefinition tool in request?.Tools ?? []) Tool(json, tool);
        json.WriteEndArray();
        json.WriteNumber("top_logprobs"u8, 0);
        Number(json, "top_p"u8, request?.Sampling.TopP);
        json.WriteString("truncation"u8, "disabled"u8);
        json.WriteNull("user"u8);
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonElement? value)
    {
        json.WritePropertyName(name);
        if (value is { } told) told.WriteTo(json);
        else json.WriteNumberValue(1);
    }

    private static void Tool(Utf8JsonWriter json, ToolDefinition tool)
    {
        if (tool.Kind == ToolKind.Foreign)
        {
            if (tool.Raw is { } raw) raw.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type"u8, tool.Kind == ToolKind.Custom ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, ToolNames.Flat(tool));
        if (tool.Description is { } description)
        {
            json.WritePropertyName("description"u8);
            description.WriteTo(json);
        }
        if (tool.Kind == ToolKind.Custom)
        {
            OpenAIResponsesNames.WriteCustomFormat(json, tool.Raw);
        }
        else
        {
            json.WritePropertyName("parameters"u8);
            if (tool.Schema is { } schema) schema.WriteTo(json);
            else json.WriteNullValue();
            json.WriteBoolean("strict"u8, tool.Strict ?? true);
        }
        json.WriteEndObject();
    }
}
