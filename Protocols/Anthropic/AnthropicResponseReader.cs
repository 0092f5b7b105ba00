using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Reads Messages answers. Blocks are keyed anew at each <c>content_block_start</c>, whatever index the wire gives them.</summary>
/// <remarks>Borne: pings, unknown events, blocks and deltas, a missing block start or stop, several <c>message_delta</c>, an end without <c>message_stop</c>
/// once a stop reason was told, errors under any event name.</remarks>
public sealed class AnthropicResponseReader(IResponseSink sink) : IResponseReader
{
    /// <summary>A block on the wire. <c>Input</c>: arguments that came whole with the start; they count unless deltas follow.</summary>
    private sealed record Open(long Index, int Key, BlockKind Kind)
    {
        public byte[]? Input { get; set; }

        /// <summary>Characters in front of the block's own text.</summary>
        public int TextStart { get; set; }
    }

    private readonly List<Open> _open = [];
    private int _nextKey;
    private bool _started;
    private bool _ended;
    private FinishReason? _reason;
    private byte[] _stopSequence = [];
    private TokenUsage _usage;

    // Text was told that does not end in white space; something behind it that only this protocol can tell.
    private bool _endsInWord, _hasGap;

    public void Read(in Frame frame)
    {
        if (_ended || frame.Data.IsEmpty || frame.Data.SequenceEqual("[DONE]"u8)) return;
        try
        {
            Event(frame.Event, frame.Data, frame.IsException);
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    public void ReadWhole(ReadOnlySpan<byte> body)
    {
        if (_ended) return;
        try
        {
            Whole(body);
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    public void Complete()
    {
        if (_ended) return;
        // A client takes a stream with a stop reason and no message_stop as complete; so does this reader.
        if (_reason is not null) Finish();
        else Fail(new ProxyError(ErrorKind.BadGateway, _started ? "the upstream's answer was cut short" : "the upstream's answer was empty"));
    }

    public void WriteKeepalive(IBufferWriter<byte> output) => output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    public void WriteFailure(IBufferWriter<byte> output, ProxyError error) => AnthropicErrors.WriteEvent(output, error);

    private void Event(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, bool isException)
    {
        ReadOnlySpan<byte> type = default, message = default, block = default, delta = default, usage = default;
        long index = 0;
        bool hasError = false;
        var scan = new JsonScan(data);
        while (scan.Next())
        {
            if (scan.Is("type"u8)) type = scan.Inner;
            else if (scan.Is("index"u8)) index = scan.Long() ?? 0;
            else if (scan.Is("delta"u8)) delta = scan.Value;
            else if (scan.Is("content_block"u8)) block = scan.Value;
            else if (scan.Is("message"u8)) message = scan.Value;
            else if (scan.Is("usage"u8)) usage = scan.Value;
            else if (scan.Is("error"u8)) hasError = !scan.IsNull;
        }
        if (type.IsEmpty) type = name;
        if (type.SequenceEqual("content_block_delta"u8)) Delta(index, delta);
        else if (type.SequenceEqual("content_block_start"u8)) BlockStart(index, block);
        else if (type.SequenceEqual("content_block_stop"u8)) BlockStop(index);
        else if (type.SequenceEqual("message_start"u8)) Start(message);
        else if (type.SequenceEqual("message_delta"u8)) MessageDelta(delta, usage);
        else if (type.SequenceEqual("message_stop"u8)) Finish();
        else if (hasError || isException || type.SequenceEqual("error"u8)) Fail(AnthropicErrors.ReadInBand(data));
    }

    private void Start(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> id = default, model = default, usage = default;
        if (!message.IsEmpty)
        {
            var scan = JsonScan.Inside(message);
            while (scan.Next())
            {
                if (scan.Is("id"u8)) id = scan.Inner;
                else if (scan.Is("model"u8)) model = scan.Inner;
                else if (scan.Is("usage"u8)) usage = scan.Value;
            }
        }
        EnsureStarted(id, model);
        Usage(usage, default);
    }

    private void Usage(ReadOnlySpan<byte> json, in TokenUsage earlier)
    {
        if (json.IsEmpty) return;
        TokenUsage told = AnthropicUsage.Read(json, earlier);
        _usage = told.Over(earlier);
        sink.Usage(told);
    }

    private void EnsureStarted(ReadOnlySpan<byte> id = default, ReadOnlySpan<byte> model = default)
    {
        if (_started) return;
        _started = true;
        sink.Start(id, model);
    }

    private void BlockStart(long index, ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty) return;
        EnsureStarted();
        BlockStop(index);

        ReadOnlySpan<byte> type = default, id = default, name = default, input = default, text = default, signature = default, data = default, citations = default;
        var scan = JsonScan.Inside(block);
        while (scan.Next())
        {
            if (scan.Is("type"u8)) type = scan.Inner;
            else if (scan.Is("id"u8)) id = scan.Inner;
            else if (scan.Is("name"u8)) name = scan.Inner;
            else if (scan.Is("input"u8)) input = scan.Value;
            else if (scan.IsString && (scan.Is("text"u8) || scan.Is("thinking"u8))) text = scan.Value;
            else if (scan.IsString && scan.Is("signature"u8)) signature = scan.Value;
            else if (scan.IsString && scan.Is("data"u8)) data = scan.Value;
            else if (scan.Is("citations"u8)) citations = scan.Value;
        }

        if (type.SequenceEqual("text"u8))
        {
            Open open = Begin(index, BlockKind.Text);
            PushText(open, text);
            foreach (Citation citation in AnthropicCitations.ReadAll(citations)) Cite(open, citation);
        }
        else if (type.SequenceEqual("thinking"u8))
        {
            Open open = Begin(index, BlockKind.Thinking);
            PushDelta(open, text);
            PushSeal(open, SealKind.Thinking, signature);
        }
        else if (type.SequenceEqual("redacted_thinking"u8))
        {
            PushSeal(Begin(index, BlockKind.Thinking), SealKind.Redacted, data);
        }
        else if (type.SequenceEqual("tool_use"u8))
        {
            if (name.IsEmpty) Fail(new ProxyError(ErrorKind.ServerError, "the upstream sent a tool call without a name"));
            else Begin(index, BlockKind.ToolCall, id, name).Input = IsEmptyObject(input) ? null : ByteOutput.Quote(input);
        }
        else
        {
            Begin(index, BlockKind.Foreign);
            _hasGap |= _endsInWord;
        }
    }

    private void Delta(long index, ReadOnlySpan<byte> delta)
    {
        if (delta.IsEmpty) return;
        ReadOnlySpan<byte> type = default, text = default, json = default, signature = default, citation = default;
        var scan = JsonScan.Inside(delta);
        while (scan.Next())
        {
            if (scan.Is("type"u8)) type = scan.Inner;
            else if (scan.IsString && (scan.Is("text"u8) || scan.Is("thinking"u8))) text = scan.Value;
            else if (scan.IsString && scan.Is("partial_json"u8)) json = scan.Value;
            else if (scan.IsString && scan.Is("signature"u8)) signature = scan.Value;
            else if (scan.Is("citation"u8)) citation = scan.Value;
        }

        if (type.SequenceEqual("text_delta"u8)) PushText(OfKind(index, BlockKind.Text), text);
        else if (type.SequenceEqual("thinking_delta"u8)) PushDelta(OfKind(index, BlockKind.Thinking), text);
        else if (type.SequenceEqual("citations_delta"u8) && AnthropicCitations.Read(citation) is { } told) Cite(OfKind(index, BlockKind.Text), told);
        else if (type.SequenceEqual("signature_delta"u8)) PushSeal(OfKind(index, BlockKind.Thinking), SealKind.Thinking, signature);
        else if (type.SequenceEqual("input_json_delta"u8) && Find(index) is { Kind: BlockKind.ToolCall } call && json.Length > 2)
        {
            call.Input = null;
            PushDelta(call, json);
        }
    }

    /// <summary>The open block of that index; where there is none of that kind (servers that leave out starts, or mix kinds) a new one begins.</summary>
    private Open OfKind(long index, BlockKind kind)
    {
        if (Find(index) is { } open && open.Kind == kind) return open;
        EnsureStarted();
        BlockStop(index);
        return Begin(index, kind);
    }

    private Open Begin(long index, BlockKind kind, ReadOnlySpan<byte> id = default, ReadOnlySpan<byte> name = default)
    {
        var open = new Open(index, _nextKey++, kind);
        _open.Add(open);
        sink.BlockStart(open.Key, kind, id, name);
        return open;
    }

    private Open? Find(long index)
    {
        foreach (Open open in _open)
        {
            if (open.Index == index) return open;
        }
        return null;
    }

    private void PushText(Open open, ReadOnlySpan<byte> token)
    {
        if (token.Length <= 2) return;
        ReadOnlySpan<byte> inner = token[1..^1];
        if (_hasGap && (inner[0] == (byte)' ' || inner.StartsWith("\\n"u8))) _hasGap = false;
        CloseGap(open);
        _endsInWord = inner[^1] != (byte)' ' && !inner.EndsWith("\\n"u8);
        sink.BlockDelta(open.Key, token);
    }

    /// <summary>What was said before and after a server tool's work would run together for clients that do not see the work.</summary>
    private void CloseGap(Open open)
    {
        if (!_hasGap) return;
        _hasGap = false;
        open.TextStart = 2;
        sink.BlockDelta(open.Key, "\"\\n\\n\""u8);
    }

    private void Cite(Open open, Citation citation)
    {
        CloseGap(open);
        sink.BlockCite(open.Key, open.TextStart == 0 ? citation : citation with { Start = open.TextStart });
    }

    private void PushDelta(Open open, ReadOnlySpan<byte> token)
    {
        if (token.Length > 2) sink.BlockDelta(open.Key, token);
    }

    private void PushSeal(Open open, SealKind kind, ReadOnlySpan<byte> token)
    {
        if (token.Length > 2) sink.BlockSeal(open.Key, kind, token);
    }

    private void BlockStop(long index)
    {
        if (Find(index) is { } open) End(open);
    }

    private void End(Open open)
    {
        if (open.Input is { } input) sink.BlockDelta(open.Key, input);
        sink.BlockEnd(open.Key);
        _open.Remove(open);
    }

    private void MessageDelta(ReadOnlySpan<byte> delta, ReadOnlySpan<byte> usage)
    {
        EnsureStarted();
        if (!delta.IsEmpty) ReadStop(delta);
        Usage(usage, _usage);
    }

    private void ReadStop(ReadOnlySpan<byte> json)
    {
        var scan = JsonScan.Inside(json);
        while (scan.Next())
        {
            if (scan.IsString && scan.Is("stop_reason"u8)) _reason = AnthropicNames.ReadStop(scan.Inner);
            else if (scan.IsString && scan.Is("stop_sequence"u8)) _stopSequence = scan.Value.ToArray();
        }
    }

    private void Whole(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> content = default;
        bool isAnswer = false, isError = false;
        var scan = new JsonScan(body);
        while (scan.Next())
        {
            if (scan.Is("content"u8))
            {
                content = scan.Value;
                isAnswer = scan.Root == JsonTokenType.StartObject;
            }
            else if (scan.Is("type"u8)) isError = scan.Inner.SequenceEqual("error"u8);
            else if (scan.Is("error"u8)) isError |= !scan.IsNull;
        }
        if (isError || scan.Root == JsonTokenType.StartArray)
        {
            Fail(AnthropicErrors.ReadInBand(body));
            return;
        }
        if (!isAnswer)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent JSON that is no message"));
            return;
        }

        Start(body);
        ReadStop(body);
        // No vendor's form, but text all the same.
        if (content[0] == (byte)'"') PushText(Begin(0, BlockKind.Text), content);
        var blocks = JsonScan.Inside(content);
        for (long index = 0; !_ended && blocks.Next(); index++)
        {
            if (blocks.Kind != JsonTokenType.StartObject) continue;
            BlockStart(index, blocks.Value);
            if (!_ended) BlockStop(index);
        }
        if (!_ended) Finish();
    }

    private void Finish()
    {
        EnsureStarted();
        while (_open.Count > 0) End(_open[0]);
        _ended = true;
        sink.Finish(_reason ?? FinishReason.EndTurn, _stopSequence);
    }

    private void Fail(ProxyError error)
    {
        _ended = true;
        sink.Fail(error);
    }

    private static bool IsEmptyObject(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'{') return true;
        return JsonScan.Inside(json).Next() == false;
    }
}
