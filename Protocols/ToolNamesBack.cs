using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Gives calls the names back that the client knows its tools by. One per response; stands between a reader and a client's writer.</summary>
/// <remarks>A name that the client did not declare goes through as it is.</remarks>
public sealed class ToolNamesBack(IResponseSink next, ChatRequest request) : IResponseSink
{
    private readonly ToolNames _names = ToolNames.Of(request);

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        ToolDefinition? tool = toolName.IsEmpty ? null : _names.Find(RawJson.Decode([(byte)'"', .. toolName, (byte)'"']));
        if (tool is null) next.BlockStart(block, kind, toolId, toolName);
        else next.BlockStart(block, kind, toolId, RawJson.Encode(ToolNames.Flat(tool)).AsSpan(1..^1));
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => next.BlockDelta(block, jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => next.BlockSeal(block, kind, jsonString);

    public void BlockEnd(int block) => next.BlockEnd(block);

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, stopSequence);

    public void Fail(ProxyError error) => next.Fail(error);
}
