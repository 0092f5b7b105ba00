namespace Aiproxy.Protocols.Model;

/// <summary>Facts by model name. A row fits when its pattern is in the name, the longest pattern wins; own rows come before the built-in ones.</summary>
/// <remarks>Names are compared in lower case with dots as dashes, so that <c>anthropic/claude-opus-4.5</c> and <c>claude-opus-4-5-20251101</c> are one
/// model.</remarks>
public sealed class ModelTable
{
    private static readonly IReadOnlyList<ReasoningEffort> ToMax =
        [ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High, ReasoningEffort.XHigh, ReasoningEffort.Max];
    private static readonly IReadOnlyList<ReasoningEffort> WithoutXHigh =
        [ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High, ReasoningEffort.Max];
    private static readonly IReadOnlyList<ReasoningEffort> Levels =
        [ReasoningEffort.Minimal, ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High];

    private static readonly ModelFacts Claude = new()
    {
        MaxOutputTokens = 128_000,
        Thinking = ThinkingControl.Adaptive,
        CanDisableThinking = true,
        Efforts = ToMax,
        HasSampling = false,
        HasOutputSchema = true,
    };

    private static readonly ModelFacts Claude4 = new()
    {
        ContextWindow = 200_000,
        MaxOutputTokens = 64_000,
        CanDisableThinking = true,
        HasPrefill = true,
    };

    private static readonly ModelFacts Gemini = new()
    {
        ContextWindow = 1_048_576,
        MaxOutputTokens = 65_536,
        CanDisableThinking = true,
        MinBudget = 1,
        MaxBudget = 24_576,
        HasPenalties = false,
    };

    private static readonly ModelFacts Gemini3 = Gemini with { Thinking = ThinkingControl.Level, CanDisableThinking = false, Efforts = Levels, IsGemini3 = true };

    private readonly IReadOnlyList<(string Pattern, ModelFacts Facts)> _own;

    /// <param name="own">Exact names, or prefixes with a <c>*</c> at the end; the most exact one wins.</param>
    public ModelTable(IEnumerable<(string Pattern, ModelFacts Facts)>? own = null) => _own = [.. own ?? []];

    public ModelFacts Find(string model)
    {
        (string Pattern, ModelFacts Facts)? best = null;
        foreach ((string pattern, ModelFacts facts) in _own)
        {
            bool fits = pattern.EndsWith('*') ? model.StartsWith(pattern[..^1], StringComparison.Ordinal) : model == pattern;
            if (!fits) continue;
            if (!pattern.EndsWith('*')) return facts;
            if (best is null || pattern.Length > best.Value.Pattern.Length) best = (pattern, facts);
        }
        return best?.Facts ?? BuiltIn(model);
    }

    /// <summary>The built-in row alone; what own rows are made from.</summary>
    public static ModelFacts BuiltIn(string model)
    {
        string name = model.ToLowerInvariant().Replace('.', '-');
        (string Pattern, ModelFacts Facts) best = ("", new ModelFacts());
        foreach ((string pattern, ModelFacts facts) in Rows)
        {
            if (pattern.Length > best.Pattern.Length && name.Contains(pattern, StringComparison.Ordinal)) best = (pattern, facts);
        }
        return best.Facts;
    }

    private static readonly IReadOnlyList<(string Pattern, ModelFacts Facts)> Rows =
    [
        ("claude-", Claude),
        ("claude-sonnet-5-5", Claude with { CanDisableThinking = false, HasBetweenTools = true, HasForcedChoice = false, HasMidSystem = true }),
        ("claude-opus-5-5", Claude with { CanDisableThinking = false, HasForcedChoice = false, HasMidSystem = true }),
        ("claude-haiku-5-5", Claude),
        ("claude-fable-5", Claude with { CanDisableThinking = false, HasMidSystem = true }),
        ("claude-fable-5-1", Claude with { CanDisableThinking = false, HasForcedChoice = false, HasMidSystem = true }),
        ("claude-fable-5-2", Claude with { CanDisableThinking = false, HasForcedChoice = false, HasMidSystem = true }),
        ("claude-opus-5", Claude with { HasMidSystem = true }),
        ("claude-sonnet-5", Claude with { HasMidSystem = true }),
        ("claude-opus-4-7", Claude),
        ("claude-opus-4-8", Claude with { HasMidSystem = true }),
        ("claude-opus-4-6", Claude with { Efforts = WithoutXHigh, HasSampling = true, ContextWindow = 200_000 }),
        ("claude-sonnet-4-6", Claude with { Efforts = WithoutXHigh, HasSampling = true, ContextWindow = 200_000 }),
        ("claude-opus-4-5", Claude4 with { HasOutputSchema = true }),
        ("claude-sonnet-4-5", Claude4 with { HasOutputSchema = true }),
        ("claude-haiku-4-5", Claude4 with { HasOutputSchema = true }),
        ("claude-opus-4-1", Claude4 with { MaxOutputTokens = 32_000, HasOutputSchema = true }),
        ("claude-opus-4", Claude4 with { MaxOutputTokens = 32_000 }),
        ("claude-sonnet-4", Claude4),
        ("claude-3-", Claude4 with { Thinking = ThinkingControl.None, MaxOutputTokens = 4_096 }),
        ("claude-3-5-", Claude4 with { Thinking = ThinkingControl.None, MaxOutputTokens = 8_192 }),
        ("claude-3-7-", Claude4),
        ("gemini-", Gemini),
        ("gemini-1-", Gemini with { Thinking = ThinkingControl.None, MaxOutputTokens = 8_192, HasPenalties = true }),
        ("gemini-2-0", Gemini with { Thinking = ThinkingControl.None, MaxOutputTokens = 8_192, HasPenalties = true }),
        ("gemini-2-5-pro", Gemini with { CanDisableThinking = false, MinBudget = 128, MaxBudget = 32_768 }),
        ("gemini-2-5-flash", Gemini),
        ("gemini-2-5-flash-lite", Gemini with { MinBudget = 512 }),
        ("gemini-2-5-flash-image", Gemini with { Thinking = ThinkingControl.None }),
        ("gemini-3", Gemini3),
        ("gemini-3-pro", Gemini3 with { Efforts = [ReasoningEffort.Low, ReasoningEffort.High] }),
        .. Enumerable.Range(1, 9).Select(static minor => ($"gemini-3-{minor}-pro", Gemini3 with { Efforts = [ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High] })),
        ("gemini-4", Gemini3),
        ("gemini-5", Gemini3),
        // Whatever is the latest.
        ("gemini-pro-latest", Gemini3 with { Efforts = [ReasoningEffort.Low, ReasoningEffort.High] }),
        ("gemini-flash-latest", Gemini3),
        ("gemini-flash-lite-latest", Gemini3),
        ("gemma", new ModelFacts { Thinking = ThinkingControl.None, HasSystem = false }),
    ];
}
