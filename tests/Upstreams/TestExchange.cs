using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.StreamInvariants;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>One request of a <see cref="MemoryClient"/>, with everything that an attempt needs.</summary>
public sealed class TestExchange : IDisposable
{
    public static readonly ProtocolTable Protocols = new([new AnthropicProtocol(), new OpenAIChatProtocol(), new OpenAIResponsesProtocol(), new GeminiProtocol()]);

    public const string Seed = "abcdefghijklmnopqrstuvwx";

    public TestExchange(
        string protocol = "anthropic", bool stream = true, bool array = false, FakeClock? clock = null, string model = "client-model", string? body = null,
        double totalSeconds = 0, double earlySeconds = 90, double keepaliveSeconds = 15, Operation operation = Operation.Generate, bool usage = true,
        Action<ReadOnlyMemory<byte>>? keep = null, byte[]? rawBody = null, Func<long, CancellationToken, ValueTask<IDisposable?>>? room = null)
    {
        Clock = clock ?? new FakeClock();
        IClientProtocol client = Protocols[protocol];
        byte[] bytes = rawBody ?? Encoding.UTF8.GetBytes(body ?? BodyOf(protocol, model, stream, usage));
        bool isGemini = protocol == "gemini";
        string query = isGemini && stream && !array ? "?alt=sse" : "";
        RequestHead head = client.ReadHead(new RequestTarget(operation, isGemini ? model : null, isGemini ? stream : null), query, bytes);
        var writer = new WriterOptions { Stream = head.Stream, Model = head.Model, JsonArray = head.JsonArray, Created = 1, IdSeed = Seed };
        string type = head.JsonArray ? "application/json; charset=UTF-8" : "text/event-stream; charset=utf-8";
        Answer = new ClientAnswer(Client, new AnswerOptions
        {
            Protocol = client,
            Streams = head.Stream,
            StreamContentType = type,
            RequestId = "req_test",
            Writer = writer,
            KeepaliveInterval = TimeSpan.FromSeconds(keepaliveSeconds),
            EarlyCommit = TimeSpan.FromSeconds(earlySeconds),
        }, Clock);
        Exchange = new Exchange
        {
            Protocol = client,
            KeepAnswer = keep,
            Head = head,
            Body = bytes,
            OnLent = () => Lent++,
            Query = query,
            Headers = Headers,
            ToolHeaders = ToolHeaders,
            Answer = Answer,
            WriterOptions = writer,
            RequestId = "req_test",
            Clock = Clock,
            RoomAsync = room,
            TotalDeadline = totalSeconds > 0 ? Clock.GetTimestamp() + TimeSpan.FromSeconds(totalSeconds).Ticks : long.MaxValue,
        };
    }

    /// <summary>How often somebody was found to read the body for longer.</summary>
    public int Lent { get; private set; }

    public FakeClock Clock { get; }

    public MemoryClient Client { get; } = new();

    public ClientAnswer Answer { get; }

    public Exchange Exchange { get; }

    public List<KeyValuePair<string, string>> Headers { get; } = [];

    public List<KeyValuePair<string, string>> ToolHeaders { get; } = [];

    public static UpstreamConfig Upstream(string type, string baseUrl = "http://upstream.invalid", string name = "one", params string[] tokens) => new()
    {
        Name = name,
        ApiType = type,
        BaseUrls = [new Uri(baseUrl)],
        Tokens = [.. tokens.Select(token => new Secret(token))],
        ConnectTimeout = TimeSpan.FromSeconds(10),
        Timeout = TimeSpan.FromSeconds(60),
        StreamIdleTimeout = TimeSpan.FromSeconds(600),
    };

    /// <summary>Checks the grammar of what the client was streamed.</summary>
    public StreamEnd Check(bool forwarded = false)
    {
        byte[] sent = Encoding.UTF8.GetBytes(Client.Text);
        return Exchange.Protocol.Name switch
        {
            "anthropic" => AnthropicStream.Check(sent),
            "openai" => ChatStream.Check(sent, usageAsked: Client.Text.Contains("\"usage\":{"), forwarded: forwarded),
            "responses" => ResponsesStream.Check(sent, forwarded),
            _ => Exchange.Head.JsonArray ? GeminiStream.CheckArray(sent, forwarded) : GeminiStream.CheckSse(sent, forwarded),
        };
    }

    public void Dispose()
    {
        Answer.Dispose();
        Exchange.Dispose();
    }

    private static string BodyOf(string protocol, string model, bool stream, bool usage)
    {
        string name = JsonSerializer.Serialize(model), streams = stream ? "true" : "false";
        return protocol switch
        {
            "anthropic" => $$"""{"model":{{name}},"stream":{{streams}},"max_tokens":9,"messages":[{"role":"user","content":"hello there"}]}""",
            "openai" => $$"""{"model":{{name}},"stream":{{streams}},"stream_options":{"include_usage":{{(usage ? "true" : "false")}}},"messages":[{"role":"user","content":"hello there"}]}""",
            "responses" => $$"""{"model":{{name}},"stream":{{streams}},"input":"hello there"}""",
            _ => """{"contents":[{"role":"user","parts":[{"text":"hello there"}]}]}""",
        };
    }
}
