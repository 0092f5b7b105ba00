using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd;

public sealed class AnthropicDialect : IDialect
{
    private const string Usage = """{"input_tokens":11,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":5}""";

    public string Name => "anthropic";

    public (string Header, string Prefix) Credential => ("x-api-key", "");

    public (string Name, string Value)[] ClientHeaders => [("anthropic-version", "2023-06-01")];

    public string Path(string model, bool stream) => "/v1/messages";

    public string Body(string model, string prompt, bool stream) =>
        $$"""{"model":{{Quote(model)}},"max_tokens":64,"messages":[{"role":"user","content":{{Quote(prompt)}}}]{{(stream ? ",\"stream\":true" : "")}}}""";

    public string ModelOf(RecordedRequest request) => JsonLook.Text(request.Text, "model") ?? "";

    public string Whole(string text) => Message($$"""{"type":"text","text":{{Quote(text)}}}""", "end_turn");

    public string WholeTool() => Message("""{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Oslo","unit":"c"}}""", "tool_use");

    public string WholeThinking() =>
        Message("""{"type":"thinking","thinking":"I think.","signature":"c2ln"},{"type":"text","text":"So it is."}""", "end_turn");

    public Transcript Text(string text) => new(
        [Start, Event("ping", """{"type":"ping"}""")],
        [
            Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"""),
            .. Words(text).Select(word => Event("content_block_delta", $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{{{Quote(word)}}}}}""")),
            Event("content_block_stop", """{"type":"content_block_stop","index":0}"""),
        ],
        End("end_turn"));

    public Transcript Tool() => new(
        [Start],
        [
            Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"city\": \"Os"}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"lo\", \"unit\": \"c\"}"}}"""),
            Event("content_block_stop", """{"type":"content_block_stop","index":0}"""),
        ],
        End("tool_use"));

    public Transcript Thinking() => new(
        [Start],
        [
            Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"I think."}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"""),
            Event("content_block_stop", """{"type":"content_block_stop","index":0}"""),
            Event("content_block_start", """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"""),
            Event("content_block_delta", """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"So it is."}}"""),
            Event("content_block_stop", """{"type":"content_block_stop","index":1}"""),
        ],
        End("end_turn"));

    public string ErrorBody(int status, string message) =>
        $$$"""{"type":"error","error":{"type":"{{{ErrorType(status)}}}","message":{{{Quote(message)}}}},"request_id":"req_fake"}""";

    public string ErrorFrame(string message) =>
        Event("error", $$$"""{"type":"error","error":{"type":"overloaded_error","message":{{{Quote(message)}}}}}""");

    public string TextOfWhole(string body) =>
        Enumerable.Range(0, 8).Select(i => JsonLook.Text(body, "content", i, "text")).FirstOrDefault(text => text is not null) ?? "";

    public string TextOfStream(string body) => string.Concat(SseText.Parse(body).Select(block => JsonLook.Text(block.Data ?? "", "delta", "text")));

    public bool LooksComplete(string body) => SseText.Parse(body).Any(block =>
        block.Event == "message_stop" || JsonLook.Text(block.Data ?? "", "type") == "message_stop" || JsonLook.Text(block.Data ?? "", "delta", "stop_reason") is not null);

    public bool TellsFailure(string body) =>
        SseText.Parse(body) is { Count: > 0 } blocks && blocks[^1] is { Event: "error", Data: { } data }
        && JsonLook.Text(data, "type") == "error" && JsonLook.Text(data, "error", "type") is { Length: > 0 } && JsonLook.Text(data, "error", "message") is { Length: > 0 };

    public int Fillers(string body) => SseText.Parse(body).Count(block => block.Event == "ping" && JsonLook.Text(block.Data ?? "", "type") == "ping");

    public string Envelope(int status, string body)
    {
        Assert.Equal("error", JsonLook.Text(body, "type"));
        Assert.Equal(ErrorType(status), JsonLook.Text(body, "error", "type"));
        return JsonLook.Text(body, "error", "message") ?? throw new InvalidDataException("no error.message");
    }

    private static string Start { get; } = Event(
        "message_start",
        $$$"""{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{{Usage}}}}}""");

    private static string[] End(string reason) =>
    [
        Event("message_delta", $$$"""{"type":"message_delta","delta":{"stop_reason":"{{{reason}}}","stop_sequence":null},"usage":{{{Usage}}}}"""),
        Event("message_stop", """{"type":"message_stop"}"""),
    ];

    private static string Message(string content, string reason) =>
        $$"""{"id":"msg_1","type":"message","role":"assistant","model":"up-model","content":[{{content}}],"stop_reason":"{{reason}}","stop_sequence":null,"usage":{{Usage}}}""";

    private static string Event(string name, string data) => $"event: {name}\ndata: {data}\n\n";

    private static IEnumerable<string> Words(string text) => text.Split(' ').Select((word, i) => i == 0 ? word : " " + word);

    private static string ErrorType(int status) => status switch
    {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 or 529 => "overloaded_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
