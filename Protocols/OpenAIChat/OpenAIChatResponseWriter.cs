using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Writes a Chat answer as a stream of chunks. One per response.</summary>
/// <remarks>Text is copied as the raw JSON tokens that come in. Blocks of one kind run together: the protocol has one content, one refusal and one reasoning
/// text.</remarks>
public sealed class OpenAIChatResponseWriter : IResponseWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly WriterOptions _options;
    private readonly OpenAIChatCallWriter _calls;
    private readonly Dictionary<int, BlockKind> _kinds = [];
    private readonly OpenAIChatSources _sources = new();
    private byte[] _head = [];
    private TokenUsage _usage;
    private bool _isEnded;

    /// <summary>A call whose first chunk waits for the next event: libraries look for a signature in that chunk only.</summary>
    private OpenAIChatCallWriter.Call? _begun;

    public OpenAIChatResponseWriter(IBufferWriter<byte> output, WriterOptions options)
    {
        _output = output;
        _options = options;
        _calls = new OpenAIChatCallWriter(options);
    }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (_head.Length > 0 || _isEnded) return;
        var head = new ArrayBufferWriter<byte>();
        head.Write("data: {\"id\":\""u8);
        if (id.IsEmpty) head.Write(Encoding.UTF8.GetBytes("chatcmpl-" + _options.IdSeed));
        else head.Write(id);
        head.Write(Encoding.UTF8.GetBytes($"\",\"object\":\"chat.completion.chunk\",\"created\":{_options.Created},\"model\":"));
        head.Write(RawJson.Encode(_options.Model));
        head.Write(",\"choices\":["u8);
        _head = head.WrittenSpan.ToArray();
        Chunk("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"u8, default);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (_isEnded) return;
        _kinds[block] = kind;
        if (kind is not (BlockKind.ToolCall or BlockKind.CustomToolCall)) return;
        Begin(default);
        _begun = _calls.Begin(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (_isEnded || jsonString.Length <= 2 || !_kinds.TryGetValue(block, out BlockKind kind)) return;
        Begin(default);
        switch (kind)
        {
            case BlockKind.Text:
                _sources.Text(block, jsonString);
                Text("{\"content\":"u8, jsonString);
                break;
            case BlockKind.Refusal:
                Text("{\"refusal\":"u8, jsonString);
                break;
            case BlockKind.Thinking when _options.Request?.Reasoning?.Visible != false:
                Text("{\"reasoning_content\":"u8, jsonString);
                break;
            case BlockKind.ToolCall or BlockKind.CustomToolCall:
                if (_calls.Take(block, jsonString) is { } call) Arguments(call, jsonString);
                break;
        }
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!_isEnded && kind == SealKind.Details && !SealEnvelope.IsEnvelope(jsonString))
        {
            Begin(default);
            if (OpenAIChatDetails.Join([RawJson.Decode(jsonString)]) is { Length: > 0 } members) Chunk([.. "{"u8, .. members, .. "}"u8], default);
            return;
        }
        // Otherwise Chat has a place for Gemini's signatures alone, and only on calls.
        if (_isEnded || _calls.IsLegacy || kind != SealKind.Thought || _calls.Find(block) is not { } call) return;
        if (call == _begun)
        {
            Begin(jsonString);
            return;
        }
        Begin(default);
        _output.Write(_head);
        _output.Write("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"u8);
        _output.WriteNumber(call.Index);
        // Some libraries refuse an entry without this member.
        _output.Write(call.IsCustom ? ",\"custom\":{\"input\":\"\"}"u8 : ",\"function\":{\"arguments\":\"\"}"u8);
        Signature(jsonString);
        _output.Write("}]}"u8);
        Tail(default);
    }

    public void BlockCite(int block, Citation citation) => _sources.Cite(block, citation);

    public void BlockEnd(int block)
    {
        if (_isEnded) return;
        Begin(default);
        if (_calls.End(block, out byte[] rest) is { } call && rest.Length > 0) Arguments(call, rest);
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_isEnded) return;
        Start(default, default);
        Begin(default);
        foreach (int block in _calls.OpenBlocks()) BlockEnd(block);
        if (_sources.HasAny) Annotations();
        Chunk("{}"u8, _calls.Finish(reason));
        if (_options.IncludeUsage)
        {
            _output.Write(_head);
            _output.Write("],\"usage\":"u8);
            using (var json = new Utf8JsonWriter(_output, OpenAIErrors.Json)) OpenAIUsage.WriteChat(json, _usage);
            _output.Write("}\n\n"u8);
        }
        _output.Write("data: [DONE]\n\n"u8);
        _isEnded = true;
    }

    public void Fail(ProxyError error)
    {
        if (_isEnded) return;
        _isEnded = true;
        WriteErrorChunk(_output, error);
    }

    public void Keepalive()
    {
        if (_isEnded) return;
        Begin(default);
        _output.Write(": keepalive\n\n"u8);
    }

    /// <summary>A failure inside a stream; no <c>[DONE]</c> may follow, or the answer would look whole.</summary>
    public static void WriteErrorChunk(IBufferWriter<byte> output, ProxyError error)
    {
        output.Write("data: "u8);
        OpenAIErrors.Write(output, error with { Message = OpenAIErrors.StreamMessage(error) });
        output.Write("\n\n"u8);
    }

    /// <summary>Writes the first chunk of the call that waits for it.</summary>
    private void Begin(ReadOnlySpan<byte> signature)
    {
        if (_begun is not { } call) return;
        _begun = null;
        if (_calls.IsLegacy)
        {
            Function(call, default);
            return;
        }
        Start(default, default);
        _output.Write(_head);
        _output.Write("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"u8);
        _output.WriteNumber(call.Index);
        OpenAIChatCallWriter.WriteMembers(_output, call, "\"\""u8);
        if (!signature.IsEmpty) Signature(signature);
        _output.Write("}]}"u8);
        Tail(default);
    }

    private void Signature(ReadOnlySpan<byte> token)
    {
        _output.Write(",\"extra_content\":{\"google\":{\"thought_signature\":"u8);
        _output.Write(token);
        _output.Write("}}"u8);
    }

    private void Text(ReadOnlySpan<byte> member, ReadOnlySpan<byte> token)
    {
        Start(default, default);
        var run = new OutputRun(_output);
        run.Add(_head);
        run.Add("{\"index\":0,\"delta\":"u8);
        run.Add(member);
        run.Add(token);
        run.Add("}"u8);
        run.Add(OpenTail);
        run.End();
    }

    /// <summary>All in one chunk: libraries keep the last one's list only.</summary>
    private void Annotations()
    {
        _output.Write(_head);
        _output.Write("{\"index\":0,\"delta\":{\"annotations\":"u8);
        _sources.Write(_output);
        _output.Write("}"u8);
        Tail(default);
    }

    /// <summary>The deprecated form has room for one call.</summary>
    /// <param name="token">More of its arguments; empty: the call begins.</param>
    private void Function(OpenAIChatCallWriter.Call call, ReadOnlySpan<byte> token)
    {
        if (call.Index > 0) return;
        var delta = new ArrayBufferWriter<byte>();
        delta.Write("{"u8);
        if (token.IsEmpty) OpenAIChatCallWriter.WriteFunction(delta, call, "\"\""u8);
        else
        {
            delta.Write("\"function_call\":{\"arguments\":"u8);
            delta.Write(token);
            delta.Write("}"u8);
        }
        delta.Write("}"u8);
        Chunk(delta.WrittenSpan, default);
    }

    private void Arguments(OpenAIChatCallWriter.Call call, ReadOnlySpan<byte> token)
    {
        if (_calls.IsLegacy)
        {
            Function(call, token);
            return;
        }
        _output.Write(_head);
        _output.Write("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"u8);
        _output.WriteNumber(call.Index);
        _output.Write(call.IsCustom ? ",\"custom\":{\"input\":"u8 : ",\"function\":{\"arguments\":"u8);
        _output.Write(token);
        _output.Write("}}]}"u8);
        _output.Write(OpenTail);
    }

    private void Chunk(ReadOnlySpan<byte> delta, ReadOnlySpan<byte> finishReason)
    {
        Start(default, default);
        _output.Write(_head);
        _output.Write("{\"index\":0,\"delta\":"u8);
        _output.Write(delta);
        Tail(finishReason);
    }

    /// <summary>Of a chunk that others follow.</summary>
    private ReadOnlySpan<byte> OpenTail => _options.IncludeUsage
        ? ",\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"u8
        : ",\"logprobs\":null,\"finish_reason\":null}]}\n\n"u8;

    private void Tail(ReadOnlySpan<byte> finishReason)
    {
        if (finishReason.IsEmpty)
        {
            _output.Write(OpenTail);
            return;
        }
        _output.Write(",\"logprobs\":null,\"finish_reason\":\""u8);
        _output.Write(finishReason);
        _output.Write("\"}]"u8);
        _output.Write(_options.IncludeUsage ? ",\"usage\":null}\n\n"u8 : "}\n\n"u8);
    }
}
