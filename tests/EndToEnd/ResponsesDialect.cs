using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd;

public sealed class ResponsesDialect : IDialect
{
    private const string Usage = """{"input_tokens":11,"input_tokens_details":{"cached_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":16}""";
    private const string CallItem = """{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"city\": \"Oslo\", \"unit\": \"c\"}","call_id":"call_1","name":"get_weather"}""";
    private const string ReasoningItem = """{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"I think."}],"encrypted_content":"gAAA","status":"completed"}""";

    public string Name => "responses";

    public (string Header, string Prefix) Credential => ("Authorization", "Bearer ");

    public (string Name, string Value)[] ClientHeaders => [];

    public string Path(string model, bool stream) => "/v1/responses";

    public string Body(string model, string prompt, bool stream) =>
        $$$"""{"model":{{{Quote(model)}}},"input":{{{Quote(prompt)}}},"store":false{{{(stream ? ",\"stream\":true" : "")}}}}""";

    public string ModelOf(RecordedRequest request) => JsonLook.Text(request.Text, "model") ?? "";

    public string Whole(string text) => Response("completed", MessageItem(text));

    public string WholeTool() => Response("completed", CallItem);

    public string WholeThinking() => Response("completed", ReasoningItem + "," + MessageItem("So it is."));

    public Transcript Text(string text) => Number(Handshake, Message(0, text), [Completed(MessageItem(text))]);

    public Transcript Tool() => Number(
        Handshake,
        [
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"get_weather"}}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"city\": \"Os"}""",
            """{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"lo\", \"unit\": \"c\"}"}""",
            """{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"city\": \"Oslo\", \"unit\": \"c\"}"}""",
            $$$"""{"type":"response.output_item.done","output_index":0,"item":{{{CallItem}}}}""",
        ],
        [Completed(CallItem)]);

    public Transcript Thinking() => Number(
        Handshake,
        [
            """{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"status":"in_progress"}}""",
            """{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}""",
            """{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"I think."}""",
            """{"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"I think."}""",
            """{"type":"response.reasoning_summary_part.done","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"I think."}}""",
            $$$"""{"type":"response.output_item.done","output_index":0,"item":{{{ReasoningItem}}}}""",
            .. Message(1, "So it is."),
        ],
        [Completed(ReasoningItem + "," + MessageItem("So it is."))]);

    public string ErrorBody(int status, string message) => Dialects.Chat.ErrorBody(status, message);

    public string ErrorFrame(string message) =>
        $$"""event: error{{"\n"}}data: {"type":"error","code":"server_error","message":{{Quote(message)}},"param":null,"sequence_number":9}{{"\n\n"}}""";

    public string TextOfWhole(string body) =>
        Enumerable.Range(0, 4).Select(i => JsonLook.Text(body, "output", i, "content", 0, "text")).FirstOrDefault(text => text is not null) ?? "";

    public string TextOfStream(string body) => string.Concat(SseText.Parse(body)
        .Where(block => JsonLook.Text(block.Data ?? "", "type") == "response.output_text.delta").Select(block => JsonLook.Text(block.Data!, "delta")));

    public bool LooksComplete(string body) =>
        SseText.Parse(body).Any(block => JsonLook.Text(block.Data ?? "", "type") is "response.completed" or "response.incomplete");

    public bool TellsFailure(string body)
    {
        var blocks = SseText.Parse(body);
        if (blocks.Any(block => block.Event == "error" || JsonLook.Text(block.Data ?? "", "type") == "error")) return false;
        return blocks.Count > 0 && blocks[^1] is { Event: "response.failed", Data: { } data }
            && JsonLook.Text(data, "type") == "response.failed" && JsonLook.Text(data, "response", "status") == "failed"
            && JsonLook.Text(data, "response", "id") is { Length: > 0 } && JsonLook.Text(data, "response", "error", "code") is { Length: > 0 };
    }

    public int Fillers(string body) => SseText.Parse(body).Count(block => block.Event == "keepalive" && JsonLook.Number(block.Data ?? "", "sequence_number") is not null);

    public string Envelope(int status, string body) => Dialects.Chat.Envelope(status, body);

    private static string[] Handshake { get; } =
    [
        $$$"""{"type":"response.created","response":{{{Response("in_progress", "")}}}}""",
        $$$"""{"type":"response.in_progress","response":{{{Response("in_progress", "")}}}}""",
    ];

    private static string[] Message(int index, string text) =>
    [
        $$$"""{"type":"response.output_item.added","output_index":{{{index}}},"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}""",
        $$$"""{"type":"response.content_part.added","item_id":"msg_1","output_index":{{{index}}},"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}""",
        .. text.Split(' ').Select((word, i) =>
            $$"""{"type":"response.output_text.delta","item_id":"msg_1","output_index":{{index}},"content_index":0,"delta":{{Quote(i == 0 ? word : " " + word)}},"logprobs":[]}"""),
        $$"""{"type":"response.output_text.done","item_id":"msg_1","output_index":{{index}},"content_index":0,"text":{{Quote(text)}},"logprobs":[]}""",
        $$$"""{"type":"response.content_part.done","item_id":"msg_1","output_index":{{{index}}},"content_index":0,"part":{"type":"output_text","text":{{{Quote(text)}}},"annotations":[],"logprobs":[]}}""",
        $$$"""{"type":"response.output_item.done","output_index":{{{index}}},"item":{{{MessageItem(text)}}}}""",
    ];

    private static string Completed(string items) => $$$"""{"type":"response.completed","response":{{{Response("completed", items)}}}}""";

    private static string MessageItem(string text) =>
        $$"""{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","text":{{Quote(text)}},"annotations":[],"logprobs":[]}],"role":"assistant"}""";

    private static string Response(string status, string items) =>
        $$$"""{"id":"resp_1","object":"response","created_at":1795000000,"status":"{{{status}}}","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"up-model","output":[{{{items}}}],"parallel_tool_calls":true,"store":false,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"usage":{{{(status == "completed" ? Usage : "null")}}}}""";

    /// <summary>Gives every event its number and its event line.</summary>
    private static Transcript Number(string[] handshake, string[] output, string[] terminal)
    {
        var number = 0;
        string Frame(string json) => $"event: {JsonLook.Text(json, "type")}\ndata: {json[..^1]},\"sequence_number\":{number++}}}\n\n";
        return new Transcript([.. handshake.Select(Frame)], [.. output.Select(Frame)], [.. terminal.Select(Frame)]);
    }
}
