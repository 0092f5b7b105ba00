using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Passes an answer on and records its thinking for the turn in which the client sends the calls back. One per response.</summary>
/// <remarks>Stands before everything that wraps proofs. Blocks are taken in the order they started. A call without an id gets one here, or the one that its
/// writer makes up would not be known.</remarks>
/// <param name="issuer">The upstream's configured name: it alone can read its encrypted content.</param>
/// <param name="idSeed">The seed that the writer makes its ids of; null: calls may go without, and no reasoning item is referred to (Gemini clients).</param>
public sealed class ProofRecorder(IResponseSink next, ProofCache cache, string client, string issuer, string? idSeed) : IResponseSink
{
    private readonly List<AnswerBlock> _blocks = [];
    private int _calls;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (kind is BlockKind.ToolCall or BlockKind.CustomToolCall)
        {
            if (toolId.IsEmpty && idSeed is not null) toolId = Encoding.ASCII.GetBytes($"call_{idSeed}{_calls}");
            _calls++;
        }
        _blocks.Add(new AnswerBlock(block, kind, toolId, toolName));
        next.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (Find(block) is { Kind: BlockKind.Thinking } thinking) thinking.Append(jsonString);
        next.BlockDelta(block, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        Find(block)?.SetSeal(kind, jsonString);
        next.BlockSeal(block, kind, jsonString);
    }

    public void BlockEnd(int block)
    {
        if (Find(block) is { } ended) ended.IsEnded = true;
        next.BlockEnd(block);
    }

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        // Before the client is told the end: it may send the next turn at once.
        Record();
        next.Finish(reason, stopSequence);
    }

    public void Fail(ProxyError error)
    {
        // Some clients keep the calls that were whole before an answer broke.
        Record();
        next.Fail(error);
    }

    private AnswerBlock? Find(int key)
    {
        for (int i = _blocks.Count - 1; i >= 0; i--)
        {
            if (_blocks[i].Key == key) return _blocks[i];
        }
        return null;
    }

    private void Record()
    {
        var thinking = new List<ThinkingPart>();
        int beforeText = 0;
        foreach (AnswerBlock block in _blocks)
        {
            if (block.Kind == BlockKind.Thinking)
            {
                if (block.IsEnded) thinking.Add(Part(block));
            }
            else if (!block.IsCall)
            {
                beforeText = thinking.Count;
            }
            else
            {
                var proof = new AnswerProof(thinking, SealOf(block), beforeText);
                if (block.ToolId.Length > 0 && !proof.IsEmpty) cache.Record(client, RawJson.Decode([(byte)'"', .. block.ToolId, (byte)'"']), proof);
                thinking = [];
                beforeText = 0;
            }
        }
        if (idSeed is not null && thinking.Count > 0) cache.Record(client, $"rs_{idSeed}", new AnswerProof(thinking, null, beforeText));
        foreach (AnswerBlock block in _blocks) block.Dispose();
        _blocks.Clear();
    }

    private ThinkingPart Part(AnswerBlock block) =>
        new(JsonText.Of(block.Token())) { Seal = SealOf(block), IsRedacted = block is { Seal: not null, SealKind: SealKind.Redacted } && block.Inner.IsEmpty };

    private Seal? SealOf(AnswerBlock block)
    {
        if (block.Seal is not { } token || block.SealKind == SealKind.None) return null;
        string family = block.SealKind switch { SealKind.Encrypted or SealKind.Details => issuer, SealKind.Thought => SealEnvelope.Gemini, _ => SealEnvelope.Anthropic };
        return new Seal(block.SealKind, family, RawJson.Decode(token));
    }
}
