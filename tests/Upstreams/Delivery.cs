using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>One 2xx answer that a test sends piece by piece. Every piece is carried to the client before <see cref="Send"/> returns.</summary>
public sealed class Delivery : IDisposable
{
    private readonly Pipe _pipe = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly AnswerDelivery _delivery;
    private readonly HttpResponseMessage _response;
    private readonly TestExchange _test;

    public Delivery(TestExchange test, string upstream, string type = "text/event-stream", double idleSeconds = 600, int status = 200, bool collects = false)
    {
        _test = test;
        Clock = new AttemptClock(test.Clock, test.Exchange.TotalDeadline, test.Answer.Gone);
        _response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StreamContent(_pipe.Reader.AsStream()) };
        _response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        _response.Headers.TryAddWithoutValidation("x-request-id", "up-1");
        var protocol = (IUpstreamProtocol)TestExchange.Protocols[upstream];
        var config = TestExchange.Upstream(upstream) with { StreamIdleTimeout = TimeSpan.FromSeconds(idleSeconds) };
        var target = new UpstreamTarget(config, new ScriptedType(upstream, protocol, null), protocol, "up-model", null, 0) { Collects = collects };
        _delivery = new AnswerDelivery(new WireRequest(test.Exchange, target), Clock, _response, new Translation(new ProofCache(test.Clock)));
        Run = test.Exchange.Head.Target.Operation == Operation.Generate ? _delivery.DeliverAsync().AsTask() : _delivery.RelayAsync().AsTask();
    }

    public AttemptClock Clock { get; }

    public Task<ProxyError?> Run { get; }

    public bool ClientLeft => _delivery.ClientLeft;

    public static string Fixture(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures/streams", name));

    /// <summary>The events of a fixture, each with its blank line.</summary>
    public static string[] Events(string name) => [.. Fixture(name).Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(block => block.TrimEnd('\n') + "\n\n")];

    public void Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    public void Send(byte[] bytes)
    {
        _pipe.Writer.Write(bytes);
        _pipe.Writer.FlushAsync().AsTask().Wait();
    }

    public async Task<ProxyError?> End(Exception? fault = null)
    {
        _pipe.Writer.Complete(fault);
        return await Done();
    }

    public async Task<ProxyError?> Done()
    {
        // A failure may wait for a moment of the answer's clock, so that it stands alone.
        for (int i = 0; i < 200 && await Task.WhenAny(Run, Task.Delay(TimeSpan.FromMilliseconds(50))) != Run; i++) _test.Clock.Advance(TimeSpan.FromMilliseconds(50));
        ProxyError? failure = await Run.WaitAsync(TimeSpan.FromSeconds(10));
        await _test.Answer.EndAsync();
        return failure;
    }

    public void Dispose()
    {
        Clock.Dispose();
        _response.Dispose();
    }
}
