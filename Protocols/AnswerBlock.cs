using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A block of an answer that a writer must hold back or check: what <see cref="IResponseSink"/> told of it, joined.</summary>
/// <remarks>Dispose forgets the text; who holds blocks to the end of an answer may leave that to the garbage collector.</remarks>
public sealed class AnswerBlock(int key, BlockKind kind, ReadOnlySpan<byte> toolId, ReadOnlySpan<byte> toolName) : IDisposable
{
    private PooledBytes? _inner;

    public int Key { get; } = key;

    public BlockKind Kind { get; } = kind;

    /// <summary>Raw bytes without quotes; empty: the upstream gave none.</summary>
    public byte[] ToolId { get; } = toolId.ToArray();

    /// <summary>Raw bytes without quotes.</summary>
    public byte[] ToolName { get; } = toolName.ToArray();

    /// <summary>The kind of the last seal; meaningless while <see cref="Seal"/> is null.</summary>
    public SealKind SealKind { get; private set; }

    /// <summary>The last seal as a JSON string token; null: none.</summary>
    public byte[]? Seal { get; private set; }

    public bool IsEnded { get; set; }

    /// <summary>The sources of a text, as far as they are not written yet.</summary>
    public List<Citation> Citations { get; } = [];

    /// <summary>The deltas joined: the inside of one JSON string.</summary>
    public ReadOnlySpan<byte> Inner => _inner is null ? default : _inner.Written;

    public bool IsCall => Kind is BlockKind.ToolCall or BlockKind.CustomToolCall;

    public void Append(ReadOnlySpan<byte> token)
    {
        if (token.Length <= 2) return;
        (_inner ??= new PooledBytes()).Write(token[1..^1]);
    }

    public void Clear() => _inner?.Clear();

    public void Dispose() => _inner?.Dispose();

    public void SetSeal(SealKind kind, ReadOnlySpan<byte> token)
    {
        if (token.Length <= 2) return;
        SealKind = kind;
        Seal = token.ToArray();
    }

    /// <summary>The deltas as one JSON string token.</summary>
    public byte[] Token()
    {
        byte[] token = new byte[Inner.Length + 2];
        token[0] = token[^1] = (byte)'"';
        Inner.CopyTo(token.AsSpan(1));
        return token;
    }

    public string Text() => RawJson.Decode(Token());

    /// <summary>The arguments of a call as raw JSON of an object, a custom tool's text under <c>input</c>; null: they are no JSON object.</summary>
    /// <remarks>Nothing at all, white space and <c>null</c> mean no arguments: <c>{}</c>.</remarks>
    public byte[]? Arguments()
    {
        if (Kind == BlockKind.CustomToolCall) return [.. "{\"input\":"u8, .. Token(), .. "}"u8];
        byte[] json = Encoding.UTF8.GetBytes(Text().Trim());
        if (json.Length == 0 || json.AsSpan().SequenceEqual("null"u8)) return "{}"u8.ToArray();
        try
        {
            var scan = new JsonScan(json);
            while (scan.Next()) { }
            return scan.Root == JsonTokenType.StartObject ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
