using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Tells each call to two sinks, one after the other.</summary>
public sealed class Tee(IResponseSink first, IResponseSink second) : IResponseSink
{
    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        first.Start(id, model);
        second.Start(id, model);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        first.BlockStart(block, kind, toolId, toolName);
        second.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        first.BlockDelta(block, jsonString);
        second.BlockDelta(block, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        first.BlockSeal(block, kind, jsonString);
        second.BlockSeal(block, kind, jsonString);
    }

    public void BlockCite(int block, Citation citation)
    {
        first.BlockCite(block, citation);
        second.BlockCite(block, citation);
    }

    public void BlockEnd(int block)
    {
        first.BlockEnd(block);
        second.BlockEnd(block);
    }

    public void Usage(in TokenUsage total)
    {
        first.Usage(total);
        second.Usage(total);
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        first.Finish(reason, stopSequence);
        second.Finish(reason, stopSequence);
    }

    public void Fail(ProxyError error)
    {
        first.Fail(error);
        second.Fail(error);
    }
}
