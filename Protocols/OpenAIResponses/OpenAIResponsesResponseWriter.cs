using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Writes a Responses answer: as events, or collected as one object at the end. One per response.</summary>
/// <remarks>Items open lazily at their first content. Text blocks that follow each other share a message; after anything else text begins a new one.
/// An item that a failure cut is never closed, and is missing from the failed response's output.</remarks>
public sealed class OpenAIResponsesResponseWriter : IResponseWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly WriterOptions _options;
    private readonly OpenAIResponsesEvents? _events;
    private readonly OpenAIResponsesItemEvents _itemEvents;
    private readonly OpenAIChatCallWriter _calls;
    private readonly Dictionary<int, Block> _blocks = [];
    private readonly List<OpenAIResponsesOutputItem> _items = [];
    private OpenAIResponsesOutputItem? _message;
    private OpenAIResponsesObject.State? _state;
    private TokenUsage _usage;
    private bool _isEnded;

    private sealed class Block(BlockKind kind)
    {
        public BlockKind Kind { get; } = kind;
        public OpenAIChatCallWriter.Call? Call { get; init; }
        public OpenAIResponsesOutputItem? Item;
        public int Part;
        public byte[]? Seal;
        public SealKind SealKind;
        public readonly PooledBytes Thinking = new();
        public readonly List<Citation> Citations = [];
        public bool IsEnded;
    }

    public OpenAIResponsesResponseWriter(IBufferWriter<byte> output, WriterOptions options)
    {
        _output = output;
        _options = options;
        _events = options.Stream ? new OpenAIResponsesEvents(output, 0) : null;
        _itemEvents = new OpenAIResponsesItemEvents(output, _events);
        _calls = new OpenAIChatCallWriter(options);
    }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (_state is not null || _isEnded) return;
        byte[] own = id.IsEmpty ? Encoding.ASCII.GetBytes("resp_" + _options.IdSeed) : id.StartsWith("resp_"u8) ? id.ToArray() : [.. "resp_"u8, .. id];
        _state = new OpenAIResponsesObject.State(own, _options.Created, OpenAIResponsesEcho.Write(_options));
        Lifecycle("response.created"u8, "in_progress"u8, null);
        Lifecycle("response.in_progress"u8, "in_progress"u8, null);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (_isEnded) return;
        bool isCall = kind is BlockKind.ToolCall or BlockKind.CustomToolCall;
        _blocks[block] = new Block(kind) { Call = isCall ? _calls.Begin(block, kind, toolId, toolName) : null };
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (_isEnded || jsonString.Length <= 2 || !_blocks.TryGetValue(block, out Block? state) || state.IsEnded) return;
        if (state.Kind == BlockKind.Thinking) state.Thinking.Write(jsonString[1..^1]);
        switch (state.Kind)
        {
            case BlockKind.Text or BlockKind.Refusal:
                OpenText(state);
                break;
            case BlockKind.Thinking when IsReasoningVisible:
                if (state.Item is null) OpenReasoning(state, hasText: true);
                break;
            case BlockKind.ToolCall or BlockKind.CustomToolCall:
                OpenCall(state);
                if (_calls.Take(block, jsonString) is null) return;
                break;
            default:
                return;
        }
        Append(state, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (_isEnded || kind == SealKind.None || !_blocks.TryGetValue(block, out Block? state)) return;

        // The proof of a call goes into a reasoning item of its own before the call: too late once that is announced.
        if (state.Kind == BlockKind.Thinking || (state.Call is not null && state.Item is null)) (state.Seal, state.SealKind) = (jsonString.ToArray(), kind);
    }

    public void BlockCite(int block, Citation citation)
    {
        if (_isEnded || !_blocks.TryGetValue(block, out Block? state) || state.Kind != BlockKind.Text) return;
        if (state.Item is null) state.Citations.Add(citation);
        // A part that is done cannot be added to.
        else if (!state.Item.Parts[state.Part].IsEnded) state.Item.Parts[state.Part].Citations.Add(citation);
    }

    public void BlockEnd(int block)
    {
        if (_isEnded || !_blocks.TryGetValue(block, out Block? state) || state.IsEnded) return;
        state.IsEnded = true;
        if (state.Kind == BlockKind.Thinking)
        {
            if (state.Item is null && state.Seal is not null) OpenReasoning(state, hasText: false);
            byte[]? proof = Proof(state);
            state.Thinking.Dispose();
            if (state.Item is not { } item) return;
            item.EncryptedContent = proof;
            if (item.Parts.Count > 0) EndPart(item, 0);
            Close(item, isIncomplete: false);
        }
        else if (state.Call is not null)
        {
            OpenCall(state);
            if (_calls.End(block, out byte[] rest) is not null && rest.Length > 2) Append(state, rest);

            // Arguments that are cut stay open until it is known why.
            if (state.Call.IsCustom || IsJson(state.Item!.Parts[0].Text.ToToken())) CloseCall(state.Item!, isIncomplete: false);
        }
        else if (state.Item is { } message)
        {
            message.Parts[state.Part].IsIdle = true;
        }
    }

    public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (_isEnded) return;
        Start(default, default);
        foreach (int block in _blocks.Keys.ToArray()) BlockEnd(block);
        string? incomplete = reason switch
        {
            FinishReason.MaxTokens or FinishReason.ContextOverflow => "max_output_tokens",
            FinishReason.Refusal => "content_filter",
            _ => null,
        };
        ReadOnlySpan<byte> status = incomplete is null ? "completed"u8 : "incomplete"u8;
        foreach (OpenAIResponsesOutputItem item in _items)
        {
            if (item.IsDone) continue;
            if (item.Call is not null) CloseCall(item, incomplete is not null);
            else CloseMessage(item, incomplete is not null);
        }
        _isEnded = true;
        long now = Math.Max(_options.Created, _options.Clock?.GetUtcNow().ToUnixTimeSeconds() ?? 0);
        _state = _state! with { IncompleteReason = incomplete, Completed = incomplete is null ? now : null };
        if (_events is not null) Lifecycle(incomplete is null ? "response.completed"u8 : "response.incomplete"u8, status, _usage);
        else OpenAIResponsesObject.Write(_output, _state, status, WriteFinished, _usage);
        foreach (OpenAIResponsesOutputItem item in _items) item.Dispose();
    }

    public void Fail(ProxyError error)
    {
        if (_isEnded) return;
        if (_events is null)
        {
            _isEnded = true;
            OpenAIErrors.Write(_output, error);
            return;
        }
        Start(default, default);
        if (_message is { IsDone: false } message) EndIdle(message);
        _isEnded = true;
        _state = _state! with { Error = error };
        Lifecycle("response.failed"u8, "failed"u8, null);
        foreach (OpenAIResponsesOutputItem item in _items) item.Dispose();
    }

    public void Keepalive()
    {
        if (_isEnded || _events is null) return;
        if (_state is null) _output.Write(": keepalive\n\n"u8);
        else _events.Keepalive();
    }

    /// <summary>Encrypted content is this protocol's own; every other proof travels in an envelope, with the text that it signs.</summary>
    private static byte[]? Proof(Block state)
    {
        if (state.Seal is not { } seal || state.SealKind == SealKind.Encrypted) return state.Seal;
        return SealEnvelope.Wrap(state.SealKind, "", seal, state.Thinking.Written);
    }

    private bool IsReasoningVisible => _options.Request is not { } request || request.Reasoning?.Visible == true;

    private void OpenText(Block state)
    {
        if (state.Item is not null) return;
        bool isShared = _message is { IsDone: false } open && open.Parts.TrueForAll(static part => part.IsIdle) && ReferenceEquals(_items[^1], open);
        if (isShared)
        {
            EndIdle(_message!);
        }
        else
        {
            CloseIdleMessage();
            _message = Add(OpenAIResponsesItemKind.Message, "msg", null);
        }
        state.Item = _message!;
        state.Part = state.Item.Parts.Count;
        state.Item.Parts.Add(new OpenAIResponsesOutputItem.Part(state.Kind == BlockKind.Refusal));
        state.Item.Parts[state.Part].Citations.AddRange(state.Citations);
        _itemEvents.PartAdded(state.Item, state.Part);
    }

    private void OpenReasoning(Block state, bool hasText)
    {
        CloseIdleMessage();
        state.Item = Add(OpenAIResponsesItemKind.Reasoning, "rs", null);
        if (!hasText) return;
        state.Item.Parts.Add(new OpenAIResponsesOutputItem.Part(isRefusal: false));
        _itemEvents.PartAdded(state.Item, 0);
    }

    private void OpenCall(Block state)
    {
        if (state.Item is not null) return;
        CloseIdleMessage();
        if (Proof(state) is { } seal)
        {
            OpenAIResponsesOutputItem carrier = Add(OpenAIResponsesItemKind.Reasoning, "rs", null);
            carrier.EncryptedContent = seal;
            Close(carrier, isIncomplete: false);
        }
        state.Item = state.Call!.IsCustom ? Add(OpenAIResponsesItemKind.Custom, "ctc", state.Call) : Add(OpenAIResponsesItemKind.Function, "fc", state.Call);
        state.Item.Parts.Add(new OpenAIResponsesOutputItem.Part(isRefusal: false));
    }

    private OpenAIResponsesOutputItem Add(OpenAIResponsesItemKind kind, string prefix, OpenAIChatCallWriter.Call? call)
    {
        Start(default, default);
        var item = new OpenAIResponsesOutputItem(kind, _items.Count, $"{prefix}_{_options.IdSeed}{_items.Count}") { Call = call };
        _items.Add(item);
        _itemEvents.Added(item);
        return item;
    }

    private void Append(Block state, ReadOnlySpan<byte> token)
    {
        state.Item!.Parts[state.Part].Text.Append(token[1..^1]);
        _itemEvents.Delta(state.Item, state.Part, token);
    }

    private void EndPart(OpenAIResponsesOutputItem item, int part)
    {
        if (item.Parts[part].IsEnded) return;
        item.Parts[part].IsEnded = true;
        _itemEvents.PartDone(item, part);
    }

    /// <summary>Something else begins: a message whose text has ended is closed, one that goes on stays open beside it.</summary>
    private void CloseIdleMessage()
    {
        if (_message is { IsDone: false } message && message.Parts.TrueForAll(static part => part.IsIdle)) CloseMessage(message, isIncomplete: false);
    }

    private void EndIdle(OpenAIResponsesOutputItem message)
    {
        for (int part = 0; part < message.Parts.Count; part++)
        {
            if (message.Parts[part].IsIdle) EndPart(message, part);
        }
    }

    private void CloseMessage(OpenAIResponsesOutputItem message, bool isIncomplete)
    {
        for (int part = 0; part < message.Parts.Count; part++) EndPart(message, part);
        Close(message, isIncomplete);
    }

    private void CloseCall(OpenAIResponsesOutputItem call, bool isIncomplete)
    {
        EndPart(call, 0);
        Close(call, isIncomplete);
    }

    private void Close(OpenAIResponsesOutputItem item, bool isIncomplete)
    {
        item.End(isIncomplete);
        _itemEvents.Done(item);
    }

    private void WriteFinished(IBufferWriter<byte> output)
    {
        bool isFirst = true;
        foreach (OpenAIResponsesOutputItem item in _items)
        {
            if (!item.IsDone) continue;
            if (!isFirst) output.Write(","u8);
            isFirst = false;
            item.Write(output);
        }
    }

    private void Lifecycle(ReadOnlySpan<byte> type, ReadOnlySpan<byte> status, TokenUsage? usage)
    {
        if (_events is null) return;
        _events.Begin(type);
        _output.Write("\"response\":"u8);
        OpenAIResponsesObject.Write(_output, _state!, status, WriteFinished, usage);
        _events.End();
    }

    private static bool IsJson(byte[] token)
    {
        try
        {
            var members = JsonSlice.NewMembers(Encoding.UTF8.GetBytes(RawJson.Decode(token)));
            while (members.Next()) { }
            return token.Length > 2;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
