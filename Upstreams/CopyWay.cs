using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Same protocol, same mode, same framing: each frame's bytes as they came.</summary>
public sealed class CopyWay(IResponseReader reader, IFrameReader frames, bool copiesComments) : IResponseWay
{
    private byte[] _close = [];

    public bool IsWhole => false;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        // A Gemini client dies of a comment, so an upstream's is not passed on to one.
        if (frame.Data.IsEmpty && frames is JsonArrayReader)
        {
            // The closing bracket waits for the verdict: behind it no failure could be told.
            _close = [.. _close, .. frame.Raw];
            return;
        }
        if (frame.Data.IsEmpty && !copiesComments) return;
        output.Write(frame.Raw);
    }

    public void OnEnd(IBufferWriter<byte> output)
    {
        EndLastEvent(output);
        if (frames is JsonArrayReader array) output.Write(array.Closed ? _close : "\n]"u8);
    }

    public void OnSilence(IBufferWriter<byte> output) => reader.WriteKeepalive(output);

    public void OnFailure(ProxyError error, IBufferWriter<byte> output)
    {
        EndLastEvent(output);
        reader.WriteFailure(output, error);
    }

    // The last event of a body that forgot its blank line is lost in the clients' libraries, and what follows would become part of it.
    private void EndLastEvent(IBufferWriter<byte> output)
    {
        if (frames is SseReader events) output.Write(events.MissingEnd);
    }
}
