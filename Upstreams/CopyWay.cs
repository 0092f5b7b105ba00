using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Same protocol, same mode, same framing: each frame's bytes as they came.</summary>
/// <param name="isStrict">A comment kills the client's stream (Gemini): an upstream's comments stay here.</param>
public sealed class CopyWay(IResponseReader reader, IFrameReader frames, bool isStrict) : IResponseWay
{
    private byte[] _close = [];
    private bool _endsAsItCame;

    public bool IsWhole => false;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        if (frames is JsonArrayReader)
        {
            // The closing bracket waits for the verdict: behind it no failure could be told.
            if (frame.Data.IsEmpty) _close = [.. _close, .. frame.Raw];
            else output.Write(frame.Raw);
            return;
        }
        ReadOnlySpan<byte> raw = frame.Raw;
        if (_endsAsItCame && raw.StartsWith("\n"u8))
        {
            // The rest of a line end that a read had cut in two.
            output.Write(raw[..1]);
            raw = raw[1..];
        }
        if (raw.IsEmpty) return;
        _endsAsItCame = !isStrict || (ReframeWay.IsChunk(frame.Data) && !HasComment(raw));
        if (_endsAsItCame) output.Write(raw);
        else ReframeWay.WriteEvent(frame.Data, output);
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
        if (_endsAsItCame && frames is SseReader events) output.Write(events.MissingEnd);
    }

    // A JSON text in an event has no raw line end, so a colon at the start of a line is a comment's.
    private static bool HasComment(ReadOnlySpan<byte> raw)
    {
        while (!raw.StartsWith(":"u8))
        {
            int end = raw.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0) return false;
            raw = raw[(end + 1)..];
        }
        return true;
    }
}
