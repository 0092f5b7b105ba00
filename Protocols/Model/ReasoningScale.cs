namespace Aiproxy.Protocols.Model;

/// <summary>Efforts as token budgets and back, for targets that know only the other.</summary>
public static class ReasoningScale
{
    /// <summary>Tokens; <see cref="long.MaxValue"/>: as many as the model takes.</summary>
    public static long Budget(ReasoningEffort effort) => effort switch
    {
        ReasoningEffort.None => 0,
        ReasoningEffort.Minimal => 512,
        ReasoningEffort.Low => 1024,
        ReasoningEffort.Medium => 8192,
        ReasoningEffort.High => 24576,
        ReasoningEffort.XHigh => 32768,
        _ => long.MaxValue,
    };

    public static ReasoningEffort Effort(long budget) => budget switch
    {
        <= 0 => ReasoningEffort.None,
        <= 512 => ReasoningEffort.Minimal,
        <= 1024 => ReasoningEffort.Low,
        <= 8192 => ReasoningEffort.Medium,
        <= 24576 => ReasoningEffort.High,
        _ => ReasoningEffort.XHigh,
    };

    /// <summary>The request says how much to think, or that it wants to read it. To be told nothing is to say nothing to the target.</summary>
    public static bool IsTold(ReasoningRequest? reasoning) =>
        reasoning is not null && (reasoning.Effort is not null || reasoning.Budget is not null || reasoning.Adaptive || reasoning.Visible == true);

    /// <summary>The effort a request asks for, by either word; null: the model decides.</summary>
    public static ReasoningEffort? EffortOf(ReasoningRequest reasoning) =>
        reasoning.Effort ?? (reasoning.Budget is { } budget && budget >= 0 ? Effort(budget) : null);

    /// <summary>The budget a request asks for, by either word; null: the model decides.</summary>
    public static long? BudgetOf(ReasoningRequest reasoning) =>
        reasoning.Budget is { } budget && budget >= 0 ? budget : reasoning.Effort is { } effort ? Budget(effort) : null;
}
