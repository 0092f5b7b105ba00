using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>The <c>usage</c> object. <c>input_tokens</c> is the uncached tail only; <c>output_tokens</c> includes thinking.</summary>
public static class AnthropicUsage
{
    /// <param name="earlier">What the answer told before: a later sum without its parts, as <c>message_delta</c> has it, says nothing new of the same tokens.</param>
    public static TokenUsage Read(ReadOnlySpan<byte> json, in TokenUsage earlier = default)
    {
        long? input = null, read = null, written = null, five = null, hour = null, output = null, thinking = null;
        var scan = JsonScan.Inside(json);
        while (scan.Next())
        {
            if (scan.Is("input_tokens"u8)) input = scan.Long();
            else if (scan.Is("cache_read_input_tokens"u8)) read = scan.Long();
            else if (scan.Is("cache_creation_input_tokens"u8)) written = scan.Long();
            else if (scan.Is("output_tokens"u8)) output = scan.Long();
            else if (scan.Is("cache_creation"u8))
            {
                five = Member(scan.Value, "ephemeral_5m_input_tokens"u8);
                hour = Member(scan.Value, "ephemeral_1h_input_tokens"u8);
            }
            else if (scan.Is("output_tokens_details"u8)) thinking = Member(scan.Value, "thinking_tokens"u8);
        }
        // Servers that know only the sum may still send an empty breakdown.
        if (written is not null && (five ?? 0) + (hour ?? 0) != written)
        {
            bool isKnown = written == (earlier.CacheWrite ?? 0) + (earlier.CacheWriteHour ?? 0);
            five = isKnown ? null : written;
            hour = isKnown || earlier.CacheWriteHour is null ? null : 0;
        }
        return new TokenUsage { Input = input, CacheRead = read, CacheWrite = five, CacheWriteHour = hour, Output = output, Reasoning = thinking };
    }

    /// <summary>All members; what is not known is 0 or <c>null</c>, since the official library throws where the object is missing.</summary>
    public static void Write(IBufferWriter<byte> output, in TokenUsage usage)
    {
        output.Write("{\"input_tokens\":"u8);
        output.WriteNumber(usage.Input ?? 0);
        output.Write(",\"cache_creation_input_tokens\":"u8);
        output.WriteNumber((usage.CacheWrite ?? 0) + (usage.CacheWriteHour ?? 0));
        output.Write(",\"cache_read_input_tokens\":"u8);
        output.WriteNumber(usage.CacheRead ?? 0);
        output.Write(",\"cache_creation\":{\"ephemeral_5m_input_tokens\":"u8);
        output.WriteNumber(usage.CacheWrite ?? 0);
        output.Write(",\"ephemeral_1h_input_tokens\":"u8);
        output.WriteNumber(usage.CacheWriteHour ?? 0);
        output.Write("},\"output_tokens\":"u8);
        output.WriteNumber(usage.Output ?? 0);
        output.Write(",\"output_tokens_details\":"u8);
        if (usage.Reasoning is { } thinking)
        {
            output.Write("{\"thinking_tokens\":"u8);
            output.WriteNumber(thinking);
            output.Write("}"u8);
        }
        else
        {
            output.Write("null"u8);
        }
        output.Write(",\"server_tool_use\":null,\"service_tier\":null,\"inference_geo\":null,\"speed\":null}"u8);
    }

    private static long? Member(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        long? value = null;
        var scan = JsonScan.Inside(json);
        while (scan.Next())
        {
            if (scan.Is(name)) value = scan.Long();
        }
        return value;
    }
}
