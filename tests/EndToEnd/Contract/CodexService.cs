using System.Text;
using System.Text.Json;
using Aiproxy.Tests.Upstreams.Codex;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>chatgpt.com's back end for Codex: Responses without a memory, in streams alone.</summary>
public sealed class CodexService : IModelService
{
    public string ContentType => "text/event-stream";

    public long InputTokens => 11;

    public bool IsStream(RecordedRequest request) => true;

    public string? Broken(RecordedRequest request, FakeProviderGrant? grant)
    {
        if (request.Method != "POST" || request.Target != "/codex/backend-api/codex/responses") return $"no such path: {request.Method} {request.Target}";
        if (request.Header("x-api-key") is not null || request.Header("api-key") is not null) return "an API key is sent";
        if (request.Header("ChatGPT-Account-ID") != grant?.Account.AccountId) return $"ChatGPT-Account-ID: {request.Header("ChatGPT-Account-ID")}";
        if (request.Header("Accept") != "text/event-stream") return "Accept";
        if (request.Header("Content-Type")?.StartsWith("application/json", StringComparison.Ordinal) != true) return "Content-Type";
        if (string.IsNullOrEmpty(request.Header("originator"))) return "originator is missing";
        return CodexRules.Refusal(JsonDocument.Parse(request.Text).RootElement);
    }

    public FakeAnswer Refuse(string rule) => Detail(400, rule);

    public FakeAnswer Unauthorized(string words) => Detail(401, "Unauthorized " + words);

    public FakeAnswer Error(Saying saying, string words) => saying switch
    {
        Saying.Limited => Coded(429, "rate_limit_exceeded", $"Rate limit reached for gpt-5.5. Please try again in 400s. {words}"),
        Saying.Quota => FakeAnswer.Json(429, $$$"""{"error":{"type":"usage_limit_reached","message":{{{JsonLook.Quote("The usage limit has been reached. " + words)}}},"plan_type":"plus","resets_at":{{{DateTimeOffset.UtcNow.AddSeconds(1500).ToUnixTimeSeconds()}}},"resets_in_seconds":1500}}"""),
        Saying.Overloaded => Coded(503, "server_is_overloaded", "Our servers are currently overloaded. " + words),
        Saying.TooLong => Coded(400, "context_length_exceeded", "Your input exceeds the context window of this model. " + words),
        Saying.Forbidden => Detail(403, "This workspace is not entitled. " + words),
        Saying.UnknownModel => Detail(400, "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account."),
        _ => Detail(400, words),
    };

    public ServiceStream Stream(Saying saying, RecordedRequest request)
    {
        Transcript transcript = saying switch
        {
            Saying.Tool => Dialects.Responses.Tool(),
            Saying.Thinking => Dialects.Responses.Thinking(),
            _ => Dialects.Responses.Text("One two three four"),
        };
        ServiceStream stream = ServiceStream.Of(transcript);
        // Its own event goes between, and the last one is without what was streamed.
        return stream with
        {
            Opening = [.. stream.Opening, Encoding.UTF8.GetBytes("event: codex.rate_limits\ndata: {\"type\":\"codex.rate_limits\",\"rate_limits\":{\"primary\":{\"used_percent\":12}}}\n\n")],
            Ending = [.. transcript.Terminal.Select(frame => Encoding.UTF8.GetBytes(WithoutOutput(frame)))],
        };
    }

    public string? Whole(Saying saying, RecordedRequest request) => null;

    public byte[] ErrorFrame(string words) => Encoding.UTF8.GetBytes(
        $$$$"""data: {"type":"response.failed","response":{"id":"resp_1","object":"response","created_at":1795000000,"model":"up-model","status":"failed","output":[],"error":{"code":"server_is_overloaded","message":{{{{JsonLook.Quote(words)}}}}}},"sequence_number":9}""" + "\n\n");

    private static string WithoutOutput(string frame)
    {
        int from = frame.IndexOf("\"output\":[", StringComparison.Ordinal) + "\"output\":[".Length, to = frame.IndexOf("],\"parallel_tool_calls\"", StringComparison.Ordinal);
        return frame[..from] + frame[to..];
    }

    private static FakeAnswer Detail(int status, string text) => FakeAnswer.Json(status, $$"""{"detail":{{JsonLook.Quote(text)}}}""");

    private static FakeAnswer Coded(int status, string code, string message) =>
        FakeAnswer.Json(status, $$$"""{"error":{"message":{{{JsonLook.Quote(message)}}},"type":"{{{(status < 429 ? "invalid_request_error" : "server_error")}}}","param":null,"code":"{{{code}}}"}}""");
}
