using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Makes text of the call in whose arguments a model gave its answer, see <see cref="JsonResponseTool"/>. One per response; an answer without that call passes as it is.</summary>
/// <remarks>Arguments are JSON text as they come, so that they stream on. Only a wrapped value waits for its end.</remarks>
public sealed class JsonResponse : IResponseSink
{
    private readonly IResponseSink _next;
    private readonly byte[] _name;
    private readonly bool _isWrapped;
    private readonly Dictionary<int, ArrayBufferWriter<byte>> _answers = [];
    private bool _hasOther;

    public JsonResponse(IResponseSink next, ChatRequest request)
    {
        _next = next;
        _name = Encoding.UTF8.GetBytes(JsonResponseTool.NameFor(request));
        _isWrapped = request.Output?.Schema is { } schema && JsonResponseTool.IsWrapped(schema);
    }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => _next.Start(id, model);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (kind == BlockKind.ToolCall && toolName.SequenceEqual(_name))
        {
            _answers[block] = new ArrayBufferWriter<byte>();
            _next.BlockStart(block, BlockKind.Text);
            return;
        }
        _hasOther |= kind is BlockKind.ToolCall or BlockKind.CustomToolCall;
        _next.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (_isWrapped && _answers.TryGetValue(block, out ArrayBufferWriter<byte>? held)) held.Write(jsonString[1..^1]);
        else _next.BlockDelta(block, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!_answers.ContainsKey(block)) _next.BlockSeal(block, kind, jsonString);
    }

    public void BlockCite(int block, Citation citation) => _next.BlockCite(block, citation);

    public void BlockEnd(int block)
    {
        if (_isWrapped && _answers.TryGetValue(block, out ArrayBufferWriter<byte>? held) && held.WrittenCount > 0) _next.BlockDelta(block, Unwrap(held.WrittenSpan));
        _next.BlockEnd(block);
    }

    public void Usage(in TokenUsage total) => _next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) =>
        _next.Finish(reason == FinishReason.ToolUse && _answers.Count > 0 && !_hasOther ? FinishReason.EndTurn : reason, stopSequence);

    public void Fail(ProxyError error) => _next.Fail(error);

    /// <summary>The member <c>value</c>; arguments that are cut, or not the wrapper, go through as they are.</summary>
    private static byte[] Unwrap(ReadOnlySpan<byte> inner)
    {
        byte[] token = [(byte)'"', .. inner, (byte)'"'];
        try
        {
            byte[]? value = null;
            var members = new JsonScan(Encoding.UTF8.GetBytes(RawJson.Decode(token)));
            while (members.Next())
            {
                if (members.Is("value"u8)) value = members.Value.ToArray();
            }
            return value is null ? token : ByteOutput.Quote(value);
        }
        catch (JsonException)
        {
            return token;
        }
    }
}
