using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Models of OpenAI-like upstreams that took a request only without its effort of reasoning. Claude Code tells one with each request, and no list knows all models that
/// refuse it. Thread-safe; remembers for the life of the process.</summary>
public sealed partial class RefusedEfforts
{
    // Names come from configuration and clients; a handful is all that there is of honest ones.
    private const int MostRemembered = 256;

    private readonly ConcurrentDictionary<(string Upstream, string Model, ReasoningEffort? Effort), bool> _refused = new();

    /// <summary>The request as the target takes it: without what it refused before.</summary>
    public ChatRequest Without(ChatRequest request, UpstreamTarget target) =>
        request.Reasoning is { } reasoning && _refused.ContainsKey(Key(reasoning, target)) ? request with { Reasoning = null } : request;

    /// <summary>Notes a refusal of the effort. True: it is news, and the request may go once more without it.</summary>
    public bool Note(Outcome outcome, ChatRequest request, UpstreamTarget target) =>
        outcome is { Kind: OutcomeKind.Refused, Error: { } error } && target.Protocol.Name is "openai" or "responses" && request.Reasoning is { } reasoning
        && IsAboutEffort(error) && _refused.Count < MostRemembered && _refused.TryAdd(Key(reasoning, target), true);

    private static (string Upstream, string Model, ReasoningEffort? Effort) Key(ReasoningRequest reasoning, UpstreamTarget target) =>
        (target.Config.Name, target.Model, ReasoningScale.EffortOf(reasoning));

    private static bool IsAboutEffort(ProxyError error) => error.Param is "reasoning_effort" or "reasoning.effort" or "reasoning" || Words().IsMatch(error.Message);

    // OpenAI and Groq name the member; Ollama: "does not support thinking", "invalid reasoning value"; xAI: "does not support parameter reasoningEffort".
    [GeneratedRegex("reasoning[_. ]?effort|does not support thinking|invalid reasoning value", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
