using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>A Responses request in neutral words.</summary>
public static class OpenAIResponsesRequestReader
{
    public static ChatRequest Read(JsonElement body, RequestHead head)
    {
        RequireObject(body, "body");
        var untranslatable = new List<(string, JsonElement)>();
        Refused(body, untranslatable);
        var items = new OpenAIResponsesItemReader(untranslatable);
        if (JsonString(body, "instructions", "") is { IsEmpty: false } instructions) items.System.Add(new TextPart(instructions) { Path = "instructions" });
        if (TryGet(body, "input"u8, out JsonElement input)) items.Read(input);
        else if (untranslatable.Count == 0) throw Wrong("input", "required");

        var tools = new List<ToolDefinition>();
        if (RequestFields.Array(body, "tools", "") is { } list) OpenAITools.Read(list, "tools", tools);
        foreach (ToolDefinition announced in items.Tools) Announce(announced, tools);
        JsonElement? text = RequestFields.Object(body, "text", "");

        return new ChatRequest
        {
            Model = head.Model,
            Protocol = "responses",
            Stream = head.Stream,
            System = items.System,
            Turns = items.Turns,
            Tools = tools,
            ToolChoice = TryGet(body, "tool_choice"u8, out JsonElement choice) ? OpenAITools.Choice(choice, "tool_choice") : null,
            ParallelTools = RequestFields.Bool(body, "parallel_tool_calls", ""),
            MaxTokens = Limit(body, "max_output_tokens", ""),
            Sampling = new Sampling { Temperature = Number(body, "temperature", ""), TopP = Number(body, "top_p", "") },
            Reasoning = Reasoning(body),
            Output = text is { } settings && RequestFields.Object(settings, "format", "text") is { } format ? OpenAITools.Format(format, "text.format") : null,
            Verbosity = text is { } words ? RequestFields.String(words, "verbosity", "text") : null,
            EndUserId = RequestFields.String(body, "safety_identifier", "") ?? RequestFields.String(body, "user", ""),
            CacheKey = RequestFields.String(body, "prompt_cache_key", ""),
            ServiceTier = RequestFields.String(body, "service_tier", ""),
            Untranslatable = untranslatable,
        };
    }

    /// <summary>A tool that is announced again is the newer one.</summary>
    private static void Announce(ToolDefinition announced, List<ToolDefinition> tools)
    {
        int known = tools.FindIndex(tool => tool.Kind != ToolKind.Foreign && tool.Name == announced.Name && tool.Namespace == announced.Namespace);
        if (known < 0) tools.Add(announced);
        else tools[known] = announced;
    }

    /// <summary>Without a summary asked for, this protocol shows no readable reasoning.</summary>
    private static ReasoningRequest Reasoning(JsonElement body)
    {
        if (RequestFields.Object(body, "reasoning", "") is not { } reasoning) return new ReasoningRequest { Visible = false };
        string? summary = RequestFields.String(reasoning, "summary", "reasoning") ?? RequestFields.String(reasoning, "generate_summary", "reasoning");
        return new ReasoningRequest
        {
            Effort = OpenAITools.Effort(RequestFields.String(reasoning, "effort", "reasoning"), "reasoning.effort"),
            Visible = summary is not null,
        };
    }

    private static void Refused(JsonElement body, List<(string, JsonElement)> untranslatable)
    {
        ReadOnlySpan<string> stateful = ["previous_response_id", "conversation", "prompt"];
        foreach (string name in stateful)
        {
            if (TryGet(body, name, out JsonElement value)) untranslatable.Add((name, value));
        }
        if (RequestFields.Bool(body, "background", "") == true) untranslatable.Add(("background", body.GetProperty("background"u8)));
        if (RequestFields.Long(body, "top_logprobs", "") is > 0) untranslatable.Add(("top_logprobs", body.GetProperty("top_logprobs"u8)));
        if (RequestFields.Object(body, "prompt_cache_options", "") is { } cache && RequestFields.Bool(cache, "prewarm", "prompt_cache_options") == true)
            untranslatable.Add(("prompt_cache_options.prewarm", cache.GetProperty("prewarm"u8)));
        if (TryGet(body, "moderation"u8, out JsonElement moderation) && OpenAIChatRequestReader.Blocks(moderation))
            untranslatable.Add(("moderation", moderation));
        if (RequestFields.Array(body, "include", "") is not { } include) return;
        int index = 0;
        foreach (JsonElement wish in include.EnumerateArray())
        {
            if (Text(wish, $"include[{index}]") == "message.output_text.logprobs") untranslatable.Add(($"include[{index}]", wish));
            index++;
        }
    }
}
