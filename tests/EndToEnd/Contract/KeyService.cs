using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>A provider with keys: one of the four protocols in its own words.</summary>
public sealed class KeyService(IDialect dialect) : IModelService
{
    public string ContentType => "text/event-stream";

    public long InputTokens => dialect.Name == "anthropic" ? 14 : 11;

    public bool IsStream(RecordedRequest request) => SharedRig.IsStream(request);

    public string? Broken(RecordedRequest request, FakeProviderGrant? grant)
    {
        foreach (string name in (string[])["Authorization", "x-api-key", "x-goog-api-key"])
            if (!name.Equals(dialect.Credential.Header, StringComparison.OrdinalIgnoreCase) && request.Header(name) is not null) return $"{name} is sent";
        if (request.Header("Content-Type")?.StartsWith("application/json", StringComparison.Ordinal) != true) return "Content-Type";
        if (!request.Target.StartsWith(dialect.Path(ContractKind.OfKey(dialect).Model, IsStream(request)).Split('?')[0], StringComparison.Ordinal)) return $"no such path: {request.Target}";
        if (dialect.Name == "gemini" && IsStream(request) && !request.Target.Contains("alt=sse", StringComparison.Ordinal)) return "alt=sse is missing";
        if (dialect.Name == "anthropic" && request.Header("anthropic-version") is null) return "anthropic-version: header is required";
        JsonElement body = JsonDocument.Parse(request.Text).RootElement;
        if (dialect.Name == "anthropic") return MessagesRules.Broken(body);
        string list = dialect.Name switch { "openai" => "messages", "responses" => "input", _ => "contents" };
        return body.TryGetProperty(list, out JsonElement messages) && messages.ValueKind == JsonValueKind.Array && messages.GetArrayLength() > 0 || dialect.Name == "responses" ? null : $"{list} is missing";
    }

    public FakeAnswer Refuse(string rule) => FakeAnswer.Json(400, dialect.ErrorBody(400, rule));

    public FakeAnswer Unauthorized(string words) => FakeAnswer.Json(401, dialect.ErrorBody(401, "Incorrect API key provided. " + words));

    public FakeAnswer Error(Saying saying, string words) => (saying, dialect.Name) switch
    {
        (Saying.Limited, _) => FakeAnswer.Json(429, dialect.ErrorBody(429, words), ("retry-after", "400")),
        (Saying.Quota, "openai" or "responses") =>
            FakeAnswer.Json(429, $$$"""{"error":{"message":{{{JsonLook.Quote(words)}}},"type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"""),
        (Saying.Quota, _) => FakeAnswer.Json(429, dialect.ErrorBody(429, words), ("retry-after", "1500")),
        (Saying.Overloaded, _) => FakeAnswer.Json(503, dialect.ErrorBody(503, words)),
        (Saying.TooLong, "openai" or "responses") =>
            FakeAnswer.Json(400, $$$"""{"error":{"message":{{{JsonLook.Quote("Your input exceeds the context window of this model. " + words)}}},"type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"""),
        (Saying.TooLong, "gemini") => FakeAnswer.Json(400, dialect.ErrorBody(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576). " + words)),
        (Saying.TooLong, _) => FakeAnswer.Json(400, dialect.ErrorBody(400, "prompt is too long: 210000 tokens > 200000 maximum " + words)),
        (Saying.Forbidden, _) => FakeAnswer.Json(403, dialect.ErrorBody(403, words)),
        (Saying.UnknownModel, _) => FakeAnswer.Json(404, dialect.ErrorBody(404, words)),
        _ => FakeAnswer.Json(400, dialect.ErrorBody(400, words)),
    };

    public ServiceStream Stream(Saying saying, RecordedRequest request) => ServiceStream.Of(saying switch
    {
        Saying.Tool => dialect.Tool(),
        Saying.Thinking => dialect.Thinking(),
        _ => dialect.Text("One two three four"),
    });

    public string? Whole(Saying saying, RecordedRequest request) => saying switch
    {
        Saying.Tool => dialect.WholeTool(),
        Saying.Thinking => dialect.WholeThinking(),
        _ => dialect.Whole("One two three four"),
    };

    public byte[] ErrorFrame(string words) => Encoding.UTF8.GetBytes(dialect.ErrorFrame(words));
}
