using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Folds the events of a stream into the message: what <c>message_start</c> told, the blocks, and what <c>message_delta</c> told last.</summary>
public sealed class AnthropicFold : IAnswerFold
{
    private readonly AnthropicContentFold _content = new();
    private readonly JsonFold _message = new(), _usage = new();
    private bool _isCutByLimit;

    public void Take(in Frame frame)
    {
        ReadOnlySpan<byte> data = frame.Data, type = default, message = default, block = default, delta = default;
        if (data.IsEmpty || data[0] != (byte)'{') return;
        long index = 0;
        var told = new JsonScan(data);
        while (told.Next())
        {
            if (told.Is("type"u8)) type = told.Inner;
            else if (told.Is("index"u8)) index = told.Long() ?? 0;
            else if (told.Is("message"u8)) message = told.Value;
            else if (told.Is("content_block"u8)) block = told.Value;
            else if (told.Is("delta"u8)) delta = told.Value;
        }
        if (type.IsEmpty) type = frame.Event;
        if (type.SequenceEqual("content_block_delta"u8)) _content.Delta(index, delta);
        else if (type.SequenceEqual("content_block_start"u8)) _content.Start(index, block);
        else if (type.SequenceEqual("content_block_stop"u8)) _content.Stop(index);
        else if (type.SequenceEqual("message_start"u8)) Merge(message, isDelta: false);
        else if (type.SequenceEqual("message_delta"u8))
        {
            Merge(data, isDelta: true);
            Merge(delta, isDelta: true);
        }
    }

    public void Write(IBufferWriter<byte> output)
    {
        _content.StopAll();
        if (_content.HasBroken && !_isCutByLimit) throw new ProtocolException(ErrorKind.ServerError, "the upstream produced invalid tool arguments");
        _message.Member("content"u8).Replace([(byte)'[', .. _content.Content, (byte)']']);
        if (!_message.Has("stop_reason"u8)) _message.Member("stop_reason"u8).Replace("null"u8);
        var usage = new ArrayBufferWriter<byte>();
        _usage.Write(usage);
        _message.Member("usage"u8).Replace(usage.WrittenSpan);
        _message.Write(output);
    }

    /// <summary>Members of the message; those of an event that are the event's own stay out. What is <c>null</c> in a delta takes nothing back.</summary>
    private void Merge(ReadOnlySpan<byte> members, bool isDelta)
    {
        if (members.IsEmpty) return;
        var told = new JsonScan(members);
        while (told.Next())
        {
            if (told.Is("usage"u8)) Usage(told.Value);
            else if (isDelta && (told.IsNull || told.Is("type"u8) || told.Is("delta"u8))) continue;
            else _message.Member(told.Name).Replace(told.Value);
            if (told.Is("stop_reason"u8)) _isCutByLimit = told.Inner.SequenceEqual("max_tokens"u8) || told.Inner.SequenceEqual("model_context_window_exceeded"u8);
        }
    }

    // "cumulative; the others may be null/absent = keep the message_start value"
    private void Usage(ReadOnlySpan<byte> usage)
    {
        _message.Member("usage"u8);
        var told = new JsonScan(usage);
        while (told.Next())
        {
            if (!told.IsNull || !_usage.Has(told.Name)) _usage.Member(told.Name).Replace(told.Value);
        }
    }
}
