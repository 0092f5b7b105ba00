using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>Paths and headers of the providers' public APIs: what may age, in one place.</summary>
public static class ProviderPaths
{
    /// <summary>Version of the Messages API that is asked for where the client names none, and the only one that knows temperature and its kin.</summary>
    public const string AnthropicVersion = "2023-06-01";

    /// <summary>Version for translated requests without such parameters.</summary>
    public const string AnthropicVersionWithoutSampling = "2026-10-21";

    public static Uri Anthropic { get; } = new("https://api.anthropic.com");

    public static Uri OpenAI { get; } = new("https://api.openai.com");

    public static Uri Gemini { get; } = new("https://generativelanguage.googleapis.com");

    /// <summary>Version path and call, to be put behind the base URL.</summary>
    public static string Of(string protocol, RequestHead head, string upstreamModel) => (protocol, head.Target.Operation) switch
    {
        ("anthropic", Operation.CountTokens) => "/v1/messages/count_tokens",
        ("anthropic", _) => "/v1/messages",
        ("openai", _) => "/v1/chat/completions",
        ("responses", Operation.CountTokens) => "/v1/responses/input_tokens",
        ("responses", Operation.Compact) => "/v1/responses/compact",
        ("responses", _) => "/v1/responses",
        ("gemini", Operation.CountTokens) => GeminiModel(upstreamModel) + ":countTokens",
        ("gemini", _) => GeminiModel(upstreamModel) + (head.Stream ? ":streamGenerateContent" : ":generateContent"),
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "no such protocol"),
    };

    /// <summary>What must be asked for in the query where the client's does not say it; or empty.</summary>
    public static string Query(string protocol, RequestHead head) =>
        protocol == "gemini" && head is { Stream: true, JsonArray: false, Target.Operation: Operation.Generate } ? "?alt=sse" : "";

    // Tuned models have a collection of their own; a name with its collection is taken as it is.
    private static string GeminiModel(string model) =>
        "/v1beta/" + (model.StartsWith("tunedModels/", StringComparison.Ordinal) ? "" : "models/") + string.Join('/', model.Split('/').Select(Uri.EscapeDataString));
}
