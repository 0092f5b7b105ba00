using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes a streamGenerateContent answer as events, or as a JSON array that is one at any time a client may see its end.</summary>
/// <remarks>Text goes out as it comes; a call when it is whole, since the protocol has no part of one. Broken calls wait for the finish, which tells whether
/// a limit cut them.</remarks>
public sealed class GeminiResponseWriter(IBufferWriter<byte> output, WriterOptions options) : IResponseWriter
{
    private readonly List<AnswerBlock> _blocks = [];
    private readonly GeminiParts _parts = new(options);
    private readonly GeminiSources _sources = new(isWhole: false);
    private readonly ArrayBufferWriter<byte> _part = new();
    private readonly byte[] _model = RawJson.Encode(options.Model);
    private byte[] _id = Encoding.ASCII.GetBytes(options.IdSeed);
    private byte[]? _openTail;
    private TokenUsage _usage;
    private bool _ended;
    private bool _hasBroken;
    private int _elements;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (!id.IsEmpty) _id = id.ToArray();
        _openTail = null;
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (!_ended && kind != BlockKind.Foreign) _blocks.Add(new AnswerBlock(block, kind, toolId, toolName));
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (_ended || jsonString.Length <= 2 || Find(block) is not { } target) return;
        bool isThought = target.Kind == BlockKind.Thinking;
        // An Anthropic signature goes back only together with the text that it signs.
        if (isThought || target.IsCall) target.Append(jsonString);
        if (target.IsCall || (isThought && !_parts.ShowsThoughts)) return;
        if (!isThought) _sources.Text(block, jsonString);
        GeminiParts.WriteText(_part, jsonString, isThought);
        Chunk();
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!_ended) Find(block)?.SetSeal(kind, jsonString);
    }

    public void BlockCite(int block, Citation citation) => _sources.Cite(block, citation);

    public void BlockEnd(int block)
    {
        if (_ended || Find(block) is not { } target) return;
        _blocks.Remove(target);
        if (target.IsCall) EndCall(target);
        else if (target.Kind == BlockKind.Thinking) WriteSigned(_parts.Carry(target));
        else if (target.SealKind == SealKind.Thought) WriteSigned(target.Seal);
        target.Dispose();
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_ended) return;
        while (_blocks.Count > 0) BlockEnd(_blocks[0].Key);
        if (_hasBroken && reason is not (FinishReason.MaxTokens or FinishReason.ContextOverflow))
        {
            Fail(new ProxyError(ErrorKind.ServerError, "the upstream produced invalid tool arguments"));
            return;
        }
        _ended = true;
        byte[]? carried = _parts.TakeCarried();
        if (_elements == 0 && carried is null && reason == FinishReason.Refusal)
        {
            output.Write(options.JsonArray ? "["u8 : "data: "u8);
            GeminiParts.WriteBlocked(output, _usage, _model, _id);
            output.Write(options.JsonArray ? "\n]"u8 : "\r\n\r\n"u8);
            return;
        }
        // The official chat helper keeps a turn only if each of its chunks has a part.
        GeminiParts.WriteText(_part, "\"\""u8, false, carried);
        Chunk(GeminiNames.FinishReason(reason), _sources.Json());
        if (options.JsonArray) output.Write("\n]"u8);
    }

    public void Fail(ProxyError error)
    {
        if (_ended) return;
        _ended = true;
        GeminiErrors.WriteInStream(output, error, options.JsonArray, _elements == 0);
    }

    public void Keepalive()
    {
        if (_ended) return;
        if (options.JsonArray)
        {
            output.Write(" "u8);
            return;
        }
        output.Write("data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"index\":0}]}\r\n\r\n"u8);
    }

    private AnswerBlock? Find(int key)
    {
        foreach (AnswerBlock block in _blocks)
        {
            if (block.Key == key) return block;
        }
        return null;
    }

    private void EndCall(AnswerBlock call)
    {
        if (call.Arguments() is { } arguments)
        {
            _parts.WriteCall(_part, call, arguments);
            Chunk();
        }
        else
        {
            _hasBroken = true;
        }
    }

    private void WriteSigned(byte[]? signature)
    {
        if (signature is null) return;
        GeminiParts.WriteText(_part, "\"\""u8, false, signature);
        Chunk();
    }

    /// <summary>What stands behind the parts of each chunk but the last.</summary>
    private byte[] OpenTail()
    {
        if (_openTail is not null) return _openTail;
        var tail = new ArrayBufferWriter<byte>();
        GeminiParts.WriteTail(tail, default, default, _model, _id);
        return _openTail = tail.WrittenSpan.ToArray();
    }

    /// <summary>Sends what is in <c>_part</c>.</summary>
    private void Chunk(ReadOnlySpan<byte> reason = default, ReadOnlySpan<byte> grounding = default)
    {
        var run = new OutputRun(output);
        run.Add(!options.JsonArray ? "data: "u8 : _elements == 0 ? "["u8 : ",\n"u8);
        _elements++;
        run.Add(GeminiParts.Head);
        run.Add(_part.WrittenSpan);
        if (reason.IsEmpty) run.Add(OpenTail());
        run.End();
        if (!reason.IsEmpty) GeminiParts.WriteTail(output, reason, _usage, _model, _id, grounding);
        if (!options.JsonArray) output.Write("\r\n\r\n"u8);
        _part.ResetWrittenCount();
    }
}
