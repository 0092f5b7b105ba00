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
        if (!toArray)
        {
            WriteEvent(frame.Data, output);
            return;
        }
        if (!IsChunk(frame.Data)) return;
        output.Write(_opened ? ",\n"u8 : "["u8);
        output.Write(frame.Data);
        _opened = true;
    }

    public void OnEnd(IBufferWriter<byte> output)
    {
        if (toArray) output.Write(_opened ? "\n]"u8 : "[]"u8);
    }

    public void OnSilence(IBufferWriter<byte> output) => reader.WriteKeepalive(output);

    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => reader.WriteFailure(output, error);

    /// <summary>A chunk of an answer; false: a comment, or the end mark of another protocol.</summary>
    public static bool IsChunk(ReadOnlySpan<byte> data) => !data.IsEmpty && !data.SequenceEqual("[DONE]"u8);

    /// <summary>A chunk as the one kind of event that Gemini's clients know; nothing where it is none.</summary>
    public static void WriteEvent(ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        if (!IsChunk(data)) return;
        output.Write("data: "u8);
        output.WriteOneLine(data);
        output.Write("\r\n\r\n"u8);
    }
}
