using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Usage of Chat (<c>prompt_tokens</c>) and Responses (<c>input_tokens</c>).</summary>
/// <remarks>Prompt counts hold the cached tokens, answer counts the reasoning.</remarks>
public static class OpenAIUsage
{
    /// <returns>null where nothing is told.</returns>
    public static TokenUsage? Read(ReadOnlySpan<byte> usage)
    {
        if (!JsonSlice.IsObject(usage)) return null;
        long? prompt = null, output = null, cached = null, written = null, reasoning = null;
        var members = JsonSlice.Members(usage);
        while (members.Next())
        {
            if (members.Is("prompt_tokens"u8) || members.Is("input_tokens"u8)) prompt = JsonSlice.Long(members.Value) ?? prompt;
            else if (members.Is("completion_tokens"u8) || members.Is("output_tokens"u8)) output = JsonSlice.Long(members.Value) ?? output;
            else if (members.Is("prompt_tokens_details"u8) || members.Is("input_tokens_details"u8)) ReadPromptDetails(members.Value, ref cached, ref written);
            else if (members.Is("prompt_cache_hit_tokens"u8) || members.Is("cached_tokens"u8)) cached ??= JsonSlice.Long(members.Value);
            else if (members.Is("completion_tokens_details"u8) || members.Is("output_tokens_details"u8))
            {
                var details = JsonSlice.Members(members.Value);
                while (details.Next())
                {
                    if (details.Is("reasoning_tokens"u8)) reasoning = JsonSlice.Long(details.Value) ?? reasoning;
                }
            }
        }
        if (prompt is null && output is null && cached is null) return null;

        // A server that counts more cached tokens than prompt tokens must not make the rest negative.
        if (prompt is { } all)
        {
            if (cached is not null) cached = Math.Clamp(cached.Value, 0, Math.Max(0, all));
            if (written is not null) written = Math.Clamp(written.Value, 0, Math.Max(0, all - (cached ?? 0)));
        }
        return new TokenUsage
        {
            Input = prompt is null ? null : Math.Max(0, prompt.Value - (cached ?? 0) - (written ?? 0)),
            CacheRead = cached,
            CacheWrite = written,
            Output = output,
            Reasoning = reasoning,
        };
    }

    /// <summary>The object of a Chat answer.</summary>
    public static void WriteChat(Utf8JsonWriter json, in TokenUsage usage)
    {
        json.WriteStartObject();
        json.WriteNumber("prompt_tokens"u8, usage.TotalInput);
        json.WriteNumber("completion_tokens"u8, usage.Output ?? 0);
        json.WriteNumber("total_tokens"u8, usage.TotalInput + (usage.Output ?? 0));
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheRead ?? 0);
        json.WriteNumber("cache_write_tokens"u8, Written(usage));
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning ?? 0);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteNumber("accepted_prediction_tokens"u8, 0);
        json.WriteNumber("rejected_prediction_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The object of a Responses answer.</summary>
    public static void WriteResponses(Utf8JsonWriter json, in TokenUsage usage)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, usage.TotalInput);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheRead ?? 0);
        json.WriteNumber("cache_write_tokens"u8, Written(usage));
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.Output ?? 0);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning ?? 0);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.TotalInput + (usage.Output ?? 0));
        json.WriteEndObject();
    }

    private static long Written(in TokenUsage usage) => (usage.CacheWrite ?? 0) + (usage.CacheWriteHour ?? 0);

    private static void ReadPromptDetails(ReadOnlySpan<byte> value, ref long? cached, ref long? written)
    {
        var details = JsonSlice.Members(value);
        while (details.Next())
        {
            if (details.Is("cached_tokens"u8)) cached = JsonSlice.Long(details.Value) ?? cached;
            else if (details.Is("cache_write_tokens"u8)) written = JsonSlice.Long(details.Value) ?? written;
        }
    }
}
