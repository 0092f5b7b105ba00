using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Writes a Messages request. The same request gives the same bytes, or prompt caches would never hit.</summary>
public sealed class AnthropicRequestWriter
{
    /// <summary>The protocol's name in refusals.</summary>
    public const string Target = "Anthropic Messages";

    /// <summary>The provider takes this many cache marks.</summary>
    private const int MaxMarks = 4;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ChatRequest _request;
    private readonly AnthropicTraits _traits;
    private readonly ModelFacts _facts;
    private readonly AnthropicToolWriter _tools;
    private readonly List<AnthropicMessage> _messages;
    private readonly long _maxTokens;
    private readonly AnthropicThinking _thinking;
    private readonly bool _hasMarks;
    private int _marksToSkip;

    /// <exception cref="ProtocolException">Something cannot be said.</exception>
    public AnthropicRequestWriter(ChatRequest request, AnthropicTraits traits)
    {
        RequestRefusal.Check(request, Target);
        _traits = traits;
        _facts = traits.Models.Find(request.Model);
        // The words for a schema know no maps, a tool's do.
        if (_facts.HasForcedChoice && request.Output?.Schema is { } schema && AnthropicSchema.HasMap(schema)) _facts = _facts with { HasOutputSchema = false };
        _request = request = AnthropicConversation.Repaired(request, traits, _facts);
        _tools = new AnthropicToolWriter(request, traits, _facts);
        _messages = AnthropicConversation.Messages(request);
        _maxTokens = MaxTokens();
        _thinking = AnthropicThinking.Decide(request, _facts, _maxTokens, _tools.IsForced);
        int marks = _tools.Tools.Count(tool => tool.Kind != ToolKind.Foreign && tool.CacheHint)
            + request.System.Count(part => part.CacheHint && !part.Text.IsBlank)
            + _messages.Sum(message => message.Blocks.Count(block => block.IsMarked));
        _hasMarks = marks > 0;
        _marksToSkip = Math.Max(0, marks - MaxMarks);
    }

    public void Write(IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Relaxed);
        writer.WriteStartObject();
        writer.WriteString("model"u8, _request.Model);
        writer.WriteNumber("max_tokens"u8, _maxTokens);
        _tools.Write(writer, TakesMark);
        WriteSystem(writer, output);
        WriteMessages(writer, output);
        WriteThinking(writer);
        WriteSampling(writer);
        WriteStop(writer);
        if (_request.EndUserId is { Length: > 0 } user)
        {
            writer.WriteStartObject("metadata"u8);
            writer.WriteString("user_id"u8, EndUser(user));
            writer.WriteEndObject();
        }
        if (_request.ServiceTier is "auto" or "standard_only") writer.WriteString("service_tier"u8, _request.ServiceTier);
        if (_traits.MarksCache && !_hasMarks) AnthropicPartWriter.CacheMark(writer);
        if (_request.Stream) writer.WriteBoolean("stream"u8, true);
        writer.WriteEndObject();
    }

    // "user_id appears to contain an email address", or a phone number; and no more than 256 characters.
    private static string EndUser(string id) => id.Length > 256 || id.Contains('@') || !id.Any(char.IsLetter) ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id))) : id;

    private long MaxTokens()
    {
        bool isClaude = _request.Model.Contains("claude", StringComparison.OrdinalIgnoreCase);
        long wanted = _request.MaxTokens ?? _traits.DefaultMaxTokens ?? (isClaude ? 32_000 : 8_192);
        return Math.Min(wanted, _facts.MaxOutputTokens ?? long.MaxValue);
    }

    /// <summary>The last marks are the ones that count: they cover the longest prefix.</summary>
    private bool TakesMark() => _marksToSkip-- <= 0;

    private void WriteSystem(Utf8JsonWriter writer, IBufferWriter<byte> output)
    {
        var parts = new List<TextPart>(_request.System.Where(part => !part.Text.IsBlank));
        // There is no switch for "any JSON object".
        if (_request.Output is { Schema: null }) parts.Add(new TextPart("Answer with one JSON object only."));
        if (_tools.Instruction is { } instruction) parts.Add(new TextPart(instruction));
        if (parts.Count == 0) return;
        var blocks = new AnthropicPartWriter(writer, output);
        writer.WriteStartArray("system"u8);
        foreach (TextPart part in parts) blocks.Write(part, part.CacheHint && TakesMark());
        writer.WriteEndArray();
    }

    private void WriteMessages(Utf8JsonWriter writer, IBufferWriter<byte> output)
    {
        var blocks = new AnthropicPartWriter(writer, output);
        writer.WriteStartArray("messages"u8);
        foreach (AnthropicMessage message in _messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, message.Role);
            writer.WriteStartArray("content"u8);
            foreach (AnthropicBlock block in message.Blocks) blocks.Write(block.Part, block.IsMarked && TakesMark());
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private void WriteThinking(Utf8JsonWriter writer)
    {
        if (_thinking.Type is { } type)
        {
            writer.WriteStartObject("thinking"u8);
            writer.WriteString("type"u8, type);
            if (type == "enabled") writer.WriteNumber("budget_tokens"u8, _thinking.Budget);
            if (_thinking.IsHidden) writer.WriteString("display"u8, "omitted"u8);
            else if (type == "adaptive") writer.WriteString("display"u8, "summarized"u8);
            writer.WriteEndObject();
        }
        JsonElement? schema = _facts.HasOutputSchema ? _request.Output?.Schema : null;
        if (_thinking.Effort is null && schema is null) return;
        writer.WriteStartObject("output_config"u8);
        if (_thinking.Effort is { } effort) writer.WriteString("effort"u8, effort);
        if (schema is { } wanted)
        {
            writer.WriteStartObject("format"u8);
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WritePropertyName("schema"u8);
            AnthropicSchema.WriteStrict(writer, wanted);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private void WriteSampling(Utf8JsonWriter writer)
    {
        if (!_facts.HasSampling) return;
        Sampling sampling = _request.Sampling;
        bool hasTopP = sampling.TopP is { } topP && (!_thinking.IsOn || (topP.TryGetDouble(out double value) && value >= 0.95));
        bool hasTemperature = sampling.Temperature is not null && !_thinking.IsOn;
        // "temperature and top_p cannot both be specified for this model"
        if (hasTemperature && _request.Model.Contains("claude", StringComparison.OrdinalIgnoreCase)) hasTopP = false;
        if (hasTemperature) WriteTemperature(writer, sampling.Temperature!.Value);
        if (hasTopP) WriteRaw(writer, "top_p"u8, sampling.TopP!.Value);
        if (sampling.TopK is { } topK && !_thinking.IsOn) WriteRaw(writer, "top_k"u8, topK);
    }

    private static void WriteTemperature(Utf8JsonWriter writer, JsonElement temperature)
    {
        // Other protocols go to 2, this one to 1.
        if (temperature.TryGetDouble(out double value) && value > 1) writer.WriteNumber("temperature"u8, 1);
        else WriteRaw(writer, "temperature"u8, temperature);
    }

    private void WriteStop(Utf8JsonWriter writer)
    {
        List<string> stops = [.. _request.Stop.Where(stop => !string.IsNullOrWhiteSpace(stop))];
        if (stops.Count == 0) return;
        writer.WriteStartArray("stop_sequences"u8);
        foreach (string stop in stops) writer.WriteStringValue(stop);
        writer.WriteEndArray();
    }

    private static void WriteRaw(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement value)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }
}
