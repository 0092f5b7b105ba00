using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Reads a Chat answer of OpenAI or of one of the many servers that resemble it. One per response.</summary>
/// <remarks>Finish waits for <c>[DONE]</c> or the end of the stream: usage may come after the finish reason, and some servers tell a reason in each
/// chunk.</remarks>
public sealed class OpenAIChatResponseReader : IResponseReader
{
    private readonly IResponseSink _sink;
    private readonly BlockNumbers _blocks = new();
    private readonly OpenAIChatCalls _calls;
    private readonly OpenAIChatCitations _citations;
    private readonly OpenAIChatDetails _details = new();
    private BlockKind _openKind;
    private int _open = -1;
    private bool _isStarted, _isEnded, _isReasonedPlainly;
    private FinishReason? _reason;
    private byte[] _stopSequence = [];

    public OpenAIChatResponseReader(IResponseSink sink)
    {
        _sink = sink;
        _calls = new OpenAIChatCalls(sink, _blocks);
        _citations = new OpenAIChatCitations(sink);
    }

    public void Read(in Frame frame)
    {
        if (_isEnded) return;
        ReadOnlySpan<byte> data = frame.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty) return;
        if (data.SequenceEqual("[DONE]"u8))
        {
            End(isMarked: true);
            return;
        }
        Take(data, frame.Event.SequenceEqual("error"u8));
    }

    public void ReadWhole(ReadOnlySpan<byte> body)
    {
        if (_isEnded) return;
        if (body.Trim(" \t\r\n"u8).IsEmpty)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent an empty answer"));
            return;
        }
        Take(body, isError: false);
        if (!_isEnded) End(isMarked: true);
    }

    public void Complete()
    {
        if (!_isEnded) End(isMarked: false);
    }

    public void WriteKeepalive(IBufferWriter<byte> output) => output.Write(": keepalive\n\n"u8);

    public void WriteFailure(IBufferWriter<byte> output, ProxyError error) => OpenAIChatResponseWriter.WriteErrorChunk(output, error);

    private void Take(ReadOnlySpan<byte> json, bool isError)
    {
        try
        {
            Root(json, isError);
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    private void Root(ReadOnlySpan<byte> json, bool isError)
    {
        if (JsonSlice.IsArray(json))
        {
            // Gemini's Chat endpoint wraps its errors in an array.
            var elements = JsonSlice.NewElements(json);
            if (!elements.Next()) return;
            json = elements.Value;
        }
        ReadOnlySpan<byte> id = default, model = default, choices = default, usage = default, error = default, kind = default;
        ChatChoice first = default;
        int count = 0;
        JsonScan members = JsonSlice.NewMembers(json);
        while (members.Next())
        {
            if (members.Is("choices"u8))
            {
                first = default;
                count = members.Kind == JsonTokenType.StartArray ? ReadFirst(ref members, ref first) : 0;
                choices = members.Value;
            }
            else if (members.Is("id"u8)) id = members.Value;
            else if (members.Is("model"u8)) model = members.Value;
            else if (members.Is("usage"u8)) usage = members.Value;
            else if (members.Is("error"u8)) error = members.Value;
            else if (members.Is("object"u8)) kind = members.Value;
        }
        // vLLM tells its errors without an envelope.
        isError |= kind.SequenceEqual("\"error\""u8) && !JsonSlice.IsArray(choices);
        if (JsonSlice.IsTruthy(error) || isError)
        {
            Fail(OpenAIErrorReader.ReadInStream(JsonSlice.IsTruthy(error) ? error : json));
            return;
        }
        if (!JsonSlice.IsArray(choices) && !JsonSlice.IsObject(usage)) return;
        if (!_isStarted) _sink.Start(JsonSlice.Inner(id), JsonSlice.Inner(model));
        _isStarted = true;

        if (count == 1) Choice(first);
        else if (count > 1) Choices(choices);
        if (!_isEnded && OpenAIUsage.Read(usage) is { } told) _sink.Usage(told);
    }

    /// <summary>Nearly every chunk has one choice at most: that one is read on the way. Returns how many there are.</summary>
    private static int ReadFirst(scoped ref JsonScan scan, scoped ref ChatChoice first)
    {
        int count = 0;
        JsonScan.Place list = scan.Down();
        while (scan.Next())
        {
            if (count++ > 0 || scan.Kind != JsonTokenType.StartObject) continue;
            JsonScan.Place choice = scan.Down();
            first.Read(ref scan);
            scan.Up(choice);
        }
        scan.Up(list);
        return count;
    }

    private void Choices(ReadOnlySpan<byte> choices)
    {
        JsonScan list = JsonSlice.Elements(choices);
        while (!_isEnded && list.Next())
        {
            JsonScan members = JsonSlice.Members(list.Value);
            ChatChoice choice = default;
            choice.Read(ref members);
            Choice(choice);
        }
    }

    private void Choice(in ChatChoice choice)
    {
        if (choice.Index != 0) return;
        if (JsonSlice.IsTruthy(choice.Error))
        {
            Fail(OpenAIErrorReader.ReadInStream(choice.Error));
            return;
        }
        Content(choice.Delta);
        if (!_isEnded && OpenAIUsage.Read(choice.Usage) is { } told) _sink.Usage(told);

        // vLLM tells the stop sequence as stop_reason, SGLang as matched_stop; numbers there are token ids.
        if (JsonSlice.IsText(choice.Stop)) _stopSequence = choice.Stop.ToArray();
        if (JsonSlice.IsText(choice.FinishReason)) FinishSeen(JsonSlice.Inner(choice.FinishReason));
    }

    private void FinishSeen(ReadOnlySpan<byte> word)
    {
        if (OpenAIChatNames.Finish(word) is not { } reason)
        {
            bool isOverload = word.SequenceEqual("insufficient_system_resource"u8);
            Fail(new ProxyError(isOverload ? ErrorKind.Overloaded : ErrorKind.ServerError, "the upstream broke its answer off with an error"));
            return;
        }
        if (_reason is null || OpenAIChatNames.Rank(reason) >= OpenAIChatNames.Rank(_reason.Value)) _reason = reason;
    }

    private void Content(in ChatDelta delta)
    {
        // The same text often comes under two of these names: the first that has any counts. The details of what was told plainly may come in a later chunk.
        ReadOnlySpan<byte> plain = JsonSlice.IsText(delta.ReasoningContent) ? delta.ReasoningContent : delta.Reasoning;
        _isReasonedPlainly |= JsonSlice.IsText(plain);
        if (_isReasonedPlainly) Delta(BlockKind.Thinking, plain);
        else ReasoningDetails(delta.ReasoningDetails.Length > 2 ? delta.ReasoningDetails : delta.ThinkingBlocks);
        Proofs(delta.ReasoningDetails, delta.ThinkingBlocks);

        if (JsonSlice.IsArray(delta.Content)) Parts(delta.Content);
        else Delta(BlockKind.Text, delta.Content);
        Delta(BlockKind.Refusal, delta.Refusal);
        if (delta.Annotations.Length > 2) _citations.Read(delta.Annotations);

        if (delta.ToolCalls.Length > 2 && JsonSlice.IsArray(delta.ToolCalls))
        {
            CloseText();
            _calls.Read(delta.ToolCalls);
        }
        if (JsonSlice.IsObject(delta.FunctionCall))
        {
            CloseText();
            _calls.ReadFunction(delta.FunctionCall);
        }
    }

    /// <summary>Keeps what the server wants back; the thinking block that is open, or one that opens for it, carries it.</summary>
    private void Proofs(ReadOnlySpan<byte> details, ReadOnlySpan<byte> blocks)
    {
        _details.ReadDetails(details);
        _details.ReadBlocks(blocks);
        if (_details.HasAny) Open(BlockKind.Thinking);
    }

    /// <summary>OpenRouter: <c>reasoning.text</c> has text, <c>reasoning.summary</c> has summary, <c>reasoning.encrypted</c> nothing to read. LiteLLM's blocks have thinking.</summary>
    private void ReasoningDetails(ReadOnlySpan<byte> details)
    {
        var elements = JsonSlice.Elements(details);
        while (elements.Next())
        {
            var members = JsonSlice.Members(elements.Value);
            while (members.Next())
            {
                if (members.Is("text"u8) || members.Is("summary"u8) || members.Is("thinking"u8)) Delta(BlockKind.Thinking, members.Value);
            }
        }
    }

    /// <summary>Content as parts, as Mistral's reasoning models answer: text parts, and thinking parts that hold text parts.</summary>
    private void Parts(ReadOnlySpan<byte> content)
    {
        var elements = JsonSlice.Elements(content);
        while (elements.Next())
        {
            if (JsonSlice.IsString(elements.Value))
            {
                Delta(BlockKind.Text, elements.Value);
                continue;
            }
            ReadOnlySpan<byte> text = default, thinking = default, refusal = default;
            var members = JsonSlice.Members(elements.Value);
            while (members.Next())
            {
                if (members.Is("text"u8)) text = members.Value;
                else if (members.Is("thinking"u8)) thinking = members.Value;
                else if (members.Is("refusal"u8)) refusal = members.Value;
            }
            Delta(BlockKind.Thinking, thinking);
            ReasoningDetails(thinking);
            Delta(BlockKind.Text, text);
            Delta(BlockKind.Refusal, refusal);
        }
    }

    /// <summary>Goes on with the open block of the kind or opens one; anything but a string with text in it is no delta.</summary>
    private void Delta(BlockKind kind, ReadOnlySpan<byte> token)
    {
        if (!JsonSlice.IsText(token)) return;
        Open(kind);
        if (kind == BlockKind.Text) _citations.Text(_open, token);
        _sink.BlockDelta(_open, token);
    }

    private void Open(BlockKind kind)
    {
        if (_open >= 0 && _openKind == kind) return;
        CloseText();
        _calls.EndComplete();
        _open = _blocks.Next();
        _openKind = kind;
        _sink.BlockStart(_open, kind);
    }

    private void CloseText()
    {
        if (_open >= 0 && _openKind == BlockKind.Thinking && _details.HasAny) _sink.BlockSeal(_open, SealKind.Details, _details.Take());
        if (_open >= 0) _sink.BlockEnd(_open);
        _open = -1;
    }

    /// <param name="isMarked">The end was told by <c>[DONE]</c>, or the answer came whole.</param>
    private void End(bool isMarked)
    {
        if (!_isStarted)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's answer ended before it began"));
            return;
        }
        if (_reason is null && (!isMarked || (!_blocks.HasAny && !_calls.HasNameless) || _calls.HasCut))
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's stream was cut"));
            return;
        }
        if (_calls.HasNameless && _reason is not (FinishReason.MaxTokens or FinishReason.Refusal))
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent a tool call without a name"));
            return;
        }
        _citations.End();
        CloseText();
        _calls.EndAll();
        FinishReason reason = _reason ?? FinishReason.EndTurn;
        if (reason == FinishReason.EndTurn && _calls.HasAny) reason = FinishReason.ToolUse;
        else if (reason == FinishReason.ToolUse && !_calls.HasAny) reason = FinishReason.EndTurn;
        if (reason == FinishReason.EndTurn && _stopSequence.Length > 0) reason = FinishReason.StopSequence;
        _isEnded = true;
        _sink.Finish(reason, reason == FinishReason.StopSequence ? _stopSequence : default);
    }

    private void Fail(ProxyError error)
    {
        if (_isEnded) return;
        _isEnded = true;
        _sink.Fail(error);
    }
}
