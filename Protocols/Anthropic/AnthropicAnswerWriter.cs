using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Writes a Messages answer whole, at Finish; at Fail the error envelope.</summary>
public sealed class AnthropicAnswerWriter(IBufferWriter<byte> output, WriterOptions options) : IResponseWriter
{
    private readonly List<AnswerBlock> _blocks = [];
    private readonly ToolNames _names = ToolNames.Of(options.Request);
    private readonly AnthropicSources _sources = new(options);
    private TokenUsage _usage;
    private byte[] _id = [];
    private bool _ended;
    private bool _isSecond;
    private int _calls;

    // White space that was told alone, for the next text: clients send back what they are told, and the provider refuses a block of it.
    private byte[] _blank = [];

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => _id = AnthropicBlocks.MessageId(id, options);

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (kind != BlockKind.Foreign) _blocks.Add(new AnswerBlock(block, kind, toolId, toolName));
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => Find(block)?.Append(jsonString);

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => Find(block)?.SetSeal(kind, jsonString);

    public void BlockCite(int block, Citation citation)
    {
        _sources.Add(citation);
        Find(block)?.Citations.Add(citation);
    }

    public void BlockEnd(int block) { }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_ended) return;
        var calls = new Dictionary<int, byte[]>();
        foreach (AnswerBlock block in _blocks)
        {
            if (!block.IsCall) continue;
            if (block.Arguments() is { } arguments) calls[block.Key] = arguments;
            // A call that a limit cut is left out; any other broken one is the upstream's fault.
            else if (reason is not (FinishReason.MaxTokens or FinishReason.ContextOverflow))
                throw new ProtocolException(ErrorKind.ServerError, "the upstream produced invalid tool arguments");
        }
        _ended = true;
        Write(AnthropicBlocks.Settle(reason, calls.Count > 0, false, _blocks.Exists(block => block.Kind == BlockKind.Refusal)), stopSequence, calls);
    }

    public void Fail(ProxyError error)
    {
        if (_ended) return;
        _ended = true;
        AnthropicErrors.Write(output, error, null);
    }

    public void Keepalive() { }

    private AnswerBlock? Find(int key) => _blocks.Find(block => block.Key == key);

    private void Write(FinishReason reason, ReadOnlySpan<byte> stopSequence, Dictionary<int, byte[]> calls)
    {
        output.Write("{\"id\":"u8);
        output.WriteQuoted(_id.Length > 0 ? _id : AnthropicBlocks.MessageId(default, options));
        output.Write(",\"type\":\"message\",\"role\":\"assistant\",\"model\":"u8);
        output.Write(RawJson.Encode(options.Model));
        output.Write(",\"content\":["u8);
        foreach (AnswerBlock block in _blocks) WriteBlock(block, calls);
        if (_sources.HasAny && calls.Count == 0)
        {
            Separate();
            _sources.WriteCall(output, "{\"query\":\"\"}"u8);
            Separate();
            _sources.WriteResult(output);
        }
        output.Write("],\"container\":null,\"diagnostics\":null,"u8);
        AnthropicBlocks.WriteStop(output, reason, stopSequence);
        output.Write(",\"usage\":"u8);
        AnthropicUsage.Write(output, _usage);
        output.Write("}"u8);
    }

    private void WriteBlock(AnswerBlock block, Dictionary<int, byte[]> calls)
    {
        if (block.IsCall)
        {
            if (calls.TryGetValue(block.Key, out byte[]? arguments)) WriteCall(block, arguments);
        }
        else if (block.Kind == BlockKind.Thinking)
        {
            WriteThinking(block);
        }
        else if (AnthropicBlocks.IsBlank(block))
        {
            _blank = [.. _blank, .. block.Inner];
        }
        else
        {
            Separate();
            output.Write("{\"type\":\"text\",\"text\":\""u8);
            output.Write(_blank);
            output.Write(block.Inner);
            _blank = [];
            output.Write("\",\"citations\":"u8);
            AnthropicCitations.Write(output, block.Citations);
            output.Write("}"u8);
        }
    }

    private void WriteThinking(AnswerBlock block)
    {
        bool hasText = !block.Inner.IsEmpty && AnthropicBlocks.ShowsThinking(options);
        if (!hasText && AnthropicBlocks.IsRedacted(block))
        {
            Separate();
            output.Write("{\"type\":\"redacted_thinking\",\"data\":"u8);
            output.Write(block.Seal);
            output.Write("}"u8);
        }
        else if (AnthropicBlocks.IsWorthWriting(block, hasText))
        {
            WriteThinking(hasText ? block.Inner : default, AnthropicBlocks.Signature(block));
        }
    }

    private void WriteCall(AnswerBlock block, byte[] arguments)
    {
        if (AnthropicBlocks.Carrier(block) is { } proof) WriteThinking(default(ReadOnlySpan<byte>), proof);
        Separate();
        output.Write("{\"type\":\"tool_use\",\"id\":"u8);
        output.WriteQuoted(AnthropicBlocks.ToolId(block, options, _calls++));
        output.Write(",\"name\":"u8);
        output.WriteQuoted(AnthropicBlocks.ToolName(block, _names));
        output.Write(",\"input\":"u8);
        output.Write(arguments);
        output.Write(",\"caller\":{\"type\":\"direct\"}}"u8);
    }

    private void WriteThinking(ReadOnlySpan<byte> inner, ReadOnlySpan<byte> signature)
    {
        Separate();
        output.Write("{\"type\":\"thinking\",\"thinking\":"u8);
        output.WriteQuoted(inner);
        output.Write(",\"signature\":"u8);
        output.Write(signature);
        output.Write("}"u8);
    }

    private void Separate()
    {
        if (_isSecond) output.Write(","u8);
        _isSecond = true;
    }
}
