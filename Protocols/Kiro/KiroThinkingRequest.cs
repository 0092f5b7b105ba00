using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.Kiro;

/// <summary>How a request asks its model to think.</summary>
/// <param name="Way">None: nothing is said.</param>
/// <param name="Effort">null: not told.</param>
/// <param name="Budget">Tokens, for tags.</param>
public sealed record KiroThinkingRequest(KiroThinking Way, ReasoningEffort? Effort = null, long Budget = 0)
{
    // As little as Anthropic's own models take.
    private const long MinBudget = 1024;

    /// <param name="request">Named for the service's model.</param>
    public static KiroThinkingRequest Decide(ChatRequest request, KiroTraits traits)
    {
        var nothing = new KiroThinkingRequest(KiroThinking.None);
        if (request.Reasoning is not { } reasoning || !ReasoningScale.IsTold(reasoning)) return nothing;
        KiroThinking way = traits.Catalog.ThinkingOf(request.Model);
        ModelFacts facts = traits.Models.Find(request.Model);
        ReasoningEffort? effort = ReasoningScale.EffortOf(reasoning);
        if (way == KiroThinking.Effort && effort is { } told) return new KiroThinkingRequest(way, facts.Nearest(told) ?? told);
        // There is no word for "off" but to say nothing.
        if (effort == ReasoningEffort.None) return nothing;
        return way switch
        {
            KiroThinking.Adaptive => new KiroThinkingRequest(way, effort is { } wanted ? facts.Nearest(wanted) ?? wanted : null),
            KiroThinking.Tags => new KiroThinkingRequest(way, Budget: BudgetOf(reasoning, traits)),
            _ => nothing,
        };
    }

    /// <summary>What stands before the system prompt; empty: nothing.</summary>
    public string Tags => Way == KiroThinking.Tags ? $"<thinking_mode>enabled</thinking_mode><max_thinking_length>{Budget}</max_thinking_length>" : "";

    /// <summary>The member <c>additionalModelRequestFields</c>, where there is one. Unknown members in it are refused.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        if (Way == KiroThinking.Adaptive)
        {
            writer.WriteStartObject("additionalModelRequestFields"u8);
            writer.WriteStartObject("thinking"u8);
            writer.WriteString("type"u8, "adaptive"u8);
            writer.WriteString("display"u8, "summarized"u8);
            writer.WriteEndObject();
            if (Effort is { } effort)
            {
                writer.WriteStartObject("output_config"u8);
                writer.WriteString("effort"u8, OpenAIEffort.Word(effort == ReasoningEffort.Minimal ? ReasoningEffort.Low : effort));
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        else if (Way == KiroThinking.Effort && Effort is { } told)
        {
            writer.WriteStartObject("additionalModelRequestFields"u8);
            writer.WriteStartObject("reasoning"u8);
            writer.WriteString("effort"u8, OpenAIEffort.Word(told));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
    }

    private static long BudgetOf(ReasoningRequest reasoning, KiroTraits traits)
    {
        long budget = ReasoningScale.BudgetOf(reasoning) ?? ReasoningScale.Budget(ReasoningEffort.Medium);
        return Math.Min(Math.Max(budget, MinBudget), traits.Limits.MaxThinking);
    }
}
