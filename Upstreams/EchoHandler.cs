using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>The transport of <c>echo</c>: an HTTP answer made in the process, over a pipe, so that everything behind it is what a real upstream goes through.</summary>
public sealed class EchoHandler(TimeProvider clock) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(UpstreamMessage.Origin, out (Exchange Exchange, string Model) origin))
            throw new InvalidOperationException("an echo request without its exchange");
        Exchange exchange = origin.Exchange;
        ChatRequest chat;
        try
        {
            chat = exchange.ReadRequest();
        }
        catch (ProtocolException refused)
        {
            return Error(exchange, refused.Error);
        }
        if (exchange.Head.Target.Operation == Operation.CountTokens) return Count(exchange, chat);
        // The answer is made of it while it streams.
        exchange.KeepsRequest = true;

        var answer = new EchoAnswer(chat, EchoScript.Parse(origin.Model, EchoAnswer.LastUserText(chat)));
        if (answer.Script.ErrorStatus is { } status)
            return Error(exchange, new ProxyError(KindOf(status), $"echo was asked for an error {status}"), status);
        return exchange.Head.Stream ? Stream(exchange, answer, cancellationToken) : await WholeAsync(exchange, answer, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> WholeAsync(Exchange exchange, EchoAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Script.Delay > TimeSpan.Zero) await Task.Delay(answer.Script.Delay, clock, cancellationToken).ConfigureAwait(false);
        if (answer.Script.CutAfter is not null)
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "echo was asked to break the connection");
        var body = new ArrayBufferWriter<byte>();
        IResponseWriter writer = exchange.Protocol.CreateWriter(body, Options(exchange));
        foreach (Action<IResponseSink> step in answer.Steps()) step(writer);
        return Answer(HttpStatusCode.OK, new ByteArrayContent(body.WrittenSpan.ToArray()), "application/json");
    }

    private HttpResponseMessage Stream(Exchange exchange, EchoAnswer answer, CancellationToken cancellationToken)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false));
        _ = ProduceAsync(exchange, answer, pipe.Writer, cancellationToken);
        return Answer(HttpStatusCode.OK, new StreamContent(pipe.Reader.AsStream()), exchange.Head.JsonArray ? "application/json" : "text/event-stream");
    }

    private async Task ProduceAsync(Exchange exchange, EchoAnswer answer, PipeWriter output, CancellationToken cancellationToken)
    {
        Exception? fault = null;
        try
        {
            IResponseWriter writer = exchange.Protocol.CreateWriter(output, Options(exchange));
            foreach (Action<IResponseSink> step in answer.Steps())
            {
                if (answer.Script.Delay > TimeSpan.Zero) await Task.Delay(answer.Script.Delay, clock, cancellationToken).ConfigureAwait(false);
                step(writer);
                FlushResult flush = await output.FlushAsync(cancellationToken).ConfigureAwait(false);
                if (flush.IsCompleted) return;
            }
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException)
        {
            fault = broken;
        }
        finally
        {
            await output.CompleteAsync(fault).ConfigureAwait(false);
        }
    }

    // Its answers are forwarded like any upstream's, so nobody keeps them.
    private static WriterOptions Options(Exchange exchange) => exchange.ReadWriterOptions() with { IsKept = false, PreviousResponseId = null };

    private static HttpResponseMessage Count(Exchange exchange, ChatRequest chat)
    {
        var body = new ArrayBufferWriter<byte>();
        exchange.Protocol.WriteTokenCount(body, TokenEstimator.Estimate(chat));
        HttpResponseMessage response = Answer(HttpStatusCode.OK, new ByteArrayContent(body.WrittenSpan.ToArray()), "application/json");
        response.Headers.TryAddWithoutValidation(EstimatedHeader, "true");
        return response;
    }

    private static HttpResponseMessage Error(Exchange exchange, ProxyError error, int? status = null)
    {
        var body = new ArrayBufferWriter<byte>();
        int natural = exchange.Protocol.WriteError(body, error, exchange.RequestId);
        return Answer((HttpStatusCode)(status ?? natural), new ByteArrayContent(body.WrittenSpan.ToArray()), "application/json");
    }

    private static HttpResponseMessage Answer(HttpStatusCode status, HttpContent content, string type)
    {
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return new HttpResponseMessage(status) { Content = content };
    }

    private static ErrorKind KindOf(int status) => status switch
    {
        401 => ErrorKind.ClientAuth,
        402 => ErrorKind.Quota,
        403 => ErrorKind.Permission,
        404 => ErrorKind.NotFound,
        413 => ErrorKind.TooLarge,
        429 => ErrorKind.RateLimit,
        502 => ErrorKind.BadGateway,
        503 or 529 => ErrorKind.Overloaded,
        504 => ErrorKind.Timeout,
        >= 500 => ErrorKind.ServerError,
        _ => ErrorKind.InvalidRequest,
    };

    /// <summary>Marks a count that is an estimate. The one header of ours that passes from upstream to client: another aiproxy may stand there.</summary>
    public const string EstimatedHeader = "x-aiproxy-estimated";
}
