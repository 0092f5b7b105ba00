using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes a generateContent request; model and mode are in the path. The same request gives the same bytes, or prompt caches would never
/// hit.</summary>
public sealed class GeminiRequestWriter
{
    /// <summary>The protocol's name in refusals.</summary>
    public const string Target = "Gemini generateContent";

    /// <summary>More stop sequences than this are refused; the caller must watch for the rest.</summary>
    public const int MaxStops = 5;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ChatRequest _request;
    private readonly GeminiTraits _traits;
    private readonly ModelFacts _facts;
    private readonly bool _isClaude;
    private readonly GeminiToolWriter _tools;
    private readonly List<GeminiContent> _contents;

    /// <exception cref="ProtocolException">Something cannot be said.</exception>
    public GeminiRequestWriter(ChatRequest request, GeminiTraits traits)
    {
        RequestRefusal.Check(request, Target);
        _request = request = GeminiConversation.Repaired(request, traits);
        _traits = traits;
        _isClaude = GeminiNames.IsClaude(request.Model);
        _facts = traits.Models.Find(request.Model);
        _tools = new GeminiToolWriter(request, traits);
        if (request.Output is { } format && _tools.Functions.Count > 0 && !_facts.IsGemini3)
        {
            throw new ProtocolException(ErrorKind.Unsupported, $"`{format.Path}`: an output format beside tools is not supported by {request.Model}", format.Path);
        }
        _contents = new GeminiConversation(request, _facts).Build();
    }

    /// <summary>The system prompt without what is empty.</summary>
    public static IEnumerable<TextPart> System(ChatRequest request) => request.System.Where(part => !part.Text.IsBlank);

    public void Write(IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Relaxed);
        writer.WriteStartObject();
        List<TextPart> system = [.. System(_request)];
        if (system.Count > 0 && _facts.HasSystem)
        {
            writer.WriteStartObject("systemInstruction"u8);
            writer.WriteStartArray("parts"u8);
            foreach (TextPart part in system)
            {
                writer.WriteStartObject();
                writer.WritePropertyName("text"u8);
                part.Text.WriteTo(writer);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        _tools.Write(writer);
        WriteContents(writer, output);
        WriteConfig(writer);
        if (_request.ServiceTier is "flex" or "priority" or "standard") writer.WriteString("serviceTier"u8, _request.ServiceTier);
        writer.WriteEndObject();
    }

    private void WriteContents(Utf8JsonWriter writer, IBufferWriter<byte> output)
    {
        var parts = new GeminiPartWriter(writer, output, _facts, _traits, SendsIds());
        writer.WriteStartArray("contents"u8);
        foreach (GeminiContent content in _contents)
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, content.IsModel ? "model"u8 : "user"u8);
            writer.WriteStartArray("parts"u8);
            foreach (GeminiPart part in content.Parts.Where(part => part.Part is ToolResultPart)) parts.Write(part);
            parts.WriteLateMedia(content.Parts);
            foreach (GeminiPart part in content.Parts.Where(part => part.Part is not ToolResultPart)) parts.Write(part);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    /// <summary>Both halves of each pair or none of all: one half alone is refused.</summary>
    private bool SendsIds() => _traits.SendsIds ?? (_facts.IsGemini3 || _isClaude);

    private void WriteConfig(Utf8JsonWriter writer)
    {
        Sampling sampling = _request.Sampling;
        writer.WriteStartObject("generationConfig"u8);
        long? budget = ReasoningScale.IsTold(_request.Reasoning) ? ThinkingBudget(_request.Reasoning!) : null;
        if (!_isClaude || budget is null or 0)
        {
            WriteNumber(writer, "temperature"u8, sampling.Temperature);
            WriteNumber(writer, "topP"u8, sampling.TopP);
        }
        WriteNumber(writer, "topK"u8, sampling.TopK);
        if (_request.MaxTokens is { } max) writer.WriteNumber("maxOutputTokens"u8, Math.Min(max, _facts.MaxOutputTokens ?? long.MaxValue));
        if (_request.Stop.Count > 0)
        {
            writer.WriteStartArray("stopSequences"u8);
            foreach (string stop in _request.Stop.Where(stop => stop.Length > 0).Take(MaxStops)) writer.WriteStringValue(stop);
            writer.WriteEndArray();
        }
        if (_facts.HasPenalties)
        {
            WriteNumber(writer, "presencePenalty"u8, sampling.PresencePenalty);
            WriteNumber(writer, "frequencyPenalty"u8, sampling.FrequencyPenalty);
        }
        WriteNumber(writer, "seed"u8, sampling.Seed is { } seed && seed.TryGetInt32(out _) ? seed : null);
        WriteOutput(writer);
        WriteThinking(writer, budget);
        writer.WriteEndObject();
    }

    private void WriteOutput(Utf8JsonWriter writer)
    {
        if (_request.Output is not { } format) return;
        writer.WriteString("responseMimeType"u8, "application/json"u8);
        if (format.Schema is not { } schema) return;
        writer.WritePropertyName(_traits.LegacySchema ? "responseSchema"u8 : "responseJsonSchema"u8);
        if (_traits.RawSchema) writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(schema), skipInputValidation: true);
        else if (_traits.LegacySchema) new GeminiProtoSchema(schema).Write(writer);
        else GeminiSchema.Write(writer, schema);
    }

