using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>A forwarded answer of an upstream that forgets it: it is kept for later turns that refer to it, once it has ended properly.</summary>
public sealed class KeptWay(IResponseWay next, IAnswerFold fold, Action<ReadOnlyMemory<byte>> keep) : IResponseWay
{
    private long _bytes;

    public bool IsWhole => next.IsWhole;

    public void OnFrame(in Frame frame, IBufferWriter<byte> output)
    {
        Take(in frame);
        next.OnFrame(in frame, output);
    }

    public void OnEnd(IBufferWriter<byte> output)
    {
        next.OnEnd(output);
        if (IsTooLong) return;
        try
        {
            var whole = new ArrayBufferWriter<byte>();
            fold.Write(whole);
            keep(whole.WrittenMemory);
        }
        catch (JsonException)
        {
            // Nothing that could be referred to. The client has its answer.
        }
    }

    public void OnSilence(IBufferWriter<byte> output) => next.OnSilence(output);

    public void OnFailure(ProxyError error, IBufferWriter<byte> output) => next.OnFailure(error, output);

    private bool IsTooLong => _bytes > AnswerDelivery.MaxWholeBytes;

    private void Take(in Frame frame)
    {
        _bytes += frame.Data.Length;
        if (IsTooLong) return;
        try
        {
            fold.Take(in frame);
        }
        catch (JsonException)
        {
            // The reader tells it.
        }
    }
}
