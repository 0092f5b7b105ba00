namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>What may age of Anthropic's subscription sign-in: hosts, beta flags, model ids.</summary>
public static class ClaudeCodeFacts
{
    /// <summary>Without it a bearer token is refused as "currently not supported".</summary>
    public const string OAuthBeta = "oauth-2025-04-20";

    /// <summary>Needed for prompts beyond 200,000 tokens, where the plan has them.</summary>
    public const string LongContextBeta = "context-1m-2025-08-07";

    public const string TokenCountBeta = "token-counting-2024-11-01";

    /// <summary>A model name with this end asks for the long context.</summary>
    public const string LongContextSuffix = "[1m]";

    /// <summary>The opening that most models ask of subscription tokens. Sent only where the configuration says so.</summary>
    public const string SystemPrefix = "You are Claude Code, Anthropic's official CLI for Claude.";

    public static Uri Host { get; } = new("https://api.anthropic.com");

    /// <summary>For requests that no Anthropic client wrote.</summary>
    public static IReadOnlyList<string> TranslatedBetas { get; } = ["claude-code-20250219", OAuthBeta, "interleaved-thinking-2025-05-14"];

    public static IReadOnlyList<string> Models { get; } =
    [
        "claude-fable-5", "claude-opus-5", "claude-sonnet-5", "claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-sonnet-4-6",
        "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001",
    ];
}
