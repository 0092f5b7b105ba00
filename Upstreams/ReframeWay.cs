using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Same protocol, other framing: Gemini's chunks from events into a JSON array, or back. The chunks' own bytes stay.</summary>
public sealed class ReframeWay(IResponseReader reader, bool toArray) : IResponseWay
{
    private bool _opened;

    public bool IsWhole => false;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        if (frame.Data.IsEmpty) return;
        if (toArray)
        {
            output.Write(_opened ? ",\n"u8 : "["u8);
            output.Write(frame.Data);
            _opened = true;
            return;
        }
        output.Write("data: "u8);
        WriteOneLine(frame.Data, output);
        output.Write("\r\n\r\n"u8);
    }

    public void OnEnd(IBufferWriter<byte> output)
    {
        if (toArray) output.Write(_opened ? "\n]"u8 : "[]"u8);
    }

    public void OnSilence(IBufferWriter<byte> output) => reader.WriteKeepalive(output);

    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => reader.WriteFailure(output, error);

    // A pretty-printed chunk has line ends between its tokens (never inside a string), and an event's data is one line.
    private static void WriteOneLine(ReadOnlySpan<byte> json, IBufferWriter<byte> output)
    {
        while (json.IndexOfAny((byte)'\r', (byte)'\n') is var end and >= 0)
        {
            output.Write(json[..end]);
            json = json[(end + 1)..];
        }
        output.Write(json);
    }
}
