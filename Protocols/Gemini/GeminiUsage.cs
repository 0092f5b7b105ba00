using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The <c>usageMetadata</c> object. Prompt tokens include cached ones, candidate tokens exclude thoughts, zero counters are left out.</summary>
/// <remarks>An object: some counters come late in a stream and stand for all chunks after.</remarks>
public sealed class GeminiUsage
{
    private long? _prompt;
    private long? _cached;
    private long? _candidates;
    private long? _thoughts;
    private long? _toolUse;
    private long? _total;

    /// <summary>Takes the report that <paramref name="owner"/> stands at; returns the running total.</summary>
    public TokenUsage Read(scoped ref JsonScan owner)
    {
        if (owner.Kind == JsonTokenType.StartObject)
        {
            JsonScan.Place place = owner.Down();
            Take(ref owner);
            owner.Up(place);
        }
        return Total();
    }

    private void Take(scoped ref JsonScan scan)
    {
        while (scan.Next())
        {
            if (scan.Is("promptTokenCount"u8)) _prompt = scan.Long() ?? _prompt;
            else if (scan.Is("cachedContentTokenCount"u8)) _cached = scan.Long() ?? _cached;
            else if (scan.Is("candidatesTokenCount"u8)) _candidates = scan.Long() ?? _candidates;
            else if (scan.Is("thoughtsTokenCount"u8)) _thoughts = scan.Long() ?? _thoughts;
            else if (scan.Is("toolUsePromptTokenCount"u8)) _toolUse = scan.Long() ?? _toolUse;
            else if (scan.Is("totalTokenCount"u8)) _total = scan.Long() ?? _total;
        }
    }

    private TokenUsage Total()
    {
        long? candidates = _candidates ?? (_total is { } total && _prompt is { } prompt ? Math.Max(0, total - prompt - (_thoughts ?? 0) - (_toolUse ?? 0)) : null);
        return new TokenUsage
        {
            Input = _prompt is null && _toolUse is null ? null : Math.Max(0, (_prompt ?? 0) - (_cached ?? 0)) + (_toolUse ?? 0),
            CacheRead = _cached is { } cached ? Math.Min(cached, _prompt ?? cached) : null,
            Output = candidates is null && _thoughts is null ? null : (candidates ?? 0) + (_thoughts ?? 0),
            Reasoning = _thoughts,
        };
    }

    /// <summary><c>,"usageMetadata":{...}</c>; zeros where nothing is known, since the end of an answer always has it.</summary>
    public static void Write(IBufferWriter<byte> output, in TokenUsage usage)
    {
        long prompt = usage.TotalInput, thoughts = usage.Reasoning ?? 0, candidates = Math.Max(0, (usage.Output ?? 0) - thoughts);
        output.Write(",\"usageMetadata\":{\"promptTokenCount\":"u8);
        output.WriteNumber(prompt);
        Counter(output, ",\"cachedContentTokenCount\":"u8, usage.CacheRead ?? 0);
        Counter(output, ",\"candidatesTokenCount\":"u8, candidates);
        Counter(output, ",\"thoughtsTokenCount\":"u8, thoughts);
        output.Write(",\"totalTokenCount\":"u8);
        output.WriteNumber(prompt + candidates + thoughts);
        output.Write("}"u8);
    }

    private static void Counter(IBufferWriter<byte> output, ReadOnlySpan<byte> name, long value)
    {
        if (value == 0) return;
        output.Write(name);
        output.WriteNumber(value);
    }
}
