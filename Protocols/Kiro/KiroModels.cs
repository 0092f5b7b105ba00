using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>The service's model ids, how other names become one of them, and how each model is asked to think.</summary>
/// <remarks>Ids have dots where Anthropic has dashes: <c>claude-sonnet-4.5</c>.</remarks>
public sealed partial record KiroModels
{
    /// <summary>Ids as the service lists them; a name that means one of them becomes it.</summary>
    public IReadOnlyList<string> Ids { get; init; } =
    [
        "auto", "claude-opus-5", "claude-sonnet-5", "claude-opus-4.8", "claude-opus-4.7", "claude-opus-4.6", "claude-opus-4.5", "claude-sonnet-4.6", "claude-sonnet-4.5",
        "claude-sonnet-4", "claude-haiku-4.5", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "minimax-m2.5", "glm-5", "claude-3-7-sonnet-20250219",
    ];

    /// <summary>Endings of other providers' names, beside a date.</summary>
    public IReadOnlyList<string> DroppedEndings { get; init; } = [LargeMark, "-thinking", "-latest"];

    /// <summary>Id prefixes; the longest that fits decides. No prefix: the model is not asked to think.</summary>
    public IReadOnlyList<(string Prefix, KiroThinking Way)> Thinking { get; init; } =
    [
        ("claude-opus-4.6", KiroThinking.Adaptive), ("claude-opus-4.7", KiroThinking.Adaptive), ("claude-opus-4.8", KiroThinking.Adaptive),
        ("claude-opus-5", KiroThinking.Adaptive), ("claude-sonnet-4.6", KiroThinking.Adaptive), ("claude-sonnet-5", KiroThinking.Adaptive),
        ("gpt-5.6", KiroThinking.Effort), ("claude-", KiroThinking.Tags),
    ];

    /// <summary>Tokens by exact id, as the service's own list tells them.</summary>
    public IReadOnlyDictionary<string, long> Windows { get; init; } = new Dictionary<string, long>();

    /// <summary>Tokens, where nothing is known of a model.</summary>
    public long UsualWindow { get; init; } = 200_000;

    /// <summary>Tokens, where the name ends in <see cref="LargeMark"/>.</summary>
    public long LargeWindow { get; init; } = 1_000_000;

    /// <summary>What clients put behind a model's name to say that they count on its larger window.</summary>
    public const string LargeMark = "[1m]";

    /// <summary>The service's id for a model's name; a name that means none of them comes out in the service's spelling.</summary>
    public string Id(string model)
    {
        if (Ids.Contains(model)) return model;
        string plain = Plain(model);
        foreach (string id in Ids)
        {
            if (id == plain || Plain(id) == plain) return id;
        }
        return plain;
    }

    /// <param name="id">Of the service.</param>
    public KiroThinking ThinkingOf(string id)
    {
        (string Prefix, KiroThinking Way) best = ("", KiroThinking.None);
        foreach ((string prefix, KiroThinking way) in Thinking)
        {
            if (prefix.Length > best.Prefix.Length && id.StartsWith(prefix, StringComparison.Ordinal)) best = (prefix, way);
        }
        return best.Way;
    }

    /// <summary>Tokens that a prompt and its answer may have together.</summary>
    /// <param name="model">As the request names it.</param>
    public long WindowOf(string model, ModelFacts facts) =>
        Windows.TryGetValue(Id(model), out long told) ? told : model.EndsWith(LargeMark, StringComparison.Ordinal) ? LargeWindow : facts.ContextWindow ?? UsualWindow;

    public static bool IsClaude(string id) => id.StartsWith("claude", StringComparison.Ordinal);

    private string Plain(string model)
    {
        string name = model;
        for (string before = ""; before != name;)
        {
            before = name;
            foreach (string ending in DroppedEndings)
            {
                if (name.EndsWith(ending, StringComparison.Ordinal)) name = name[..^ending.Length];
            }
            name = Date().Replace(name, "");
        }
        return Version().Replace(name, "$1.$2");
    }

    [GeneratedRegex(@"[-@]20\d{6}$", RegexOptions.CultureInvariant)]
    private static partial Regex Date();

    [GeneratedRegex(@"^(claude-[a-z]+-\d+)-(\d+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}

/// <summary>By which words a model is asked to think.</summary>
public enum KiroThinking
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>By members of the request; the thoughts come as events of their own, with a signature.</summary>
    Adaptive,

    /// <summary>By an effort; thoughts come as events or not at all.</summary>
    Effort,

    /// <summary>By tags in the system prompt; the thoughts come between tags in the answer's text.</summary>
    Tags,
}
