using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>What every Anthropic stream towards a client obeys: message_start, blocks 0, 1, 2 ... one after the other, message_delta, message_stop; or an error in
/// the place of the rest. Pings and comments anywhere before the end.</summary>
public sealed class AnthropicStream
{
    private bool _started;
    private int _blocks;
    private string? _open;
    private readonly StringBuilder _arguments = new();
    private bool _sealed;
    private int _calls;
    private int _brokenCalls;
    private string? _stopReason;
    private StreamEnd? _end;

    public static StreamEnd Check(ReadOnlySpan<byte> sse)
    {
        var stream = new AnthropicStream();
        foreach (SseBlock block in SseBlock.ReadAll(sse)) stream.Take(block);
        return stream._end ?? throw Node.Broken("end of the stream", "neither message_stop nor error came");
    }

    private void Take(SseBlock block)
    {
        if (_end is not null) throw Node.Broken(block.Where, "something follows the end of the stream");
        if (block.IsComment) return;

        Node data = Node.ParseObject(block.Data!, block.Where);
        string type = data.Name("type");
        data.Check(block.Event == type, $"event line is '{block.Event}', type is '{type}'");
        data = data with { Where = $"{block.Where} ({type})" };
        data.Check(_started || type is "message_start" or "ping" or "error", "comes before message_start");
        switch (type)
        {
            case "ping": break;
            case "message_start": Start(data); break;
            case "content_block_start": StartBlock(data); break;
            case "content_block_delta": Delta(data); break;
            case "content_block_stop": StopBlock(data); break;
            case "message_delta": MessageDelta(data); break;
            case "message_stop":
                data.Check(_stopReason is not null, "no message_delta with a stop_reason came before");
                _end = StreamEnd.Finished;
                break;
            case "error":
                data["error"].Name("type");
                data["error"].Name("message");
                _end = StreamEnd.Failed;
                break;
            default: throw Node.Broken(data.Where, "unknown event type");
        }
    }

    private void Start(Node data)
    {
        data.Check(!_started, "second message_start");
        _started = true;
        Node message = data["message"];
        message.Name("id");
        message.Name("model");
        message.CheckText("type", "message");
        message.CheckText("role", "assistant");
        message.Check(message["content"].Items.Count == 0, "content must be empty");
        message.Check(message.Optional("stop_reason") is null, "stop_reason must be null");
        message["usage"].Number("input_tokens");
        message["usage"].Number("output_tokens");
    }

    private void StartBlock(Node data)
    {
        data.Check(_open is null, "the block before is still open");
        data.Check(_stopReason is null, "a block after the stop_reason");
        data.CheckNumber("index", _blocks++);
        Node block = data["content_block"];
        _open = block.Name("type");
        _sealed = false;
        _arguments.Clear();
        switch (_open)
        {
            case "text": block.Text("text"); break;
            case "thinking": block.Text("thinking"); break;
            case "redacted_thinking": block.Name("data"); break;
            case "tool_use" or "server_tool_use":
                block.Name("id");
                block.Name("name");
                block.Check(block["input"].IsObject, "input must be an object");
                if (_open == "tool_use") _calls++;
                break;
        }
    }

    private void Delta(Node data)
    {
        data.Check(_open is not null, "no block is open");
        data.CheckNumber("index", _blocks - 1);
        data.Check(!_sealed, "a delta after the signature");
        Node delta = data["delta"];
        string kind = delta.Name("type");
        bool fits = (_open, kind) switch
        {
            ("text", "text_delta" or "citations_delta") => true,
            ("thinking", "thinking_delta" or "signature_delta") => true,
            ("tool_use" or "server_tool_use", "input_json_delta") => true,
            ("compaction", "compaction_delta") => true,
            _ => false,
        };
        delta.Check(fits, $"{kind} in a block of type {_open}");
        switch (kind)
        {
            case "text_delta": delta.Text("text"); break;
            case "thinking_delta": delta.Text("thinking"); break;
            case "input_json_delta": _arguments.Append(delta.Text("partial_json")); break;
            case "signature_delta":
                delta.Text("signature");
                _sealed = true;
                break;
        }
    }

    private void StopBlock(Node data)
    {
        data.Check(_open is not null, "no block is open");
        data.CheckNumber("index", _blocks - 1);
        if (_open == "tool_use" && !IsArguments(_arguments.ToString())) _brokenCalls++;
        _open = null;
    }

    private void MessageDelta(Node data)
    {
        data.Check(_open is null, $"block {_blocks - 1} is still open");
        data["usage"].Number("output_tokens");
        if (data["delta"].Optional("stop_reason") is null) return;
        data.Check(_stopReason is null, "second stop_reason");
        _stopReason = data["delta"].Name("stop_reason");
        data.Check(_stopReason != "tool_use" || _calls > 0, "stop_reason tool_use without a tool_use block");
        data.Check(_stopReason != "end_turn" || _calls == 0, "stop_reason end_turn after a tool_use block");
        data.Check(_brokenCalls == 0 || _stopReason != "tool_use", "tool arguments are no JSON object");
    }

    /// <summary>Arguments must parse at the stop; no text at all stands for an empty object. Where a limit cut them the stop_reason says so.</summary>
    private static bool IsArguments(string text)
    {
        if (text.Length == 0) return true;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
