using System.Buffers;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams;

/// <summary>Answers a token-count call where no upstream can: with an estimate that says it is one.</summary>
public static class LocalCount
{
    /// <exception cref="Protocols.Model.ProtocolException">The client's protocol does not allow what the request says.</exception>
    public static async ValueTask TellAsync(Exchange exchange)
    {
        var body = new ArrayBufferWriter<byte>();
        exchange.Protocol.WriteTokenCount(body, TokenEstimator.Estimate(exchange.ReadRequest()));
        await exchange.Answer.BeginAsync(200, "application/json", body.WrittenCount, [new(EchoHandler.EstimatedHeader, "true")], null).ConfigureAwait(false);
        try
        {
            exchange.Answer.Output.Write(body.WrittenSpan);
            await exchange.Answer.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            exchange.Answer.Release();
        }
    }
}
