using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>One request of a client, from its body to its log line. Lives as long as the request.</summary>
public sealed class Exchange : IDisposable
{
    private ReadOnlyMemory<byte> _body;
    private JsonDocument? _document;
    private ChatRequest? _request;

    public required IClientProtocol Protocol { get; init; }

    /// <summary>What the body is written in; another than <see cref="Protocol"/> only for editors that post one protocol's body to another's path.</summary>
    public IClientProtocol? BodyProtocol { get; init; }

    /// <summary>Identity of the client's key; empty where there are no keys.</summary>
    public string Client { get; init; } = "";

    /// <summary>Takes a whole Responses answer that was made here, for later turns that refer to it; null: nobody keeps it.</summary>
    public Action<ReadOnlyMemory<byte>>? KeepAnswer { get; init; }

    public required RequestHead Head { get; init; }

    /// <summary>The decoded body. Pooled: dead, and empty, after <see cref="ReleaseRequest"/>.</summary>
    public required ReadOnlyMemory<byte> Body
    {
        get => _body;
        init => _body = value;
    }

    /// <summary>Gives the body's memory back; null: its owner does so after the request.</summary>
    public Action? OnRelease { get; init; }

    /// <summary>Told that somebody may read the body later than anybody here knows: its memory is not used again. null: it never is.</summary>
    public Action? OnLent { get; init; }

    /// <summary>Room for so many bytes beside the body, until disposed; null: there was none in time. Absent: not bounded.</summary>
    public Func<long, CancellationToken, ValueTask<IDisposable?>>? RoomAsync { get; init; }

    /// <summary>Somebody looks at the request until the end of the answer.</summary>
    public bool KeepsRequest { get; set; }

    /// <summary>The client's query without its key, with the question mark; or empty.</summary>
    public required string Query { get; init; }

    /// <summary>The client's headers that may pass to an upstream of the same protocol.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    /// <summary>What the client's program says of itself (<c>User-Agent</c> and the like): for the provider whose own tool it is, and for nobody else.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ToolHeaders { get; init; } = [];

    public required ClientAnswer Answer { get; init; }

    /// <summary>For writers of the client's protocol.</summary>
    public required WriterOptions WriterOptions { get; init; }

    /// <summary>Content type of a stream to this client.</summary>
    public string StreamContentType => Head.JsonArray ? "application/json; charset=UTF-8" : "text/event-stream; charset=utf-8";

    /// <summary>Unique; also in the answer's headers and the log.</summary>
    public required string RequestId { get; init; }

    public required TimeProvider Clock { get; init; }

    /// <summary>Timestamp of <see cref="Clock"/> at which all attempts end; <see cref="long.MaxValue"/>: none.</summary>
    public required long TotalDeadline { get; init; }

    /// <summary>Called once when output of the running attempt begins; null: nobody asks.</summary>
    public Action? OnOutput { get; set; }

    /// <summary>Visits of upstreams begun so far.</summary>
    public int Attempts { get; set; }

    /// <summary>The upstream that was asked last, and the model name it was asked for.</summary>
    public string? UpstreamName { get; set; }

    public string? UpstreamModel { get; set; }

    public TokenUsage Usage { get; set; }

    /// <summary>The upstream told no count of its own: <see cref="Usage"/> is a guess.</summary>
    public bool IsUsageEstimated { get; set; }

    /// <summary>Id of the answer as its upstream named it; null: none was told.</summary>
    public string? AnswerId { get; set; }

    /// <summary>The failure that the client was told, before or inside the answer.</summary>
    public ProxyError? Failure { get; set; }

    /// <summary>Timestamp of the first output of the answer; 0: none.</summary>
    public long FirstOutput { get; set; }

    /// <summary>The body goes to <paramref name="target"/> as it is, but for the model.</summary>
    public bool Forwards(UpstreamTarget target) => BodyProtocol is null && target.Protocol.Name == Protocol.Name;

    /// <summary>The request in neutral words; read at the first call, kept for further attempts.</summary>
    /// <exception cref="ProtocolException">The client's protocol does not allow what it says.</exception>
    public ChatRequest ReadRequest()
    {
        if (_request is not null) return _request;
        ReadOnlyMemory<byte> body = Body.Span.StartsWith("\uFEFF"u8) ? Body[3..] : Body;
        _document ??= JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = BodyScan.MaxLevels });
        return _request = (BodyProtocol ?? Protocol).ReadRequest(_document.RootElement, Head);
    }

    /// <summary>The body as JSON, once <see cref="ReadRequest"/> has succeeded.</summary>
    public JsonElement Json => _document!.RootElement;

    /// <summary>For a writer of the client's protocol, with what the request says of the answer's form.</summary>
    public WriterOptions ReadWriterOptions()
    {
        try
        {
            ChatRequest request = ReadRequest();
            return WriterOptions with { IncludeUsage = request.IncludeUsage, Request = request, EstimatedInput = TellsInputFirst ? TokenEstimator.Estimate(request) : 0 };
        }
        catch (ProtocolException)
        {
            // Forwarded as it was, and the upstream took it: its answer is worth more than our opinion of the request.
            return WriterOptions;
        }
    }

    // A Messages stream begins with the usage, which the upstreams of other protocols tell at its end.
    private bool TellsInputFirst => Head.Stream && Protocol.Name == "anthropic";

    /// <summary>The answer has begun, so that nobody asks again: the request would only take up memory for as long as the answer takes.</summary>
    public void ReleaseRequest()
    {
        if (KeepsRequest) return;
        _request = null;
        _document?.Dispose();
        _body = default;
        OnRelease?.Invoke();
    }

    public void Dispose() => _document?.Dispose();
}
