using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Wraps encrypted reasoning, and a Chat server's details, with the name of the upstream that alone can read it, for clients of other protocols than the upstream's.</summary>
/// <remarks>Writers wrap the other proofs themselves: their issuer is a model family, which the kind tells. A client of the upstream's own protocol gets
/// encrypted content as it is.</remarks>
/// <param name="issuer">The upstream's configured name.</param>
public sealed class SealIssuer(IResponseSink next, string issuer) : IResponseSink
{
    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
        next.BlockStart(block, kind, toolId, toolName);

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => next.BlockDelta(block, jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (kind is not (SealKind.Encrypted or SealKind.Details) || jsonString.Length <= 2)
        {
            next.BlockSeal(block, kind, jsonString);
            return;
        }
        next.BlockSeal(block, kind, SealEnvelope.Wrap(kind, issuer, jsonString));
    }

    public void BlockEnd(int block) => next.BlockEnd(block);

    public void BlockCite(int block, Citation citation) => next.BlockCite(block, citation);

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);
}
