using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>One choice of a folded answer. Its calls go through the same reading as those of a translated answer, whatever the server does with <c>index</c> and
/// <c>id</c>, and so do the details of its reasoning; everything else is folded as it comes.</summary>
public sealed class OpenAIChatFoldedChoice
{
    private readonly long _index;
    private readonly JsonFold _message = new(), _rest = new();
    private readonly CallSink _sink = new();
    private readonly OpenAIChatDetails _details = new();
    private readonly List<byte[]> _annotations = [];
    private readonly OpenAIChatCalls _calls;
    private byte[]? _finish;
    private bool _isFunction;

    public OpenAIChatFoldedChoice(long index)
    {
        _index = index;
        _calls = new OpenAIChatCalls(_sink, new BlockNumbers());
    }

    public void Take(ReadOnlySpan<byte> choice)
    {
        var members = JsonSlice.Members(choice);
        while (members.Next())
        {
            if (members.Is("delta"u8) || members.Is("message"u8)) TakeDelta(members.Value);
            else if (members.Is("finish_reason"u8)) TakeFinish(members.Value);
            // Azure tells what its filters found in each chunk again.
            else if (!members.Is("index"u8)) _rest.Member(members.Name, isRepeated: !members.Is("logprobs"u8)).Add(members.Value);
        }
    }

    public void Write(IBufferWriter<byte> output)
    {
        _calls.EndAll();
        if (!_message.Has("role"u8)) _message.AddMember("role"u8, "\"assistant\""u8);
        if (!_message.Has("content"u8)) _message.AddMember("content"u8, "null"u8);
        WriteCalls();
        WriteLists();
        output.Write("{\"index\":"u8);
        output.WriteNumber(_index);
        output.Write(",\"message\":"u8);
        _message.Write(output);
        if (!_rest.Has("logprobs"u8)) _rest.AddMember("logprobs"u8, "null"u8);
        var rest = new ArrayBufferWriter<byte>();
        _rest.Write(rest);
        output.Write(","u8);
        output.Write(rest.WrittenSpan[1..^1]);
        output.Write(",\"finish_reason\":"u8);
        output.Write(_finish ?? (_calls.HasAny ? "\"tool_calls\""u8 : "\"stop\""u8));
        output.Write("}"u8);
    }

    private void TakeDelta(ReadOnlySpan<byte> delta)
    {
        var members = JsonSlice.Members(delta);
        while (members.Next())
        {
            if (members.Is("tool_calls"u8))
            {
                _calls.Read(members.Value);
            }
            else if (members.Is("function_call"u8) && JsonSlice.IsObject(members.Value))
            {
                _isFunction = true;
                _calls.ReadFunction(members.Value);
            }
            else if (JsonSlice.IsArray(members.Value) && (members.Is("reasoning_details"u8) || members.Is("thinking_blocks"u8)))
            {
                _message.Member(members.Name);
                if (members.Is("reasoning_details"u8)) _details.ReadDetails(members.Value);
                else _details.ReadBlocks(members.Value);
            }
            else if (JsonSlice.IsArray(members.Value) && members.Is("annotations"u8))
            {
                _message.Member(members.Name);
                TakeAnnotations(members.Value);
            }
            else
            {
                _message.AddMember(members.Name, members.Value);
            }
        }
    }

    /// <summary>Some servers repeat those they told before.</summary>
    private void TakeAnnotations(ReadOnlySpan<byte> annotations)
    {
        var elements = JsonSlice.Elements(annotations);
        while (elements.Next())
        {
            byte[] annotation = elements.Value.ToArray();
            if (!_annotations.Exists(known => known.AsSpan().SequenceEqual(annotation))) _annotations.Add(annotation);
        }
    }

    // "a plain stop must not overwrite an earlier tool_calls"
    private void TakeFinish(ReadOnlySpan<byte> finish)
    {
        if (JsonSlice.IsText(finish) && (_finish is null || !finish.SequenceEqual("\"stop\""u8))) _finish = finish.ToArray();
    }

    private void WriteCalls()
    {
        // A call without a name is none.
        if (_sink.Calls.Count == 0) return;
        var json = new ArrayBufferWriter<byte>();
        if (_isFunction)
        {
            WriteFunction(json, _sink.Calls[0]);
            _message.Member("function_call"u8).Replace(json.WrittenSpan);
            return;
        }
        json.Write("["u8);
        for (int i = 0; i < _sink.Calls.Count; i++)
        {
            AnswerBlock call = _sink.Calls[i];
            bool isCustom = call.Kind == BlockKind.CustomToolCall;
            json.Write(i == 0 ? "{\"id\":"u8 : ",{\"id\":"u8);
            json.WriteQuoted(call.ToolId);
            json.Write(isCustom ? ",\"type\":\"custom\",\"custom\":"u8 : ",\"type\":\"function\",\"function\":"u8);
            WriteFunction(json, call);
            if (call.Seal is { } signature)
            {
                json.Write(",\"extra_content\":{\"google\":{\"thought_signature\":"u8);
                json.Write(signature);
                json.Write("}}"u8);
            }
            json.Write("}"u8);
        }
        json.Write("]"u8);
        _message.Member("tool_calls"u8).Replace(json.WrittenSpan);
    }

    private void WriteLists()
    {
        if (_message.Has("reasoning_details"u8)) _message.Member("reasoning_details"u8).Replace(_details.List(isBlocks: false));
        if (_message.Has("thinking_blocks"u8)) _message.Member("thinking_blocks"u8).Replace(_details.List(isBlocks: true));
        if (!_message.Has("annotations"u8)) return;
        var json = new ArrayBufferWriter<byte>();
        foreach (byte[] annotation in _annotations)
        {
            json.Write(json.WrittenCount == 0 ? "["u8 : ","u8);
            json.Write(annotation);
        }
        json.Write(json.WrittenCount == 0 ? "[]"u8 : "]"u8);
        _message.Member("annotations"u8).Replace(json.WrittenSpan);
    }

    private static void WriteFunction(IBufferWriter<byte> json, AnswerBlock call)
    {
        json.Write("{\"name\":"u8);
        json.WriteQuoted(call.ToolName);
        json.Write(call.Kind == BlockKind.CustomToolCall ? ",\"input\":"u8 : ",\"arguments\":"u8);
        json.Write(call.Token());
        json.Write("}"u8);
    }

    private sealed class CallSink : IResponseSink
    {
        public List<AnswerBlock> Calls { get; } = [];

        public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) { }

        public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
            Calls.Add(new AnswerBlock(block, kind, toolId, toolName));

        public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => Calls.Find(call => call.Key == block)?.Append(jsonString);

        public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => Calls.Find(call => call.Key == block)?.SetSeal(kind, jsonString);

        public void BlockCite(int block, Citation citation) { }

        public void BlockEnd(int block) { }

        public void Usage(in TokenUsage total) { }

        public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) { }

        public void Fail(ProxyError error) { }
    }
}
