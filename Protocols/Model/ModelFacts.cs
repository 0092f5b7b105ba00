namespace Aiproxy.Protocols.Model;

/// <summary>What is known of a model beyond its name. The defaults fit a model nobody knows: what could be refused is not sent.</summary>
public sealed record ModelFacts
{
    /// <summary>Tokens; null: not known.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>Tokens, reasoning included; null: not known.</summary>
    public int? MaxOutputTokens { get; init; }

    public ThinkingControl Thinking { get; init; } = ThinkingControl.Budget;

    /// <summary>Thinking can be switched off by word.</summary>
    public bool CanDisableThinking { get; init; }

    /// <summary>The model takes <c>between_tools</c>, which is as near to "off" as it comes.</summary>
    public bool HasBetweenTools { get; init; }

    /// <summary>The efforts it knows, ascending; empty: it knows none.</summary>
    public IReadOnlyList<ReasoningEffort> Efforts { get; init; } = [];

    /// <summary>Smallest budget in tokens that is not "off".</summary>
    public long MinBudget { get; init; } = 1024;

    /// <summary>Largest budget in tokens; null: only the answer's limit.</summary>
    public long? MaxBudget { get; init; }

    /// <summary>Temperature, top_p and top_k are accepted.</summary>
    public bool HasSampling { get; init; } = true;

    /// <summary>Gemini: "Penalty is not enabled for this model" otherwise.</summary>
    public bool HasPenalties { get; init; } = true;

    /// <summary>A call can be demanded.</summary>
    public bool HasForcedChoice { get; init; } = true;

    /// <summary>Anthropic: an answer is made to follow a schema by word; otherwise the schema becomes a tool that must be called.</summary>
    public bool HasOutputSchema { get; init; }

    /// <summary>Instructions in the middle of the conversation have a role of their own.</summary>
    public bool HasMidSystem { get; init; }

    /// <summary>A trailing assistant turn is gone on with.</summary>
    public bool HasPrefill { get; init; }

    /// <summary>Takes a system prompt at all.</summary>
    public bool HasSystem { get; init; } = true;

    /// <summary>Gemini 3 and later: calls have ids and must carry their signature, results may hold media, URLs are fetched.</summary>
    public bool IsGemini3 { get; init; }

    /// <summary>The nearest effort that the model knows: the highest not above, else its lowest; null: it knows none.</summary>
    public ReasoningEffort? Nearest(ReasoningEffort effort)
    {
        ReasoningEffort? nearest = null;
        foreach (ReasoningEffort known in Efforts)
        {
            if (nearest is null || known <= effort) nearest = known;
        }
        return nearest;
    }
}

/// <summary>By which word a model's thinking is steered.</summary>
public enum ThinkingControl
{
    /// <summary>It does not reason, and refuses to be asked, "off" included.</summary>
    None,

    /// <summary>Tokens.</summary>
    Budget,

    /// <summary>It decides itself; an effort may be given.</summary>
    Adaptive,

    /// <summary>Gemini's <c>thinkingLevel</c>.</summary>
    Level,
}
