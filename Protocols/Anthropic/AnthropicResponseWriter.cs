using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Writes a Messages stream. The wire has one open block at a time: the first started is written as it comes, later ones wait until it
/// closed.</summary>
/// <remarks>A block is opened when it has something to say, so that none is empty. A call's arguments are held until their first character shows an
/// object; what is on the wire then cannot be taken back, and arguments that end broken finish the answer as cut by a limit.</remarks>
public sealed class AnthropicResponseWriter(IBufferWriter<byte> output, WriterOptions options) : IResponseWriter
{
    // Started and not closed, in the order they started. Only the first may be on the wire.
    private readonly List<AnswerBlock> _blocks = [];
    private readonly ToolNames _names = ToolNames.Of(options.Request);
    private readonly bool _showsThinking = AnthropicBlocks.ShowsThinking(options);
    private readonly AnthropicSources _sources = new(options);
    private TokenUsage _usage;
    private bool _started;
    private bool _ended;
    private bool _isOpen;
    private int _index;
    private int _calls;
    private bool _hasCall;
    private bool _hasBroken;
    private bool _hasRefusal;

    // White space that was told alone; the inside of a JSON string.
    private byte[] _blank = [];

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (_started || _ended) return;
        _started = true;
        output.Write("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":"u8);
        output.WriteQuoted(AnthropicBlocks.MessageId(id, options));
        output.Write(",\"type\":\"message\",\"role\":\"assistant\",\"model\":"u8);
        output.Write(RawJson.Encode(options.Model));
        output.Write(",\"content\":[],\"container\":null,\"diagnostics\":null,\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null,\"usage\":"u8);
        // What the client reckons with until message_delta tells the true numbers.
        AnthropicUsage.Write(output, Told(default));
        output.Write("}}\n\n"u8);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (_ended || kind == BlockKind.Foreign) return;
        EnsureStarted();
        _blocks.Add(new AnswerBlock(block, kind, toolId, toolName));
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (_ended || jsonString.Length <= 2 || Find(block) is not { } target) return;
        if (target != _blocks[0]) target.Append(jsonString);
        else Emit(target, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!_ended) Find(block)?.SetSeal(kind, jsonString);
    }

    public void BlockCite(int block, Citation citation)
    {
        if (_ended) return;
        _sources.Add(citation);
        if (!AnthropicCitations.CanTell(citation) || Find(block) is not { } target) return;
        target.Citations.Add(citation);
        if (target == _blocks[0]) Cite(target);
    }

    public void BlockEnd(int block)
    {
        if (_ended || Find(block) is not { } target) return;
        target.IsEnded = true;
        Advance();
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_ended) return;
        EnsureStarted();
        foreach (AnswerBlock block in _blocks) block.IsEnded = true;
        Advance();
        if (_sources.HasAny && !_hasCall) WriteSources();
        _ended = true;
        output.Write("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"u8);
        AnthropicBlocks.WriteStop(output, AnthropicBlocks.Settle(reason, _hasCall, _hasBroken, _hasRefusal), stopSequence);
        output.Write(",\"container\":null},\"usage\":"u8);
        AnthropicUsage.Write(output, Told(_usage));
        output.Write("}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);
    }

    public void Fail(ProxyError error)
    {
        if (_ended) return;
        EnsureStarted();
        _ended = true;
        AnthropicErrors.WriteEvent(output, error);
    }

