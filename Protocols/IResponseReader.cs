using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Reads one answer of an upstream protocol and pushes it into a sink. One object per response; not thread-safe.</summary>
/// <remarks>Never throws for what an upstream may send but <see cref="ProtocolException"/> (data that is no JSON of the protocol) and only before it pushed
/// Finish or Fail. Unknown events and parts are skipped. After Finish or Fail it pushes nothing more.</remarks>
public interface IResponseReader
{
    /// <summary>One frame of a stream.</summary>
    void Read(in Frame frame);

    /// <summary>A whole answer (2xx body). An error told inside a 200 becomes Fail.</summary>
    void ReadWhole(ReadOnlySpan<byte> body);

    /// <summary>The stream ended. Pushes Finish where the protocol's finish information was seen, otherwise Fail (BadGateway, cut stream).</summary>
    void Complete();

    /// <summary>Copy way: the protocol's own filler for a silent stretch, to a client that was given this response's bytes so far.</summary>
    void WriteKeepalive(IBufferWriter<byte> output);

    /// <summary>Copy way: tells a failure to a client that was given this response's bytes so far (never a forged terminal, nothing closed politely).</summary>
    void WriteFailure(IBufferWriter<byte> output, ProxyError error);
}
