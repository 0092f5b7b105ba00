using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Same protocol, same mode, same framing: each frame's bytes as they came.</summary>
public sealed class CopyWay(IResponseReader reader, bool copiesComments) : IResponseWay
{
    public bool IsWhole => false;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        // A Gemini client dies of a comment, so an upstream's is not passed on to one.
        if (frame.Data.IsEmpty && !copiesComments) return;
        output.Write(frame.Raw);
    }

    public void OnEnd(IFrameReader frames, IBufferWriter<byte> output)
    {
        // The last event of a body that forgot its blank line is lost in the clients' libraries.
        if (frames is SseReader { EndedWithBlankLine: false }) output.Write("\n\n"u8);
    }

    public void OnSilence(IBufferWriter<byte> output) => reader.WriteKeepalive(output);

    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => reader.WriteFailure(output, error);
}
