using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes a generateContent answer whole, at Finish; at Fail the error envelope.</summary>
public sealed class GeminiAnswerWriter(IBufferWriter<byte> output, WriterOptions options) : IResponseWriter
{
    private readonly List<AnswerBlock> _blocks = [];
    private readonly GeminiParts _parts = new(options);
    private readonly GeminiSources _sources = new(isWhole: true);
    private readonly ArrayBufferWriter<byte> _content = new();
    private byte[] _id = Encoding.ASCII.GetBytes(options.IdSeed);
    private TokenUsage _usage;
    private bool _ended;
    private int _written;

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (!id.IsEmpty) _id = id.ToArray();
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (kind != BlockKind.Foreign) _blocks.Add(new AnswerBlock(block, kind, toolId, toolName));
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => Find(block)?.Append(jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => Find(block)?.SetSeal(kind, jsonString);

    public void BlockCite(int block, Citation citation) => _sources.Cite(block, citation);

    public void BlockEnd(int block) { }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_ended) return;
        foreach (AnswerBlock block in _blocks)
        {
            if (WriteBlock(block) || reason is FinishReason.MaxTokens or FinishReason.ContextOverflow) continue;
            throw new ProtocolException(ErrorKind.ServerError, "the upstream produced invalid tool arguments");
        }
        _ended = true;
        WriteSigned(_parts.TakeCarried());
        if (_content.WrittenCount == 0 && reason == FinishReason.Refusal)
        {
            GeminiParts.WriteBlocked(output, _usage, RawJson.Encode(options.Model), _id);
            return;
        }
        if (_content.WrittenCount == 0) GeminiParts.WriteText(_content, "\"\""u8, false);
        GeminiParts.WriteObject(output, _content.WrittenSpan, GeminiNames.FinishReason(reason), _usage, RawJson.Encode(options.Model), _id, _sources.Json());
    }

    public void Fail(ProxyError error)
    {
        if (_ended) return;
        _ended = true;
        GeminiErrors.Write(output, error);
    }

    public void Keepalive() { }

    private AnswerBlock? Find(int key) => _blocks.Find(block => block.Key == key);

    /// <summary>False: a call whose arguments are no object.</summary>
    private bool WriteBlock(AnswerBlock block)
    {
        if (block.IsCall)
        {
            if (block.Arguments() is not { } arguments) return false;
            Separate();
            _parts.WriteCall(_content, block, arguments);
        }
        else if (block.Kind == BlockKind.Thinking)
        {
            if (!block.Inner.IsEmpty && _parts.ShowsThoughts)
            {
                Separate();
                GeminiParts.WriteText(_content, block.Token(), true);
            }
            WriteSigned(_parts.Carry(block));
        }
        else
        {
            byte[]? signature = block.SealKind == SealKind.Thought ? block.Seal : null;
            if (block.Inner.IsEmpty && signature is null) return true;
            Separate();
            _sources.Text(block.Key, block.Token());
            _sources.SetPart(block.Key, _written - 1);
            GeminiParts.WriteText(_content, block.Token(), false, signature);
        }
        return true;
    }

    private void WriteSigned(byte[]? signature)
    {
        if (signature is null) return;
        Separate();
        GeminiParts.WriteText(_content, "\"\""u8, false, signature);
    }

    private void Separate()
    {
        if (_content.WrittenCount > 0) _content.Write(","u8);
        _written++;
    }
}
