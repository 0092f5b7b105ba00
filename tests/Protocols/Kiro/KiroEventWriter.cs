using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Says an answer as the service would: sink calls in, events out. What it has no event for is left out; refusals are text.</summary>
/// <param name="rename">From a tool's name in the sink calls to the one that the service was told; null: none.</param>
public sealed class KiroEventWriter(Func<string, string>? rename = null) : IResponseSink
{
    private readonly Dictionary<int, (BlockKind Kind, string Id, string Name)> _open = [];
    private TokenUsage _usage;

    public List<KiroEvent> Events { get; } = [];

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => Events.Add(new KiroEvent("initial-response", "{}"));

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        string id = toolId.IsEmpty ? $"tooluse_{block}" : Encoding.UTF8.GetString(toolId);
        string name = Encoding.UTF8.GetString(toolName);
        _open[block] = (kind, id, rename?.Invoke(name) ?? name);
        if (kind is BlockKind.ToolCall or BlockKind.CustomToolCall) Call(block, "");
        if (kind == BlockKind.CustomToolCall) Call(block, $",\"input\":{KiroWire.Token("{\"input\":\"")}");
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        string token = Encoding.UTF8.GetString(jsonString);
        switch (_open[block].Kind)
        {
            case BlockKind.Thinking: Events.Add(new KiroEvent("reasoningContentEvent", $$"""{"text":{{token}}}""")); break;
            case BlockKind.ToolCall: Call(block, $",\"input\":{token}"); break;
            case BlockKind.CustomToolCall: Call(block, $",\"input\":{Encoding.UTF8.GetString(ByteOutput.Quote(jsonString[1..^1]))}"); break;
            case BlockKind.Text or BlockKind.Refusal: Events.Add(new KiroEvent("assistantResponseEvent", $$"""{"content":{{token}},"modelId":"claude-sonnet-5"}""")); break;
        }
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (_open[block].Kind != BlockKind.Thinking || kind is not (SealKind.Thinking or SealKind.Redacted)) return;
        string member = kind == SealKind.Redacted ? "redactedContent" : "signature";
        Events.Add(new KiroEvent("reasoningContentEvent", $$"""{"{{member}}":{{Encoding.UTF8.GetString(jsonString)}}}"""));
    }

    /// <summary>The service has no word for sources.</summary>
    public void BlockCite(int block, Citation citation) { }

    public void BlockEnd(int block)
    {
        if (_open[block].Kind == BlockKind.CustomToolCall) Call(block, $",\"input\":{KiroWire.Token("\"}")}");
        if (_open[block].Kind is BlockKind.ToolCall or BlockKind.CustomToolCall) Call(block, ",\"stop\":true");
        _open.Remove(block);
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        Events.Add(new KiroEvent("metadataEvent",
            $$$"""{"tokenUsage":{"uncachedInputTokens":{{{_usage.Input ?? 0}}},"outputTokens":{{{_usage.Output ?? 0}}},"totalTokens":{{{_usage.TotalInput + (_usage.Output ?? 0)}}},"cacheReadInputTokens":{{{_usage.CacheRead ?? 0}}},"cacheWriteInputTokens":{{{_usage.CacheWrite ?? 0}}}}}"""));
        Events.Add(new KiroEvent("meteringEvent", """{"usage":0.05,"unit":"credit","unitPlural":"credits"}"""));
    }

    public void Fail(ProxyError error) => Events.Add(KiroWire.Exception("internalServerException", $$"""{"message":{{KiroWire.Token(error.Message)}}}"""));

    private void Call(int block, string rest) =>
        Events.Add(new KiroEvent("toolUseEvent", $$"""{"toolUseId":"{{_open[block].Id}}","name":"{{_open[block].Name}}"{{rest}}}"""));
}
