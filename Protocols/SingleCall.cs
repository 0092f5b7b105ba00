using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Keeps the first tool call of an answer and drops the others: for a client that wants one at a time, before an upstream without that switch.</summary>
/// <remarks>The first is the one that started first; a signature of parallel calls sits on it. Everything else passes, the finish reason too.</remarks>
public sealed class SingleCall(IResponseSink next) : IResponseSink
{
    private readonly HashSet<int> _dropped = [];
    private bool _hasCall;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        bool isCall = kind is BlockKind.ToolCall or BlockKind.CustomToolCall;
        if (isCall && _hasCall)
        {
            _dropped.Add(block);
            return;
        }
        _hasCall |= isCall;
        next.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (!_dropped.Contains(block)) next.BlockDelta(block, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!_dropped.Contains(block)) next.BlockSeal(block, kind, jsonString);
    }

    public void BlockEnd(int block)
    {
        if (!_dropped.Contains(block)) next.BlockEnd(block);
    }

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);
}
