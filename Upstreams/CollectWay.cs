using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Same protocol, but the upstream streams and the client wants one answer: the events are folded into the answer that they tell, and nothing of it is lost.</summary>
public sealed class CollectWay(IAnswerFold fold) : IResponseWay
{
    public bool IsWhole => true;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        try
        {
            fold.Take(in frame);
        }
        catch (JsonException)
        {
            throw new ProtocolException(ErrorKind.BadGateway, "the upstream sent data that is not JSON");
        }
    }

    public void OnEnd(IBufferWriter<byte> output) => fold.Write(output);

    public void OnSilence(IBufferWriter<byte> output) { }

    // Nothing goes out before the end, and then it is whole.
    public void OnFailure(ProxyError error, IBufferWriter<byte> output) { }
}
