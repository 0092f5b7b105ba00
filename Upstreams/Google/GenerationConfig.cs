using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>How the model shall answer, under the rules of its family.</summary>
/// <param name="config">The request's own; null: none.</param>
/// <param name="mayThink">Claude: the history allows it.</param>
public sealed class GenerationConfig(GoogleModel model, JsonElement? config, bool mayThink)
{
    // Claude takes no smaller budget.
    private const long LeastBudget = 1024;

    private readonly OrderedDictionary<string, JsonElement> _members = config is { } told ? ProtoNames.Members(told) : [];

    public void Write(Utf8JsonWriter writer)
    {
        if (config is null) return;
        OrderedDictionary<string, JsonElement>? asked = ProtoNames.Object(_members, "thinkingConfig") is { } thinking ? ProtoNames.Members(thinking) : null;
        long? maxOutput = MaxOutput();
        long? claudeBudget = asked is not null && model.IsThinkingClaude && mayThink ? ClaudeBudget(asked, maxOutput) : null;
        writer.WriteStartObject("generationConfig"u8);
        foreach ((string name, JsonElement value) in _members)
        {
            switch (name)
            {
                case "thinkingConfig":
                case "temperature" or "topP" when claudeBudget is not null:
                case "maxOutputTokens" when model.IsAntigravity:
                    break;
                case "responseSchema" or "responseJsonSchema" when value.ValueKind == JsonValueKind.Object:
                    writer.WritePropertyName(name);
                    SchemaCleaner.Clean(value, SchemaUse.Response).Write(writer);
                    break;
                default: ProtoNames.Raw(writer, name, value); break;
            }
        }
        // "claude: keep, cap at the model maximum; the others: delete"
        if (maxOutput is { } max) writer.WriteNumber("maxOutputTokens"u8, max);
        if (claudeBudget is { } budget) WriteClaude(writer, budget);
        else if (asked is not null && model.IsGemini) WriteGemini(writer, asked);
        writer.WriteEndObject();
    }

    private long? MaxOutput() => model.IsClaude && Number(_members, "maxOutputTokens") is { } asked ? Math.Min(asked, GoogleFacts.ClaudeMaxOutput) : null;

    /// <summary>null: no thinking.</summary>
    private static long? ClaudeBudget(OrderedDictionary<string, JsonElement> asked, long? maxOutput)
    {
        long wanted = Number(asked, "thinkingBudget") is >= 0 and { } told ? told : ReasoningScale.Budget(EffortOf(asked) ?? ReasoningEffort.Medium);
        // "must be greater than thinkingBudget"
        long budget = Math.Min(Math.Max(wanted, LeastBudget), (maxOutput ?? GoogleFacts.ClaudeMaxOutput) - LeastBudget);
        return wanted == 0 || budget < LeastBudget ? null : budget;
    }

    private static void WriteClaude(Utf8JsonWriter writer, long budget)
    {
        writer.WriteStartObject("thinkingConfig"u8);
        // Without its thoughts there is no signature, and without that no thinking in the next step.
        writer.WriteBoolean("includeThoughts"u8, true);
        writer.WriteNumber("thinkingBudget"u8, budget);
        writer.WriteEndObject();
    }

    /// <summary>"Not both level and budget": by level from Gemini 3 on, by budget before.</summary>
    private void WriteGemini(Utf8JsonWriter writer, OrderedDictionary<string, JsonElement> asked)
    {
        long? budget = Number(asked, "thinkingBudget");
        ReasoningEffort? effort = EffortOf(asked);
        string? level = null;
        if (model.IsGemini3)
        {
            level = model.Level ?? (effort is { } told ? LevelOf(told) : model.IsAntigravity && budget >= 0 ? LevelOf(ReasoningScale.Effort(budget.Value)) : null);
            if (level is not null || model.IsAntigravity) budget = null;
        }
        else if (budget is null && effort is { } wanted)
        {
            budget = ReasoningScale.Budget(wanted);
        }
        writer.WriteStartObject("thinkingConfig"u8);
        if (level is not null) writer.WriteString("thinkingLevel"u8, level);
        if (budget is { } tokens) writer.WriteNumber("thinkingBudget"u8, tokens);
        foreach ((string name, JsonElement value) in asked)
            if (name is not ("thinkingLevel" or "thinkingBudget")) ProtoNames.Raw(writer, name, value);
        writer.WriteEndObject();
    }

    private string LevelOf(ReasoningEffort effort) => effort switch
    {
        // Antigravity's models know three levels.
        ReasoningEffort.None or ReasoningEffort.Minimal => model.IsAntigravity ? "low" : "minimal",
        ReasoningEffort.Low => "low",
        ReasoningEffort.Medium => "medium",
        _ => "high",
    };

    private static ReasoningEffort? EffortOf(OrderedDictionary<string, JsonElement> asked) =>
        !asked.TryGetValue("thinkingLevel", out JsonElement level) || level.ValueKind != JsonValueKind.String ? null : JsonFields.Decode(level).ToUpperInvariant() switch
        {
            "MINIMAL" => ReasoningEffort.Minimal,
            "LOW" => ReasoningEffort.Low,
            "MEDIUM" => ReasoningEffort.Medium,
            "HIGH" => ReasoningEffort.High,
            _ => null,
        };

    /// <summary>A whole number, also as a string; null: none.</summary>
    private static long? Number(OrderedDictionary<string, JsonElement> members, string name)
    {
        if (!members.TryGetValue(name, out JsonElement value)) return null;
        if (value.ValueKind == JsonValueKind.String) return long.TryParse(JsonFields.Decode(value), System.Globalization.CultureInfo.InvariantCulture, out long parsed) ? parsed : null;
        if (value.ValueKind != JsonValueKind.Number) return null;
        return value.TryGetInt64(out long whole) ? whole : value.TryGetDouble(out double number) && Math.Abs(number) < 1e15 ? (long)number : null;
    }
}
