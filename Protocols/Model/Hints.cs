using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>A member of a client's request whose loss does not change what is asked for.</summary>
/// <param name="Protocol">Of the client.</param>
/// <param name="Path">As the client writes it; <c>[]</c> behind a name: each element.</param>
/// <param name="Targets">The protocols that have no word for it; empty: all but the client's own.</param>
public sealed record Hint(string Protocol, string Path, IReadOnlyList<string> Targets)
{
    public bool IsDroppedFor(string target) => target != Protocol && (Targets.Count == 0 || Targets.Contains(target));
}

/// <summary>What a translation leaves out without refusing it: one table. Everything else that a protocol knows is carried, or refused with its path.</summary>
public static class Hints
{
    private const string Anthropic = "anthropic", Chat = "openai", Responses = "responses", Gemini = "gemini";

    public static IReadOnlyList<Hint> All { get; } =
    [
        .. Of(Anthropic, [], "context_management", "diagnostics", "speed", "inference_geo", "billing_policy", "fallbacks", "fallback_credit_token", "service_tier",
            "cache_control", "system[].cache_control", "messages[].content[].cache_control", "tools[].cache_control", "output_config.task_budget", "messages[].output_config",
            "messages[].clear_at", "messages[].content[].context", "messages[].content[].transformations", "messages[].content[].caller", "messages[].content[].toolset_name",
            "tools[].defer_loading", "tools[].eager_input_streaming", "tools[].input_examples", "tools[].allowed_callers", "thinking.block_binding",
            "messages[].content[].citations.enabled", "messages[].content[].citations[].cited_text", "tools[].max_uses", "tools[].blocked_domains", "tools[].response_inclusion"),
        .. Of(Anthropic, [Chat, Responses], "top_k"),
        .. Of(Anthropic, [Chat, Gemini], "messages[].content[].citations[].url", "tools[].allowed_domains"),
        .. Of(Anthropic, [Gemini], "metadata.user_id", "tools[].strict", "tools[].user_location"),

        .. Of(Chat, [], "metadata", "store", "prediction", "prompt_cache_options", "prompt_cache_retention", "stream_options.include_obfuscation", "top_logprobs", "moderation",
            "access_programs", "messages[].name", "messages[].content[].image_url.detail"),
        .. Of(Chat, [Responses, Gemini], "messages[].content[].prompt_cache_breakpoint"),
        .. Of(Chat, [Anthropic, Responses], "frequency_penalty", "presence_penalty", "seed"),
        .. Of(Chat, [Responses], "top_k"),
        .. Of(Chat, [Anthropic, Gemini], "verbosity", "prompt_cache_key", "messages[].annotations", "web_search_options.search_context_size"),
        .. Of(Chat, [Anthropic], "service_tier"),
        .. Of(Chat, [Gemini], "safety_identifier", "user", "tools[].function.strict", "web_search_options.user_location"),

        .. Of(Responses, [], "metadata", "store", "truncation", "include", "max_tool_calls", "stream_options", "context_management", "prompt_cache_options",
            "prompt_cache_retention", "client_metadata", "access_programs", "image", "moderation", "reasoning.mode", "reasoning.context", "input[].phase", "input[].status",
            "input[].content[].detail", "tools[].defer_loading", "tools[].async", "tools[].output_schema", "tools[].allowed_callers",
            "input[].content[].annotations", "tools[].external_web_access"),
        .. Of(Responses, [Chat, Gemini], "input[].content[].prompt_cache_breakpoint", "tools[].filters"),
        .. Of(Responses, [Anthropic, Gemini], "text.verbosity", "prompt_cache_key", "tools[].search_context_size"),
        .. Of(Responses, [Anthropic], "service_tier"),
        .. Of(Responses, [Gemini], "safety_identifier", "user", "tools[].strict", "tools[].user_location"),

        .. Of(Gemini, [], "safetySettings", "labels", "store", "generationConfig.mediaResolution", "generationConfig.speechConfig", "generationConfig.imageConfig",
            "generationConfig.audioTimestamp", "generationConfig.audioTranscriptionConfig", "generationConfig.enableEnhancedCivicAnswers", "generationConfig.routingConfig",
            "generationConfig.modelSelectionConfig", "generationConfig.logprobs", "toolConfig.retrievalConfig", "toolConfig.includeServerSideToolInvocations",
            "tools[].functionDeclarations[].behavior", "tools[].functionDeclarations[].response", "tools[].functionDeclarations[].responseJsonSchema",
            "tools[].functionDeclarations[].parameters.propertyOrdering", "contents[].parts[].videoMetadata", "contents[].parts[].mediaResolution", "contents[].parts[].partMetadata",
            "tools[].googleSearch.timeRangeFilter"),
        .. Of(Gemini, [Chat, Responses], "generationConfig.topK"),
        .. Of(Gemini, [Anthropic, Responses], "generationConfig.seed", "generationConfig.presencePenalty", "generationConfig.frequencyPenalty"),
        .. Of(Gemini, [Anthropic], "serviceTier"),
    ];

