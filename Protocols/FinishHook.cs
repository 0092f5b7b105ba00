using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Passes an answer on and calls back when it has finished well, after the next sink has.</summary>
public sealed class FinishHook(IResponseSink next, Action finished) : IResponseSink
{
    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
        next.BlockStart(block, kind, toolId, toolName);

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => next.BlockDelta(block, jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => next.BlockSeal(block, kind, jsonString);

    public void BlockEnd(int block) => next.BlockEnd(block);

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        next.Finish(reason, stopSequence);
        finished();
    }

    public void Fail(ProxyError error) => next.Fail(error);
}
