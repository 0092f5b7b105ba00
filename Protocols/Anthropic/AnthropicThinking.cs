using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>What is said of thinking to a model: the <c>thinking</c> object and the effort.</summary>
/// <param name="Type"><c>enabled</c>, <c>adaptive</c>, <c>between_tools</c> or <c>disabled</c>; null: nothing is said.</param>
public sealed record AnthropicThinking(string? Type, long Budget = 0, string? Effort = null, bool IsHidden = false)
{
    public bool IsOn => Type is "enabled" or "adaptive";

    /// <param name="isForced">A call is demanded, which thinking forbids.</param>
    public static AnthropicThinking Decide(ChatRequest request, ModelFacts facts, long maxTokens, bool isForced)
    {
        var nothing = new AnthropicThinking(Type: null);
        if (request.Reasoning is not { } reasoning || !ReasoningScale.IsTold(reasoning) || facts.Thinking == ThinkingControl.None) return nothing;
        ReasoningEffort? effort = ReasoningScale.EffortOf(reasoning);
        if (effort == ReasoningEffort.None) return Off(facts);
        if (isForced && facts.CanDisableThinking) return nothing;
        bool isHidden = reasoning.Visible == false;
        if (facts.Thinking == ThinkingControl.Adaptive)
        {
            return new AnthropicThinking("adaptive", Effort: effort is { } wanted ? Word(facts.Nearest(wanted)) : null, IsHidden: isHidden);
        }
        // An answer in the middle of a tool loop must then begin with a thinking block, and there is none to give back.
        if (isForced || EndsInUnprovenCalls(request)) return nothing;
        long budget = ReasoningScale.BudgetOf(reasoning) ?? ReasoningScale.Budget(ReasoningEffort.Medium);
        // Where the limit is ours, thinking must not eat the answer.
        long answer = request.MaxTokens is null ? Math.Max(1024, Math.Min(8192, maxTokens / 2)) : 1024;
        budget = Math.Min(Math.Min(Math.Max(budget, facts.MinBudget), facts.MaxBudget ?? long.MaxValue), maxTokens - answer);
        return budget < 1024 ? nothing : new AnthropicThinking("enabled", budget, IsHidden: isHidden);
    }

    private static AnthropicThinking Off(ModelFacts facts) =>
        facts.CanDisableThinking ? new AnthropicThinking("disabled")
        : facts.HasBetweenTools ? new AnthropicThinking("between_tools")
        : new AnthropicThinking(Type: null, Effort: Word(facts.Nearest(ReasoningEffort.Low)));

    /// <summary>The calls that the conversation ends in do not begin with thinking that can be given back. To the provider all steps since the user spoke are one message, which
    /// must begin so; it does not think again between them. Words beside results are no new question.</summary>
    private static bool EndsInUnprovenCalls(ChatRequest request)
    {
        int first = request.Turns.Count;
        for (int index = request.Turns.Count - 1; index >= 0; index--)
        {
            Turn turn = request.Turns[index];
            if (turn.Role == TurnRole.Assistant) first = index;
            else if (turn.Role == TurnRole.User && !turn.Parts.Any(static part => part is ToolResultPart)) break;
        }
        return request.Turns.Skip(first).Any(static turn => turn.Role == TurnRole.Assistant && turn.Parts.Any(static part => part is ToolCallPart))
            && !(request.Turns[first].Parts[0] is ThinkingPart thinking && AnthropicConversation.IsOwn(thinking));
    }

    private static string? Word(ReasoningEffort? effort) => effort switch
    {
        ReasoningEffort.Minimal or ReasoningEffort.Low => "low",
        ReasoningEffort.Medium => "medium",
        ReasoningEffort.High => "high",
        ReasoningEffort.XHigh => "xhigh",
        ReasoningEffort.Max => "max",
        _ => null,
    };
}
