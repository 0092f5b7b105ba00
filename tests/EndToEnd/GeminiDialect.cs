using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd;

public sealed class GeminiDialect : IDialect
{
    private const string Usage = """ "usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":5,"totalTokenCount":16},"modelVersion":"up-model","responseId":"resp1"}""";

    public string Name => "gemini";

    public (string Header, string Prefix) Credential => ("x-goog-api-key", "");

    public (string Name, string Value)[] ClientHeaders => [];

    public string Path(string model, bool stream) => $"/v1beta/models/{model}:{(stream ? "streamGenerateContent?alt=sse" : "generateContent")}";

    public string Body(string model, string prompt, bool stream) => $$"""{"contents":[{"role":"user","parts":[{"text":{{Quote(prompt)}}}]}]}""";

    public string ModelOf(RecordedRequest request)
    {
        var path = request.Target.Split('?')[0];
        var segment = path[(path.IndexOf("/models/", StringComparison.Ordinal) + "/models/".Length)..];
        return Uri.UnescapeDataString(segment[..segment.LastIndexOf(':')]);
    }

    public string Whole(string text) => Answer($$"""{"text":{{Quote(text)}}}""", "STOP");

    public string WholeTool() => Answer("""{"functionCall":{"name":"get_weather","args":{"city":"Oslo","unit":"c"}}}""", "STOP");

    public string WholeThinking() => Answer("""{"text":"I think.","thought":true},{"text":"So it is.","thoughtSignature":"c2ln"}""", "STOP");

    public Transcript Text(string text) =>
        new([], [.. text.Split(' ').Select((word, i) => Frame($$"""{"text":{{Quote(i == 0 ? word : " " + word)}}}"""))], [Frame("""{"text":""}""", "STOP")]);

    public Transcript Tool() =>
        new([], [Frame("""{"text":"Let me check."}"""), Frame("""{"functionCall":{"name":"get_weather","args":{"city":"Oslo","unit":"c"}}}""")], [Frame("""{"text":""}""", "STOP")]);

    public Transcript Thinking() =>
        new([], [Frame("""{"text":"I think.","thought":true}"""), Frame("""{"text":"So it is.","thoughtSignature":"c2ln"}""")], [Frame("""{"text":""}""", "STOP")]);

    /// <summary>A stream in the framing without <c>alt=sse</c>: the elements of one JSON array with what stands between them.</summary>
    public static string[] Array(string text) =>
        [.. text.Split(' ').Select((word, i) => (i == 0 ? "[" : ",\r\n") + Answer($$"""{"text":{{Quote(i == 0 ? word : " " + word)}}}""", null)), ",\r\n" + Answer("""{"text":""}""", "STOP"), "]"];

    public string ErrorBody(int status, string message) =>
        $$$"""{"error":{"code":{{{status}}},"message":{{{Quote(message)}}},"status":"{{{ErrorStatus(status)}}}"}}""";

    public string ErrorFrame(string message) => $"data: {ErrorBody(503, message)}\r\n\r\n";

    public string TextOfWhole(string body) => string.Concat(Enumerable.Range(0, 4)
        .Where(i => JsonLook.At(body, "candidates", 0, "content", "parts", i, "thought") is null).Select(i => JsonLook.Text(body, "candidates", 0, "content", "parts", i, "text")));

    public string TextOfStream(string body) => string.Concat(SseText.Parse(body).Select(block => TextOfWhole(block.Data ?? "")));

    public bool LooksComplete(string body) => SseText.Parse(body).Any(block => JsonLook.Text(block.Data ?? "", "candidates", 0, "finishReason") is not null);

    /// <summary>A bare object as a block of its own, without <c>data:</c>.</summary>
    public bool TellsFailure(string body)
    {
        var at = body.LastIndexOf("{\"error\"", StringComparison.Ordinal);
        if (at < 0 || (at > 0 && body[at - 1] != '\n')) return false;
        return JsonLook.Number(body[at..], "error", "code") is >= 400 and < 600 && JsonLook.Text(body[at..], "error", "message") is { Length: > 0 };
    }

    public int Fillers(string body) => SseText.Parse(body).Count(block =>
        JsonLook.At(block.Data ?? "", "modelVersion") is null && JsonLook.Text(block.Data ?? "", "candidates", 0, "content", "parts", 0, "text") == "");

    public string Envelope(int status, string body)
    {
        Assert.Equal(status, JsonLook.Number(body, "error", "code"));
        Assert.Equal(ErrorStatus(status), JsonLook.Text(body, "error", "status"));
        return JsonLook.Text(body, "error", "message") ?? throw new InvalidDataException("no error.message");
    }

    private static string Frame(string parts, string? reason = null) => $"data: {Answer(parts, reason)}\r\n\r\n";

    private static string Answer(string parts, string? reason) =>
        $$"""{"candidates":[{"content":{"parts":[{{parts}}],"role":"model"},{{(reason is null ? "" : $"\"finishReason\":\"{reason}\",")}}"index":0}],""" + Usage;

    private static string ErrorStatus(int status) => status switch
    {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        502 or 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        >= 500 => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
}
