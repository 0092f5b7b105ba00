using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>The reader pushes into a writer of the client's protocol: protocols or modes differ.</summary>
/// <param name="writer">Writes to the same output that the pump hands to the other members.</param>
/// <param name="watch">In front of <paramref name="writer"/>.</param>
public sealed class TranslateWay(IResponseWriter writer, Watch watch, bool isWhole) : IResponseWay
{
    public bool IsWhole => isWhole;

    // The writer wrote while the reader read.
    public void OnFrame(in Frame frame, IBufferWriter<byte> output) { }

    public void OnEnd(IBufferWriter<byte> output) { }

    public void OnSilence(IBufferWriter<byte> output) => writer.Keepalive();

    // A failure that the reader read has reached the writer already; the watch lets nothing pass twice.
    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => watch.Fail(error);
}
