using System.Text;
using Aiproxy.Tests.Upstreams.Google;
using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Google Code Assist for both types that use it: Gemini's dialect in an envelope.</summary>
public sealed class CodeAssistService(string type) : IModelService
{
    private const string Usage = """ "usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":5,"totalTokenCount":16,"cachedContentTokenCount":3},"modelVersion":"up-model","responseId":"resp1"}""";

    public string ContentType => "text/event-stream";

    public long InputTokens => 11;

    public bool IsStream(RecordedRequest request) => request.Target.Contains(":streamGenerateContent", StringComparison.Ordinal);

    public string? Broken(RecordedRequest request, FakeProviderGrant? grant)
    {
        if (request.Method != "POST" || request.Target != $"/{type}/v1internal:" + (IsStream(request) ? "streamGenerateContent?alt=sse" : "generateContent")) return $"no such path: {request.Method} {request.Target}";
        if (request.Header("x-goog-api-key") is not null) return "an API key is sent";
        if (request.Header("x-goog-user-project") is not null) return "USER_PROJECT_DENIED";
        if (request.Header("Accept") != (IsStream(request) ? "text/event-stream" : "application/json")) return $"Accept: {request.Header("Accept")}";
        if (request.Header("Content-Type")?.StartsWith("application/json", StringComparison.Ordinal) != true) return "Content-Type";
        if (!CodeAssistRules.HasProject(request.Text) || Text(request.Text, "project") != grant?.Account.ProjectId) return "project: not the account's";
        if (type == "antigravity" && Family(request) == "claude" && !IsStream(request)) return "Claude is asked for whole answers, which come incomplete";
        return CodeAssistRules.Check(type, IsStream(request) ? "streamGenerateContent" : "generateContent", request.Text) is { Count: > 0 } rules ? string.Join("; ", rules) : null;
    }

    public FakeAnswer Refuse(string rule) => Status(400, "INVALID_ARGUMENT", rule);

    public FakeAnswer Unauthorized(string words) => Status(401, "UNAUTHENTICATED", "Request had invalid authentication credentials. " + words);

    public FakeAnswer Error(Saying saying, string words) => saying switch
    {
        Saying.Limited => Status(429, "RESOURCE_EXHAUSTED", words, """{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"cloudcode-pa.googleapis.com","metadata":{"quotaResetDelay":"250s"}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"250s"}"""),
        Saying.Quota => Status(429, "RESOURCE_EXHAUSTED", words, """{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"QUOTA_EXHAUSTED","domain":"cloudcode-pa.googleapis.com","metadata":{"quotaResetDelay":"1h2m3.5s"}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3723.5s"}"""),
        Saying.Overloaded => Status(503, "UNAVAILABLE", "The service is currently unavailable. " + words),
        Saying.TooLong => Status(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576). " + words),
        Saying.Forbidden => Status(403, "PERMISSION_DENIED", "The caller does not have required license. " + words),
        Saying.UnknownModel => Status(404, "NOT_FOUND", "Requested entity was not found. " + words),
        _ => Status(400, "INVALID_ARGUMENT", words),
    };

    public ServiceStream Stream(Saying saying, RecordedRequest request) => new(
        [],
        saying switch
        {
            Saying.Tool => [Frame(Call(request))],
            Saying.Thinking => [Frame("""{"text":"I think.","thought":true}"""), .. Proof(request).Select(part => Frame(part)), Frame("""{"text":"So it is."}""")],
            _ => [.. new[] { "One", " two", " three", " four" }.Select(word => Frame($$"""{"text":"{{word}}"}"""))],
        },
        // A trace id alone, which no client knows.
        [Encoding.UTF8.GetBytes("data: {\"traceId\":\"fake-trace\"}\r\n\r\n"), Frame("""{"text":""}""", "STOP")]);

    public string? Whole(Saying saying, RecordedRequest request) => Wrapped(
        saying switch
        {
            Saying.Tool => Call(request),
            Saying.Thinking => string.Join(',', [.. new[] { """{"text":"I think.","thought":true}""" }, .. Proof(request), """{"text":"So it is."}"""]),
            _ => """{"text":"One two three four"}""",
        },
        "STOP");

    public byte[] ErrorFrame(string words) => Encoding.UTF8.GetBytes($$$"""data: {"error":{"code":503,"status":"UNAVAILABLE","message":{{{Quote(words)}}}}}""" + "\r\n\r\n");

    private static string Family(RecordedRequest request) => (Text(request.Text, "model") ?? "").StartsWith("claude", StringComparison.Ordinal) ? "claude" : "gemini";

    private static string Call(RecordedRequest request) => Family(request) == "claude"
        ? """{"functionCall":{"id":"toolu_vrtx_1","name":"get_weather","args":{"city":"Oslo","unit":"c"}}}"""
        : """{"functionCall":{"name":"get_weather","args":{"city":"Oslo","unit":"c"}},"thoughtSignature":"c2ln"}""";

    // Claude's come in base64 of base64, on an empty thought; Gemini puts them on what follows.
    private static string[] Proof(RecordedRequest request) => Family(request) == "claude" ? ["""{"text":"","thought":true,"thoughtSignature":"RW9GQktF"}"""] : [];

    private static byte[] Frame(string parts, string? reason = null) => Encoding.UTF8.GetBytes($"data: {Wrapped(parts, reason)}\r\n\r\n");

    private static string Wrapped(string parts, string? reason) =>
        $$"""{"response":{"candidates":[{"content":{"parts":[{{parts}}],"role":"model"},{{(reason is null ? "" : $"\"finishReason\":\"{reason}\",")}}"index":0}],""" + Usage + ""","traceId":"fake-trace"}""";

    private static FakeAnswer Status(int code, string status, string message, string? details = null) => FakeAnswer.Json(
        code, $$$"""{"error":{"code":{{{code}}},"message":{{{Quote(message)}}},"status":"{{{status}}}"{{{(details is null ? "" : $",\"details\":[{details}]")}}}}}""");
}
