using System.Buffers.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>What an answer used: the service's own count where it tells one, else the share of the context window that it tells, else a guess of ours.</summary>
public sealed class KiroUsage(KiroQuestion question)
{
    private TokenUsage? _told;
    private double? _percent;
    private long _narrow;
    private long _wide;

    /// <summary>Credits; null: not told.</summary>
    public double? Credits { get; private set; }

    /// <summary>The service told something of the answer's cost, as it does at its end.</summary>
    public bool IsTold => _told is not null || _percent is not null || Credits is not null;

    public bool IsEstimated => _told is null;

    /// <summary>A JSON string token of the answer: text, thinking, or a piece of arguments.</summary>
    public void Count(ReadOnlySpan<byte> token)
    {
        foreach (byte letter in token[1..^1])
        {
            // Continuation bytes count with what they go on.
            if (letter >= 0xE0) _wide++;
            else if (letter is < 0x80 or >= 0xC0) _narrow++;
        }
    }

    /// <summary><c>{tokenUsage:{…}}</c>; false: there is no count in it.</summary>
    public bool ReadMetadata(ReadOnlySpan<byte> json)
    {
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (scan.Is("tokenUsage"u8) && scan.Kind == JsonTokenType.StartObject) ReadTokens(scan.Value);
        }
        return _told is not null;
    }

    /// <summary><c>{usage, unit:"credit"}</c>.</summary>
    public void ReadMetering(ReadOnlySpan<byte> json)
    {
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (scan.Is("usage"u8) && Number(scan) is { } credits) Credits = credits;
        }
    }

    /// <summary><c>{contextUsagePercentage}</c>.</summary>
    public void ReadContext(ReadOnlySpan<byte> json)
    {
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (scan.Is("contextUsagePercentage"u8)) _percent = Number(scan) ?? _percent;
        }
    }

    public TokenUsage Total()
    {
        if (_told is { } told) return told;
        // "characters ÷ 4 for Latin text, ÷ 1.5 for CJK"
        long output = _narrow / 4 + (long)(_wide / 1.5);
        if (output == 0 && _narrow + _wide > 0) output = 1;
        // "contextUsagePercentage × window ÷ 100 = input + output"
        if (_percent is { } percent) return new TokenUsage { Input = Math.Max(0, (long)Math.Round(percent * question.Window / 100) - output), Output = output };
        return new TokenUsage { Input = question.Request is { } request ? TokenEstimator.Estimate(request) : null, Output = output };
    }

    private void ReadTokens(ReadOnlySpan<byte> json)
    {
        long? input = null, output = null, read = null, write = null;
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (scan.Is("uncachedInputTokens"u8)) input = scan.Long();
            else if (scan.Is("outputTokens"u8)) output = scan.Long();
            else if (scan.Is("cacheReadInputTokens"u8)) read = scan.Long();
            else if (scan.Is("cacheWriteInputTokens"u8)) write = scan.Long();
            else if (scan.Is("contextUsagePercentage"u8)) _percent = Number(scan) ?? _percent;
        }
        var usage = new TokenUsage { Input = Positive(input), Output = Positive(output), CacheRead = Positive(read), CacheWrite = Positive(write) };
        // All zeros are no count of an answer.
        if (usage.TotalInput + (usage.Output ?? 0) > 0) _told = usage.Over(_told ?? default);
    }

    private static long? Positive(long? tokens) => tokens is { } told ? Math.Max(0, told) : null;

    private static double? Number(in JsonScan scan) =>
        scan.Kind == JsonTokenType.Number && Utf8Parser.TryParse(scan.Value, out double number, out _) && number is >= 0 and < 1e9 ? number : null;
}
