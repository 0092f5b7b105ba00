using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

/// <summary>Writes down what a reader pushes, and fails the test where the sink's order is broken.</summary>
public sealed class SinkRecorder : IResponseSink
{
    private readonly Dictionary<int, string> _open = [];
    private readonly HashSet<int> _used = [];
    private bool _started;

    public List<string> Lines { get; } = [];

    /// <summary>Blocks in the order they started: kind, id, name, joined deltas decoded, seal.</summary>
    public List<RecordedBlock> Blocks { get; } = [];

    public TokenUsage Total { get; private set; }

    public string Id { get; private set; } = "";

    public string Model { get; private set; } = "";

    public FinishReason? Finished { get; private set; }

    public string StopSequence { get; private set; } = "";

    public ProxyError? Error { get; private set; }

    public bool HasEnded => Finished is not null || Error is not null;

    public string Text(BlockKind kind) => string.Concat(Blocks.Where(block => block.Kind == kind).Select(block => block.Text));

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        Check(!_started && !HasEnded, "second start");
        _started = true;
        (Id, Model) = (Encoding.UTF8.GetString(id), Encoding.UTF8.GetString(model));
        Lines.Add($"start {Id} {Model}");
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        Check(_started && !HasEnded && _used.Add(block), "block key used twice, or out of order");
        Check(kind is not (BlockKind.ToolCall or BlockKind.CustomToolCall) || !toolName.IsEmpty, "call without a name");
        Blocks.Add(new RecordedBlock(block, kind, Encoding.UTF8.GetString(toolId), Encoding.UTF8.GetString(toolName)));
        _open[block] = "";
        Lines.Add($"block {block} {kind} {Encoding.UTF8.GetString(toolId)} {Encoding.UTF8.GetString(toolName)}".TrimEnd());
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        Check(!HasEnded && _open.ContainsKey(block), "delta without block");
        Check(jsonString.Length >= 2 && jsonString[0] == (byte)'"' && jsonString[^1] == (byte)'"', "delta is no token");
        Blocks.Find(found => found.Key == block)!.Raw.Append(Encoding.UTF8.GetString(jsonString[1..^1]));
        Lines.Add($"delta {block} {Encoding.UTF8.GetString(jsonString)}");
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        Check(!HasEnded && _open.ContainsKey(block), "seal without block");
        Blocks.Find(found => found.Key == block)!.Seal = $"{kind} {RawJson.Decode(jsonString)}";
        Lines.Add($"seal {block} {kind} {RawJson.Decode(jsonString)}");
    }

    public void BlockCite(int block, Citation citation)
    {
        RecordedBlock? cited = Blocks.Find(found => found.Key == block);
        Check(!HasEnded && cited is { Kind: BlockKind.Text }, "a source of no text block");
        cited!.Citations.Add(citation);
        Lines.Add($"cite {block} {citation.Url} {citation.Title} {citation.Start} {citation.End} {Encoding.UTF8.GetString(citation.Raw.Span)}");
    }

    public void BlockEnd(int block)
    {
        Check(!HasEnded && _open.Remove(block), "end without block");
        Lines.Add($"end {block}");
    }

    public void Usage(in TokenUsage total)
    {
        Check(!HasEnded, "usage after the end");
        Total = total.Over(Total);
        Lines.Add("usage");
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        Check(_started && !HasEnded && _open.Count == 0, "finish before start, after the end, or with open blocks");
        Finished = reason;
        StopSequence = stopSequence.IsEmpty ? "" : RawJson.Decode(stopSequence);
        Lines.Add($"finish {reason}");
    }

    public void Fail(ProxyError error)
    {
        Check(!HasEnded, "fail after the end");
        Error = error;
        Lines.Add($"fail {error.Kind}");
    }

    private static void Check(bool holds, string rule)
    {
        if (!holds) throw new InvalidOperationException($"sink contract: {rule}");
    }
}

public sealed record RecordedBlock(int Key, BlockKind Kind, string Id, string Name)
{
    public StringBuilder Raw { get; } = new();

    public string Seal { get; set; } = "";

    public List<Citation> Citations { get; } = [];

    public string Text => RawJson.Decode(Encoding.UTF8.GetBytes($"\"{Raw}\""));
}
