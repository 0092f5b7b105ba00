using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd;

public sealed class ChatDialect : IDialect
{
    private const string Usage = """{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":3}}""";

    public string Name => "openai";

    public (string Header, string Prefix) Credential => ("Authorization", "Bearer ");

    public (string Name, string Value)[] ClientHeaders => [];

    public string Path(string model, bool stream) => "/v1/chat/completions";

    public string Body(string model, string prompt, bool stream) =>
        $$"""{"model":{{Quote(model)}},"messages":[{"role":"user","content":{{Quote(prompt)}}}]{{(stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "")}}}""";

    public string ModelOf(RecordedRequest request) => JsonLook.Text(request.Text, "model") ?? "";

    public string Whole(string text) => Completion($$"""{"role":"assistant","content":{{Quote(text)}},"refusal":null}""", "stop");

    public string WholeTool() => Completion($$"""{"role":"assistant","content":null,"tool_calls":[{{Call}}]}""", "tool_calls");

    public string WholeThinking() => Completion("""{"role":"assistant","content":"So it is.","reasoning_content":"I think."}""", "stop");

    public Transcript Text(string text) => new([Role], [.. Words(text).Select(word => Chunk($$"""{"content":{{Quote(word)}}}"""))], End("stop"));

    public Transcript Tool() => new(
        [Role],
        [
            Chunk("""{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]}"""),
            Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": \"Os"}}]}"""),
            Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":"lo\", \"unit\": \"c\"}"}}]}"""),
        ],
        End("tool_calls"));

    public Transcript Thinking() => new([Role], [Chunk("""{"reasoning_content":"I think."}"""), Chunk("""{"content":"So it is."}""")], End("stop"));

    public string ErrorBody(int status, string message) => $$$"""{"error":{"message":{{{Quote(message)}}},"type":"{{{ErrorType(status)}}}","param":null,"code":null}}""";

    public string ErrorFrame(string message) => $"data: {ErrorBody(503, message)}\n\n";

    public string TextOfWhole(string body) => JsonLook.Text(body, "choices", 0, "message", "content") ?? "";

    public string TextOfStream(string body) => string.Concat(SseText.Parse(body).Select(block => JsonLook.Text(block.Data ?? "", "choices", 0, "delta", "content")));

    public bool LooksComplete(string body) => SseText.Parse(body).Any(block =>
        block.Data?.Trim() == "[DONE]" || JsonLook.Text(block.Data ?? "", "choices", 0, "finish_reason") is not null);

    public bool TellsFailure(string body) =>
        SseText.Parse(body) is { Count: > 0 } blocks && blocks[^1].Data is { } data && JsonLook.Text(data, "error", "message") is { Length: > 0 };

    public int Fillers(string body) => SseText.Parse(body).Count(block => block.IsComment);

    public string Envelope(int status, string body)
    {
        Assert.NotNull(JsonLook.Text(body, "error", "type"));
        Assert.NotNull(JsonLook.At(body, "error", "code"));
        Assert.NotNull(JsonLook.At(body, "error", "param"));
        if (status is 400 or 401 or 404) Assert.Equal("invalid_request_error", JsonLook.Text(body, "error", "type"));
        return JsonLook.Text(body, "error", "message") ?? throw new InvalidDataException("no error.message");
    }

    internal static string ErrorType(int status) => status switch { 429 => "rate_limit_error", >= 500 => "server_error", _ => "invalid_request_error" };

    private const string Call = """{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Oslo\", \"unit\": \"c\"}"}}""";

    private static string Role { get; } = Chunk("""{"role":"assistant","content":"","refusal":null}""");

    private static string[] End(string reason) => [Chunk("{}", reason), Chunk(null), "data: [DONE]\n\n"];

    private static string Completion(string message, string reason) =>
        $$"""{"id":"chatcmpl-1","object":"chat.completion","created":1795000000,"model":"up-model","choices":[{"index":0,"message":{{message}},"logprobs":null,"finish_reason":"{{reason}}"}],"usage":{{Usage}}}""";

    private static string Chunk(string? delta, string? reason = null)
    {
        var choices = delta is null ? "" : $$"""{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{(reason is null ? "null" : Quote(reason))}}}""";
        return $$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795000000,"model":"up-model","choices":[{{choices}}],"usage":{{(delta is null ? Usage : "null")}}}""" + "\n\n";
    }

    private static IEnumerable<string> Words(string text) => text.Split(' ').Select((word, i) => i == 0 ? word : " " + word);
}
