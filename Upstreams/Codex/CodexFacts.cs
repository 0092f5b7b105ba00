using System.Collections.Frozen;

namespace Aiproxy.Upstreams.Codex;

/// <summary>What may age of the Codex back end: host, version, refused parameters, model ids.</summary>
public static class CodexFacts
{
    /// <summary>The model list hides what is too new for the client version it is told.</summary>
    public const string ClientVersion = "0.169.0";

    /// <summary>Longest name of a tool and longest call id.</summary>
    public const int MostNameChars = 64;

    /// <summary>"originator" where neither the client nor the configuration says another.</summary>
    public const string Originator = "aiproxy";

    public static Uri Host { get; } = new("https://chatgpt.com/backend-api/codex");

    /// <summary>Top-level parameters of the public API that are refused here.</summary>
    public static FrozenSet<string> Refused { get; } = FrozenSet.ToFrozenSet(
        [
            "max_output_tokens", "max_completion_tokens", "max_tokens", "temperature", "top_p", "truncation", "user", "prompt_cache_retention", "prompt_cache_options",
            "safety_identifier", "stream_options", "context_management", "generate", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty", "background",
            "conversation", "max_tool_calls", "metadata",
        ], StringComparer.Ordinal);

    public static IReadOnlyList<string> Models { get; } =
        ["gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex-spark"];
}