    private void WriteThinking(Utf8JsonWriter writer, long? budget)
    {
        if (_request.Reasoning is not { } reasoning || !ReasoningScale.IsTold(reasoning) || _facts.Thinking == ThinkingControl.None) return;
        if (_isClaude && budget is null) return;
        writer.WriteStartObject("thinkingConfig"u8);
        // This protocol's own clients must ask for thoughts, the others see them unless they refuse.
        bool isVisible = reasoning.Visible ?? _request.Protocol != GeminiNames.Protocol;
        ReasoningEffort? effort = ReasoningScale.EffortOf(reasoning);
        if (isVisible && effort != ReasoningEffort.None) writer.WriteBoolean("includeThoughts"u8, true);
        // Never both: "You can only set one of thinking budget and thinking level".
        if (_facts.Thinking != ThinkingControl.Level)
        {
            if (budget is { } tokens) writer.WriteNumber("thinkingBudget"u8, tokens);
        }
        else if (effort is { } wanted && Level(wanted) is { } level)
        {
            writer.WriteString("thinkingLevel"u8, level);
        }
        writer.WriteEndObject();
    }

    /// <summary>Tokens; -1: the model decides; null: not to be told.</summary>
    private long? ThinkingBudget(ReasoningRequest reasoning)
    {
        long? wanted = ReasoningScale.BudgetOf(reasoning);
        if (_isClaude)
        {
            // Claude's own rules: a number below the limit, and in a tool loop only where the thinking before the call can be given back.
            if (wanted != 0 && EndsInUnprovenCalls()) return null;
            long budget = Math.Min(Math.Max(wanted ?? ReasoningScale.Budget(ReasoningEffort.Medium), 1024), (_request.MaxTokens ?? 64_000) - 1024);
            return wanted == 0 ? 0 : budget < 1024 ? null : budget;
        }
        if (wanted is null) return reasoning.Adaptive ? -1 : null;
        if (wanted == 0) return _facts.CanDisableThinking ? 0 : _facts.MinBudget;
        return Math.Clamp(wanted.Value, _facts.MinBudget, _facts.MaxBudget ?? 24_576);
    }

    private bool EndsInUnprovenCalls()
    {
        int last = _contents.FindLastIndex(content => content.IsSpoken);
        return _contents.Skip(last + 1).LastOrDefault(content => content.IsModel) is { } step
            && step.Parts.Exists(part => part.Part is ToolCallPart) && !step.Parts.Exists(part => part.Part is ThinkingPart);
    }

    private string? Level(ReasoningEffort wanted)
    {
        // Where medium is missing, the table of the provider's own compatibility layer goes up.
        bool isMissing = wanted == ReasoningEffort.Medium && !_facts.Efforts.Contains(wanted);
        return _facts.Nearest(isMissing ? ReasoningEffort.High : wanted)?.ToString().ToUpperInvariant();
    }

    private static void WriteNumber(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement? value)
    {
        if (value is not { } number) return;
        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(number), skipInputValidation: true);
    }
}
