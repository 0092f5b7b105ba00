using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>api.anthropic.com as it meets tokens of a subscription.</summary>
public sealed class ClaudeCodeService : IModelService
{
    private static readonly IDialect s_dialect = Dialects.Anthropic;

    public string ContentType => "text/event-stream; charset=utf-8";

    public long InputTokens => 14;

    public bool IsStream(RecordedRequest request) => SharedRig.IsStream(request);

    public string? Broken(RecordedRequest request, FakeProviderGrant? grant)
    {
        if (request.Method != "POST" || request.Target.Split('?')[0] != "/claudecode/v1/messages") return $"no such path: {request.Method} {request.Target}";
        if (request.Header("x-api-key") is not null) return "both x-api-key and a bearer token";
        string[] betas = [.. (request.Header("anthropic-beta") ?? "").Split(',').Select(beta => beta.Trim())];
        if (!betas.Contains("oauth-2025-04-20")) return "OAuth authentication is currently not supported.";
        if (betas.Distinct().Count() != betas.Length || betas.Contains("")) return $"Unexpected value(s) for the `anthropic-beta` header: {string.Join(',', betas)}";
        if (request.Header("anthropic-version") != "2023-06-01") return $"anthropic-version: {request.Header("anthropic-version")}";
        if (request.Header("Content-Type")?.StartsWith("application/json", StringComparison.Ordinal) != true) return "Content-Type";
        foreach (string made in (string[])["x-app", "X-Claude-Code-Session-Id", "anthropic-dangerous-direct-browser-access"])
            if (request.Header(made) is not null) return $"{made} was made up";
        return MessagesRules.Broken(JsonDocument.Parse(request.Text).RootElement);
    }

    public FakeAnswer Refuse(string rule) => FakeAnswer.Json(400, s_dialect.ErrorBody(400, rule));

    public FakeAnswer Unauthorized(string words) => FakeAnswer.Json(401, s_dialect.ErrorBody(401, "Invalid bearer token " + words));

    public FakeAnswer Error(Saying saying, string words)
    {
        string reset = DateTimeOffset.UtcNow.AddSeconds(1500).ToUnixTimeSeconds().ToString();
        return saying switch
        {
            Saying.Limited => FakeAnswer.Json(429, s_dialect.ErrorBody(429, words), ("retry-after", "400")),
            Saying.Quota => FakeAnswer.Json(
                429, s_dialect.ErrorBody(429, words), ("anthropic-ratelimit-unified-status", "rejected"), ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
                ("anthropic-ratelimit-unified-5h-status", "rejected"), ("anthropic-ratelimit-unified-5h-reset", reset), ("anthropic-ratelimit-unified-reset", reset)),
            Saying.Overloaded => FakeAnswer.Json(529, s_dialect.ErrorBody(529, words)),
            Saying.TooLong => FakeAnswer.Json(400, s_dialect.ErrorBody(400, "prompt is too long: 210000 tokens > 200000 maximum " + words)),
            Saying.Forbidden => FakeAnswer.Json(403, s_dialect.ErrorBody(403, "OAuth authentication is currently not allowed for this organization. " + words)),
            Saying.UnknownModel => FakeAnswer.Json(404, s_dialect.ErrorBody(404, "model: claude-x " + words)),
            _ => FakeAnswer.Json(400, s_dialect.ErrorBody(400, words)),
        };
    }

    public ServiceStream Stream(Saying saying, RecordedRequest request) => ServiceStream.Of(saying switch
    {
        Saying.Tool => s_dialect.Tool(),
        Saying.Thinking => s_dialect.Thinking(),
        _ => s_dialect.Text("One two three four"),
    });

    public string? Whole(Saying saying, RecordedRequest request) => saying switch
    {
        Saying.Tool => s_dialect.WholeTool(),
        Saying.Thinking => s_dialect.WholeThinking(),
        _ => s_dialect.Whole("One two three four"),
    };

    public byte[] ErrorFrame(string words) => Encoding.UTF8.GetBytes(s_dialect.ErrorFrame(words));
}