    public void Keepalive()
    {
        if (!_ended) output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);
    }

    private void EnsureStarted() => Start(default, default);

    // An upstream that tells nothing takes nothing back: a client that counts a prompt as nothing compacts too late.
    private TokenUsage Told(in TokenUsage usage) => usage.TotalInput > 0 || options.EstimatedInput == 0 ? usage : usage with { Input = options.EstimatedInput };

    private AnswerBlock? Find(int key)
    {
        foreach (AnswerBlock block in _blocks)
        {
            if (block.Key == key) return block;
        }
        return null;
    }

    /// <summary>Closes the first block once it ended, and lets the next one speak.</summary>
    private void Advance()
    {
        while (_blocks.Count > 0 && _blocks[0].IsEnded)
        {
            Close(_blocks[0]);
            _blocks[0].Dispose();
            _blocks.RemoveAt(0);
            if (_blocks.Count > 0) EmitHeld(_blocks[0]);
        }
    }

    private void EmitHeld(AnswerBlock block)
    {
        if (block.Inner.IsEmpty) return;
        byte[] token = block.Token();
        block.Clear();
        Emit(block, token);
    }

    private void Emit(AnswerBlock block, ReadOnlySpan<byte> token)
    {
        switch (block.Kind)
        {
            case BlockKind.Text or BlockKind.Refusal:
                Say(block, token);
                Cite(block);
                break;
            case BlockKind.Thinking when _showsThinking:
                Open(block);
                Delta("thinking_delta"u8, "thinking"u8, token);
                break;
            case BlockKind.ToolCall:
                // Kept as well: at its end the call is checked for being an object.
                block.Append(token);
                if (_isOpen) Delta("input_json_delta"u8, "partial_json"u8, token);
                else if (FirstSignificant(block.Inner) == '{') OpenCall(block);
                break;
            case BlockKind.CustomToolCall:
                block.Append(token);
                break;
        }
    }

    /// <summary>A block of nothing but white space is not begun: clients send back what they are told, and the provider refuses such a block. The next text has it in front.</summary>
    private void Say(AnswerBlock block, ReadOnlySpan<byte> token)
    {
        if (_isOpen)
        {
            Delta("text_delta"u8, "text"u8, token);
            return;
        }
        block.Append(token);
        if (AnthropicBlocks.IsBlank(block)) return;
        byte[] held = [(byte)'"', .. _blank, .. block.Inner, (byte)'"'];
        block.Clear();
        _blank = [];
        Open(block);
        Delta("text_delta"u8, "text"u8, held);
    }

    /// <summary>Tells the sources that wait. A block that never says anything is never opened, and has none to tell.</summary>
    private void Cite(AnswerBlock block)
    {
        if (!_isOpen || block.Citations.Count == 0) return;
        var json = new ArrayBufferWriter<byte>();
        foreach (Citation citation in block.Citations)
        {
            json.WriteOneLine(citation.Raw.Span);
            Delta("citations_delta"u8, "citation"u8, json.WrittenSpan);
            json.ResetWrittenCount();
        }
        block.Citations.Clear();
    }

    private void OpenCall(AnswerBlock block)
    {
        Open(block);
        Delta("input_json_delta"u8, "partial_json"u8, block.Token());
    }

    private void Close(AnswerBlock block)
    {
        if (block.IsCall) CloseCall(block);
        else if (block.Kind == BlockKind.Thinking) CloseThinking(block);
        else if (_isOpen) Stop();
        else _blank = [.. _blank, .. block.Inner];
        if (block.Kind == BlockKind.Refusal) _hasRefusal = true;
    }

    private void CloseThinking(AnswerBlock block)
    {
        if (!_isOpen && AnthropicBlocks.IsRedacted(block))
        {
            BeginBlock();
            output.Write("{\"type\":\"redacted_thinking\",\"data\":"u8);
            output.Write(block.Seal);
            output.Write("}}\n\n"u8);
            Stop();
        }
        else if (AnthropicBlocks.IsWorthWriting(block, _isOpen))
        {
            Open(block);
            Delta("signature_delta"u8, "signature"u8, AnthropicBlocks.Signature(block));
            Stop();
        }
    }

    private void CloseCall(AnswerBlock block)
    {
        byte[]? arguments = block.Arguments();
        if (arguments is null)
        {
            _hasBroken = true;
            if (!_isOpen) OpenCall(block);
        }
        else
        {
            _hasCall = true;
            if (!_isOpen) Open(block);
            if (block.Kind == BlockKind.CustomToolCall) Delta("input_json_delta"u8, "partial_json"u8, ByteOutput.Quote(arguments));
        }
        Stop();
    }

    private void Open(AnswerBlock block)
    {
        if (_isOpen) return;
        if (block.IsCall && AnthropicBlocks.Carrier(block) is { } proof)
        {
            BeginBlock();
            output.Write("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"u8);
            Delta("signature_delta"u8, "signature"u8, proof);
            Stop();
        }
        BeginBlock();
        switch (block.Kind)
        {
            case BlockKind.Thinking:
                output.Write("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"u8);
                break;
            case BlockKind.ToolCall or BlockKind.CustomToolCall:
                output.Write("{\"type\":\"tool_use\",\"id\":"u8);
                output.WriteQuoted(AnthropicBlocks.ToolId(block, options, _calls++));
                output.Write(",\"name\":"u8);
                output.WriteQuoted(AnthropicBlocks.ToolName(block, _names));
                output.Write(",\"input\":{},\"caller\":{\"type\":\"direct\"}}}\n\n"u8);
                break;
            default:
                output.Write("{\"type\":\"text\",\"text\":\"\",\"citations\":null}}\n\n"u8);
                break;
        }
    }

    private void WriteSources()
    {
        BeginBlock();
        _sources.WriteCall(output, "{}"u8);
        output.Write("}\n\n"u8);
        Delta("input_json_delta"u8, "partial_json"u8, "\"{\\\"query\\\":\\\"\\\"}\""u8);
        Stop();
        BeginBlock();
        _sources.WriteResult(output);
        output.Write("}\n\n"u8);
        Stop();
    }

    private void BeginBlock()
    {
        _isOpen = true;
        output.Write("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"u8);
        output.WriteNumber(_index);
        output.Write(",\"content_block\":"u8);
    }

    private void Delta(ReadOnlySpan<byte> type, ReadOnlySpan<byte> member, ReadOnlySpan<byte> token)
    {
        var run = new OutputRun(output);
        run.Add("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"u8);
        run.AddNumber(_index);
        run.Add(",\"delta\":{\"type\":\""u8);
        run.Add(type);
        run.Add("\",\""u8);
        run.Add(member);
        run.Add("\":"u8);
        run.Add(token);
        run.Add("}}\n\n"u8);
        run.End();
    }

    private void Stop()
    {
        output.Write("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"u8);
        output.WriteNumber(_index++);
        output.Write("}\n\n"u8);
        _isOpen = false;
    }

    /// <summary>The first character of JSON text, itself inside a JSON string, that is not white space; 0: none yet.</summary>
    private static char FirstSignificant(ReadOnlySpan<byte> inner)
    {
        while (!inner.IsEmpty)
        {
            if (inner[0] == (byte)' ') inner = inner[1..];
            else if (inner.Length > 1 && inner[0] == (byte)'\\' && inner[1] is (byte)'n' or (byte)'r' or (byte)'t') inner = inner[2..];
            else return (char)inner[0];
        }
        return '\0';
    }
}