    // What is carried or refused; with the table all that a protocol has at its top level.
    private static readonly string[] AnthropicMembers =
    [
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature", "top_p", "tools", "tool_choice", "output_format", "container",
        "compaction", "mcp_servers", "thread", "betas",
    ];

    private static readonly string[] ChatMembers =
    [
        "model", "messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop",
        "reasoning_effort", "response_format", "stream", "n", "logit_bias", "logprobs", "audio", "modalities", "web_search_options",
    ];

    private static readonly string[] ResponsesMembers =
    [
        "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "temperature", "top_p", "top_logprobs", "stream", "conversation",
        "previous_response_id", "prompt", "background",
    ];

    private static readonly string[] GeminiMembers =
        ["model", "contents", "systemInstruction", "tools", "cachedContent", "continuationToken", "generateContentRequest"];

    /// <summary>What of a request is lost on the way to <paramref name="target"/>: paths of the table, and top-level members that nobody here knows.</summary>
    /// <param name="protocol">Of the body.</param>
    public static IEnumerable<string> DroppedFrom(JsonElement body, string protocol, string target)
    {
        if (body.ValueKind != JsonValueKind.Object || protocol == target) yield break;
        foreach (Hint hint in All)
        {
            if (hint.Protocol == protocol && hint.IsDroppedFor(target) && Has(body, hint.Path)) yield return hint.Path;
        }
        foreach (JsonProperty member in body.EnumerateObject())
        {
            if (!IsKnown(protocol, member.Name)) yield return member.Name;
        }
    }

    public static bool IsKnown(string protocol, string name)
    {
        if (protocol == Gemini) name = Camel(name);
        string[] members = protocol switch { Anthropic => AnthropicMembers, Chat => ChatMembers, Responses => ResponsesMembers, _ => GeminiMembers };
        return members.Contains(name) || All.Any(hint => hint.Protocol == protocol && hint.Path.AsSpan().StartsWith(name) && (hint.Path.Length == name.Length || hint.Path[name.Length] is '.' or '['));
    }

    private static IEnumerable<Hint> Of(string protocol, IReadOnlyList<string> targets, params string[] paths) => paths.Select(path => new Hint(protocol, path, targets));

    private static bool Has(JsonElement value, ReadOnlySpan<char> path)
    {
        int dot = path.IndexOf('.');
        ReadOnlySpan<char> name = dot < 0 ? path : path[..dot], rest = dot < 0 ? default : path[(dot + 1)..];
        bool isList = name.EndsWith("[]");
        if (isList) name = name[..^2];
        if (value.ValueKind != JsonValueKind.Object || (!value.TryGetProperty(name, out JsonElement member) && !value.TryGetProperty(Snake(name), out member))) return false;
        if (!isList) return rest.IsEmpty ? member.ValueKind != JsonValueKind.Null : Has(member, rest);
        if (member.ValueKind != JsonValueKind.Array) return false;
        foreach (JsonElement element in member.EnumerateArray())
        {
            if (Has(element, rest)) return true;
        }
        return false;
    }

    // proto3 JSON is read in both spellings.
    private static string Snake(ReadOnlySpan<char> name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (char letter in name)
        {
            if (char.IsAsciiLetterUpper(letter)) snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }
        return snake.ToString();
    }

    private static string Camel(string name)
    {
        var camel = new StringBuilder(name.Length);
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] == '_' && i + 1 < name.Length) camel.Append(char.ToUpperInvariant(name[++i]));
            else camel.Append(name[i]);
        }
        return camel.ToString();
    }
}
