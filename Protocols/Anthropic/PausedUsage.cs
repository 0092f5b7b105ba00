using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Adds what the paused requests of a turn used to what the request tells that goes on with it: the client sees one answer, and its whole price.</summary>
public sealed class PausedUsage(IResponseSink next, AnthropicPausedTurn turn) : IResponseSink
{
    private TokenUsage _current;
    private int _resumes;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
        next.BlockStart(block, kind, toolId, toolName);

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => next.BlockDelta(block, jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => next.BlockSeal(block, kind, jsonString);

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void BlockEnd(int block) => next.BlockEnd(block);

    public void Usage(in TokenUsage total)
    {
        if (turn.Resumes != _resumes) (_resumes, _current) = (turn.Resumes, default);
        _current = total.Over(_current);
        next.Usage(turn.Usage.Plus(_current));
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);
}
