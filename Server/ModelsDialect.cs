namespace Aiproxy.Server;

/// <summary><c>/v1/models</c> belongs to three protocols; headers tell whose it is.</summary>
public static class ModelsDialect
{
    /// <summary>A protocol's name.</summary>
    public static string Of(Call call)
    {
        if (call.Path.Path.StartsWith("/v1beta", StringComparison.Ordinal)) return "gemini";
        if (call.Header("x-goog-api-key") is not null || call.Header("x-goog-api-client") is not null || call.Path.Key is not null) return "gemini";
        return call.Header("anthropic-version") is not null ? "anthropic" : "openai";
    }
}
