using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Bench;

/// <summary>One answer from an upstream's bytes to the client's, through everything but the two sockets.</summary>
public sealed class StreamRun
{
    private const string Seed = "BenchBenchBenchBenchBenc";

    private readonly IClientProtocol _client;
    private readonly UpstreamTarget _target;
    private readonly BenchClient _received = new();
    private readonly byte[] _answer;
    private readonly byte[] _request;
    private readonly RequestHead _head;
    private readonly Translation _translation = new(new ProofCache(TimeProvider.System));

    public StreamRun(string upstream, string client, byte[] answer)
    {
        _client = Pairs.Client(client);
        _target = Pairs.Target(upstream, _client);
        _answer = answer;
        _request = Encoding.UTF8.GetBytes(ClientBody.Of(client));
        bool isGemini = client == "gemini";
        _head = _client.ReadHead(new RequestTarget(Operation.Generate, isGemini ? "bench" : null, isGemini ? true : null), isGemini ? "?alt=sse" : "", _request);
    }

    /// <returns>Bytes that the client was sent.</returns>
    public async Task<long> OnceAsync()
    {
        var writer = new WriterOptions { Stream = true, Model = "bench", Created = 1_795_000_000, IdSeed = Seed };
        long before = _received.Received;
        var options = new AnswerOptions
        {
            Protocol = _client,
            Streams = true,
            StreamContentType = "text/event-stream; charset=utf-8",
            RequestId = "req_bench",
            Writer = writer,
            KeepaliveInterval = TimeSpan.FromSeconds(15),
            EarlyCommit = TimeSpan.FromSeconds(90),
        };
        using var answer = new ClientAnswer(_received, options, TimeProvider.System);
        using var exchange = new Exchange
        {
            Protocol = _client,
            Head = _head,
            Body = _request,
            Query = "",
            Headers = [],
            Answer = answer,
            WriterOptions = writer,
            RequestId = "req_bench",
            Clock = TimeProvider.System,
            TotalDeadline = long.MaxValue,
        };
        using var clock = new AttemptClock(TimeProvider.System, long.MaxValue, CancellationToken.None);
        using var response = new HttpResponseMessage { Content = new StreamContent(new MemoryStream(_answer, writable: false)) };
        response.Content.Headers.TryAddWithoutValidation("Content-Type", "text/event-stream");
        var failure = await new AnswerDelivery(new WireRequest(exchange, _target), clock, response, _translation).DeliverAsync();
        await answer.EndAsync();
        if (failure is not null) throw new InvalidOperationException($"{_target.Type.Name} to {_client.Name}: {failure.Message}");
        return _received.Received - before;
    }
}
