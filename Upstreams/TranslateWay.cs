using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>The reader pushes into a writer of the client's protocol: protocols or modes differ.</summary>
/// <param name="writer">Writes to the same output that the pump hands to the other members.</param>
public sealed class TranslateWay(IResponseWriter writer, bool isWhole) : IResponseWay
{
    public bool IsWhole => isWhole;

    // The writer wrote while the reader read.
    public void OnFrame(in Frame frame, IBufferWriter<byte> output) { }

    public void OnEnd(IBufferWriter<byte> output) { }

    public void OnSilence(IBufferWriter<byte> output) => writer.Keepalive();

    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => writer.Fail(error);
}
