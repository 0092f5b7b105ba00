using System.Text.Json;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>A Chat Completions request in neutral words. Reads what official and compatible clients send, deprecated forms included.</summary>
public static class OpenAIChatRequestReader
{
    public static ChatRequest Read(JsonElement body, RequestHead head)
    {
        RequireObject(body, "body");
        var system = new List<TextPart>();
        var turns = new List<Turn>();
        var untranslatable = new List<(string, JsonElement)>();
        JsonElement messages = RequestFields.Array(body, "messages", "") ?? throw Wrong("messages", "required");
        new OpenAIChatMessageReader(system, turns, untranslatable).Read(messages);

        var tools = new List<ToolDefinition>();
        if (RequestFields.Array(body, "tools", "") is { } list) OpenAITools.Read(list, "tools", tools);
        bool isLegacy = tools.Count == 0;
        if (RequestFields.Array(body, "functions", "") is { } functions) OpenAITools.ReadFunctions(functions, tools);
        isLegacy &= tools.Count > 0;
        if (RequestFields.Object(body, "web_search_options", "") is { } search)
            tools.Add(new ToolDefinition(ToolKind.Foreign, "web_search_options") { Path = "web_search_options", Raw = search });
        Refused(body, untranslatable);

        return new ChatRequest
        {
            Model = head.Model,
            Protocol = "openai",
            Stream = head.Stream,
            System = system,
            Turns = turns,
            Tools = tools,
            ToolChoice = TryGet(body, "tool_choice"u8, out JsonElement choice) ? OpenAITools.Choice(choice, "tool_choice")
                : TryGet(body, "function_call"u8, out choice) ? OpenAITools.Choice(choice, "function_call") : null,
            // The deprecated form has room for one call in an answer.
            ParallelTools = isLegacy ? false : RequestFields.Bool(body, "parallel_tool_calls", ""),
            MaxTokens = Limit(body, "max_completion_tokens", "") ?? Limit(body, "max_tokens", ""),
            Sampling = new Sampling
            {
                Temperature = Number(body, "temperature", ""),
                TopP = Number(body, "top_p", ""),
                TopK = Number(body, "top_k", ""),
                FrequencyPenalty = Number(body, "frequency_penalty", ""),
                PresencePenalty = Number(body, "presence_penalty", ""),
                Seed = Number(body, "seed", ""),
            },
            Stop = Stop(body),
            Reasoning = RequestFields.String(body, "reasoning_effort", "") is { } effort
                ? new ReasoningRequest { Effort = OpenAITools.Effort(effort, "reasoning_effort") } : null,
            Output = RequestFields.Object(body, "response_format", "") is { } format ? OpenAITools.Format(format, "response_format") : null,
            EndUserId = RequestFields.String(body, "safety_identifier", "") ?? RequestFields.String(body, "user", ""),
            Verbosity = RequestFields.String(body, "verbosity", ""),
            CacheKey = RequestFields.String(body, "prompt_cache_key", ""),
            ServiceTier = RequestFields.String(body, "service_tier", ""),
            IncludeUsage = RequestFields.Object(body, "stream_options", "") is { } options
                && RequestFields.Bool(options, "include_usage", "stream_options") == true,
            Untranslatable = untranslatable,
        };
    }

    private static List<string> Stop(JsonElement body)
    {
        var stop = new List<string>();
        if (!TryGet(body, "stop"u8, out JsonElement value)) return stop;
        if (value.ValueKind == JsonValueKind.String)
        {
            stop.Add(Text(value, "stop"));
        }
        else
        {
            if (value.ValueKind != JsonValueKind.Array) throw Wrong("stop", "expected a string or an array of strings");
            foreach (JsonElement one in value.EnumerateArray()) stop.Add(Text(one, $"stop[{stop.Count}]"));
        }
        stop.RemoveAll(static one => one.Length == 0);
        return stop;
    }

    private static void Refused(JsonElement body, List<(string, JsonElement)> untranslatable)
    {
        if (Limit(body, "n", "") is > 1) Refuse("n"u8, "n");
        if (RequestFields.Object(body, "logit_bias", "") is { } bias && bias.EnumerateObject().Any()) Refuse("logit_bias"u8, "logit_bias");
        if (RequestFields.Bool(body, "logprobs", "") == true) Refuse("logprobs"u8, "logprobs");
        if (RequestFields.Object(body, "audio", "") is not null) Refuse("audio"u8, "audio");
        if (RequestFields.Array(body, "modalities", "") is { } modalities)
        {
            foreach (JsonElement modality in modalities.EnumerateArray())
            {
                if (Text(modality, "modalities") == "text") continue;
                Refuse("modalities"u8, "modalities");
                break;
            }
        }
        if (TryGet(body, "moderation"u8, out JsonElement moderation) && Blocks(moderation)) untranslatable.Add(("moderation", moderation));

        void Refuse(ReadOnlySpan<byte> name, string path) => untranslatable.Add((path, body.GetProperty(name)));
    }

    /// <summary>Moderation that only scores is a hint; one that blocks changes what the client may be shown.</summary>
    public static bool Blocks(JsonElement moderation)
    {
        if (moderation.ValueKind != JsonValueKind.Object || RequestFields.Object(moderation, "policy", "moderation") is not { } policy) return false;
        foreach (JsonProperty side in policy.EnumerateObject())
        {
            if (side.Value.ValueKind != JsonValueKind.Object || !TryGet(side.Value, "mode"u8, out JsonElement mode)) continue;
            if (mode.ValueKind == JsonValueKind.String && mode.ValueEquals("block"u8)) return true;
        }
        return false;
    }
}
