using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Collects an answer and writes it as one <c>chat.completion</c> at its end. One per response.</summary>
public sealed class OpenAIChatWholeWriter(IBufferWriter<byte> output, WriterOptions options) : IResponseWriter
{
    private readonly OpenAIChatCallWriter _calls = new(options);
    private readonly Dictionary<int, BlockKind> _kinds = [];
    private readonly OpenAIChatSources _sources = new();
    private readonly Dictionary<int, Arguments> _arguments = [];
    private readonly ArrayBufferWriter<byte> _content = new(), _reasoning = new(), _refusal = new();
    private readonly List<string> _details = [];
    private byte[] _id = [];
    private TokenUsage _usage;
    private bool _isEnded;

    private sealed class Arguments
    {
        public required OpenAIChatCallWriter.Call Call;
        public byte[]? Signature;
        public readonly ArrayBufferWriter<byte> Inner = new();
    }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => _id = id.ToArray();

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        _kinds[block] = kind;
        if (kind is BlockKind.ToolCall or BlockKind.CustomToolCall) _arguments[block] = new Arguments { Call = _calls.Begin(block, kind, toolId, toolName) };
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (jsonString.Length <= 2 || !_kinds.TryGetValue(block, out BlockKind kind)) return;
        ReadOnlySpan<byte> inner = jsonString[1..^1];
        switch (kind)
        {
            case BlockKind.Text:
                _sources.Text(block, jsonString);
                _content.Write(inner);
                break;
            case BlockKind.Refusal:
                _refusal.Write(inner);
                break;
            case BlockKind.Thinking:
                _reasoning.Write(inner);
                break;
            case BlockKind.ToolCall or BlockKind.CustomToolCall:
                if (_calls.Take(block, jsonString) is not null) _arguments[block].Inner.Write(inner);
                break;
        }
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (kind == SealKind.Details && !SealEnvelope.IsEnvelope(jsonString)) _details.Add(RawJson.Decode(jsonString));
        if (kind == SealKind.Thought && _arguments.TryGetValue(block, out Arguments? arguments)) arguments.Signature = jsonString.ToArray();
    }

    public void BlockCite(int block, Citation citation) => _sources.Cite(block, citation);

    public void BlockEnd(int block)
    {
        if (_calls.End(block, out byte[] rest) is not null && rest.Length > 2) _arguments[block].Inner.Write(rest.AsSpan(1..^1));
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_isEnded) return;
        _isEnded = true;
        foreach (int block in _calls.OpenBlocks()) BlockEnd(block);
        output.Write("{\"id\":\""u8);
        output.Write(_id.Length > 0 ? _id : Encoding.UTF8.GetBytes("chatcmpl-" + options.IdSeed));
        output.Write(Encoding.UTF8.GetBytes($"\",\"object\":\"chat.completion\",\"created\":{options.Created},\"model\":"));
        output.Write(RawJson.Encode(options.Model));
        output.Write(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"u8);

        // "null when only tool calls / refusal"
        Text(_content, isNullable: _calls.HasAny || _refusal.WrittenCount > 0);
        output.Write(",\"refusal\":"u8);
        Text(_refusal, isNullable: true);
        output.Write(",\"annotations\":"u8);
        _sources.Write(output);
        if (_reasoning.WrittenCount > 0 && options.Request?.Reasoning?.Visible != false)
        {
            output.Write(",\"reasoning_content\":"u8);
            Text(_reasoning, isNullable: false);
        }
        if (_details.Count > 0 && OpenAIChatDetails.Join(_details) is { Length: > 0 } members)
        {
            output.Write(","u8);
            output.Write(members);
        }
        if (_calls.HasAny) Calls();
        output.Write("},\"logprobs\":null,\"finish_reason\":\""u8);
        output.Write(_calls.Finish(reason));
        output.Write("\"}],\"usage\":"u8);
        using (var json = new Utf8JsonWriter(output, OpenAIErrors.Json)) OpenAIUsage.WriteChat(json, _usage);
        output.Write("}"u8);
    }

    public void Fail(ProxyError error)
    {
        if (_isEnded) return;
        _isEnded = true;
        OpenAIErrors.Write(output, error);
    }

    public void Keepalive() { }

    private void Calls()
    {
        if (_calls.IsLegacy)
        {
            Arguments first = _arguments.Values.First(static one => one.Call.Index == 0);
            output.Write(","u8);
            OpenAIChatCallWriter.WriteFunction(output, first.Call, [(byte)'"', .. first.Inner.WrittenSpan, (byte)'"']);
            return;
        }
        output.Write(",\"tool_calls\":["u8);
        bool isFirst = true;
        foreach (Arguments arguments in _arguments.Values.OrderBy(static one => one.Call.Index))
        {
            output.Write(isFirst ? "{"u8 : ",{"u8);
            isFirst = false;
            if (arguments.Signature is { } signature)
            {
                output.Write("\"extra_content\":{\"google\":{\"thought_signature\":"u8);
                output.Write(signature);
                output.Write("}},"u8);
            }
            var body = new ArrayBufferWriter<byte>(arguments.Inner.WrittenCount + 256);
            OpenAIChatCallWriter.WriteBody(body, arguments.Call, [(byte)'"', .. arguments.Inner.WrittenSpan, (byte)'"']);
            output.Write(body.WrittenSpan[1..]);
        }
        output.Write("]"u8);
    }

    private void Text(ArrayBufferWriter<byte> inner, bool isNullable)
    {
        if (inner.WrittenCount == 0 && isNullable)
        {
            output.Write("null"u8);
            return;
        }
        output.Write("\""u8);
        output.Write(inner.WrittenSpan);
        output.Write("\""u8);
    }
}
