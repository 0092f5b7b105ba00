using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Reads generateContent answers. Each chunk is a whole response object whose parts go on where the last chunk's stopped.</summary>
/// <remarks>Some servers tell a finish reason in every chunk, others send usage after it: the answer is finished when the stream ends, never before.
/// A thought with a signature is a block of its own, since its position is part of the proof; so is a signature alone.</remarks>
public sealed class GeminiResponseReader(IResponseSink sink) : IResponseReader
{
    private readonly GeminiUsage _usage = new();
    private readonly GeminiGrounding _grounding = new(sink);
    private int _nextKey;
    private int _open = -1;
    private BlockKind _openKind;
    private bool _started;
    private bool _ended;
    private bool _hasContent;
    private bool _hasCall;
    private bool _hasNameless;
    private bool _isClaude;
    private GeminiEnd _end;

    /// <summary>The client is given a JSON array instead of events.</summary>
    public bool ClientArray { get; set; }

    /// <summary>How many elements of that array the client was given.</summary>
    public int ElementsWritten { get; set; }

    public void Read(in Frame frame)
    {
        if (_ended || frame.Data.IsEmpty || frame.Data.SequenceEqual("[DONE]"u8)) return;
        ReadJson(frame.Data);
        // What told a failure was not passed on.
        if (!_ended) ElementsWritten++;
        if (!_ended && frame.IsException) Fail(new ProxyError(ErrorKind.ServerError, "the upstream told an error without saying which"));
    }

    public void ReadWhole(ReadOnlySpan<byte> body)
    {
        if (_ended) return;
        ReadJson(body);
        if (_ended) return;
        // A whole answer is whole: what some servers leave out of it is only the word for that.
        if (_end == GeminiEnd.None && _hasContent) _end = GeminiEnd.Stop;
        Complete();
    }

    public void Complete()
    {
        if (_ended) return;
        if (_end == GeminiEnd.None) Fail(new ProxyError(ErrorKind.BadGateway, _started ? "the upstream's answer was cut short" : "the upstream's answer was empty"));
        else if (_hasNameless) Fail(new ProxyError(ErrorKind.ServerError, "the upstream sent a tool call without a name"));
        else if (_end == GeminiEnd.Other && !_hasContent) Fail(new ProxyError(ErrorKind.ServerError, "the upstream ended without content or a reason"));
        else Finish();
    }

    public void WriteKeepalive(IBufferWriter<byte> output) =>
        output.Write(ClientArray ? " "u8 : "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"index\":0}]}\r\n\r\n"u8);

    public void WriteFailure(IBufferWriter<byte> output, ProxyError error)
    {
        GeminiErrors.WriteInStream(output, error, ClientArray, ElementsWritten == 0);
        ElementsWritten++;
    }

    private void ReadJson(ReadOnlySpan<byte> json)
    {
        try
        {
            var scan = new JsonScan(json);
            if (scan.Root == JsonTokenType.StartArray) Chunks(json, scan);
            else Chunk(json, scan);
        }
        catch (JsonException)
        {
            if (!_ended) Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    private void Chunks(ReadOnlySpan<byte> json, JsonScan check)
    {
        // Looked through first, so that nothing is passed on of what breaks in its middle.
        while (check.Next()) { }
        JsonScan chunks = JsonScan.Inside(json);
        while (!_ended && chunks.Next())
        {
            if (chunks.Kind == JsonTokenType.StartObject) Chunk(chunks.Value, JsonScan.Inside(chunks.Value));
        }
    }

    private void Chunk(ReadOnlySpan<byte> json, JsonScan scan)
    {
        ReadOnlySpan<byte> id = default, model = default, candidates = default, feedback = default;
        TokenUsage? usage = null;
        int count = 0;
        GeminiCandidate first = default;
        bool hasError = false;
        while (scan.Next())
        {
            if (scan.Is("candidates"u8))
            {
                first = default;
                count = scan.IsContainer ? ReadFirst(ref scan, ref first) : 0;
                candidates = scan.Value;
            }
            else if (scan.Is("usageMetadata"u8)) usage = _usage.Read(ref scan);
            else if (scan.Is("modelVersion"u8)) model = scan.Inner;
            else if (scan.Is("responseId"u8)) id = scan.Inner;
            else if (scan.Is("promptFeedback"u8)) feedback = scan.Value;
            else if (scan.Is("error"u8)) hasError |= !scan.IsNull;
        }
        if (hasError)
        {
            Fail(GeminiErrors.ReadInBand(json));
            return;
        }
        if (scan.Root != JsonTokenType.StartObject) return;

        if (!_started && !(candidates.IsEmpty && usage is null && feedback.IsEmpty && id.IsEmpty))
        {
            _started = true;
            _isClaude = GeminiNames.IsClaude(Encoding.UTF8.GetString(model));
            sink.Start(id, model);
        }
        if (usage is { } told) sink.Usage(told);
        if (!feedback.IsEmpty) Feedback(feedback);
        if (count == 1) Candidate(first);
        else if (count > 1) Candidates(candidates);
    }

    /// <summary>Returns how many candidates there are.</summary>
    private static int ReadFirst(scoped ref JsonScan scan, scoped ref GeminiCandidate first)
    {
        int count = 0;
        JsonScan.Place list = scan.Down();
        while (scan.Next())
        {
            if (scan.Kind != JsonTokenType.StartObject || count++ > 0) continue;
            JsonScan.Place candidate = scan.Down();
            first.Read(ref scan);
            scan.Up(candidate);
        }
        scan.Up(list);
        return count;
    }

    private void Feedback(ReadOnlySpan<byte> json)
    {
        JsonScan scan = JsonScan.Inside(json);
        while (scan.Next())
        {
            if (scan.IsString && scan.Is("blockReason"u8)) _end = GeminiEnd.Refusal;
        }
    }

    private void Candidates(ReadOnlySpan<byte> json)
    {
        JsonScan list = JsonScan.Inside(json);
        while (!_ended && list.Next())
        {
            if (list.Kind != JsonTokenType.StartObject) continue;
            JsonScan.Place place = list.Down();
            GeminiCandidate candidate = default;
            candidate.Read(ref list);
            list.Up(place);
            Candidate(candidate);
        }
    }

    private void Candidate(in GeminiCandidate candidate)
    {
        if (candidate.Index != 0) return;
        _grounding.Read(candidate.Grounding);
        _grounding.Read(candidate.Recited);
        GeminiEnd end = GeminiNames.ReadFinish(candidate.Reason);
        if (end == GeminiEnd.Malformed)
        {
            // Its parts are not looked at: a call in them is what was malformed.
            Fail(new ProxyError(ErrorKind.ServerError, $"the upstream ended with {Encoding.UTF8.GetString(candidate.Reason)}"));
            return;
        }
        // The last word counts, but a plain one takes nothing back.
        if (end > GeminiEnd.Stop || _end == GeminiEnd.None) _end = end;
        if (candidate.Parts > 0) _grounding.BeginContent();
        if (candidate.Parts > 1)
        {
            Parts(candidate.Content);
        }
        else if (candidate.Parts == 1)
        {
            _grounding.BeginPart();
            Part(candidate.First);
        }
    }

    private void Parts(ReadOnlySpan<byte> content)
    {
        JsonScan members = JsonScan.Inside(content);
        while (members.Next())
        {
            if (!members.Is("parts"u8)) continue;
            JsonScan parts = JsonScan.Inside(members.Value);
            while (!_ended && parts.Next())
            {
                _grounding.BeginPart();
                if (parts.Kind != JsonTokenType.StartObject) continue;
                JsonScan.Place place = parts.Down();
                GeminiAnswerPart part = default;
                part.Read(ref parts);
                parts.Up(place);
                Part(part);
            }
        }
    }

    private void Part(in GeminiAnswerPart part)
    {
        if (!part.Call.IsEmpty) Call(part.Call, part.Signature);
        else if (!part.Text.IsEmpty || part.Signature.Length > 2 && !part.IsForeign) Text(part.Text, part.IsThought ? BlockKind.Thinking : BlockKind.Text, part.Signature);
        else if (!part.Media.IsEmpty && !part.IsThought) Media(part.Media);
        else if (part.IsForeign) Foreign();
    }

    private void Text(ReadOnlySpan<byte> text, BlockKind kind, ReadOnlySpan<byte> signature)
    {
        bool isSigned = signature.Length > 2;
        if (text.Length <= 2 && !isSigned) return;
        if (_isClaude && isSigned && (kind == BlockKind.Thinking || text.Length <= 2))
        {
            ClaudeProof(text, signature);
            return;
        }
        // Some models sign the first piece of a text and send the rest without: one text all the same, which clients would show as two.
        bool isApart = isSigned && (kind == BlockKind.Thinking || text.Length <= 2);
        if (_open >= 0 && (isApart || _openKind != kind)) CloseOpen();
        if (_open < 0)
        {
            (_open, _openKind) = (_nextKey++, kind);
            sink.BlockStart(_open, kind);
        }
        if (text.Length > 2)
        {
            _hasContent = true;
            if (kind == BlockKind.Text) _grounding.Text(_open, text);
            sink.BlockDelta(_open, text);
        }
        if (!isSigned) return;
        sink.BlockSeal(_open, SealKind.Thought, signature);
        if (isApart) CloseOpen();
    }

    /// <summary>Claude's signature comes with the last of its thoughts, or on an empty part behind them, and is theirs in both cases.</summary>
    private void ClaudeProof(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (_open >= 0 && _openKind != BlockKind.Thinking) CloseOpen();
        if (_open < 0)
        {
            (_open, _openKind) = (_nextKey++, BlockKind.Thinking);
            sink.BlockStart(_open, BlockKind.Thinking);
        }
        if (text.Length > 2)
        {
            _hasContent = true;
            sink.BlockDelta(_open, text);
        }
        sink.BlockSeal(_open, SealKind.Thinking, signature);
        CloseOpen();
    }

    private void Call(ReadOnlySpan<byte> json, ReadOnlySpan<byte> signature)
    {
        ReadOnlySpan<byte> id = default, name = default, args = default;
        var scan = JsonScan.Inside(json);
        while (scan.Next())
        {
            if (scan.Is("id"u8)) id = scan.Inner;
            else if (scan.Is("name"u8)) name = scan.Inner;
            else if (scan.Is("args"u8) && !scan.IsNull) args = scan.Value;
        }
        _hasContent = true;
        if (name.IsEmpty)
        {
            _hasNameless = true;
            return;
        }
        CloseOpen();
        _hasCall = true;
        int key = _nextKey++;
        sink.BlockStart(key, BlockKind.ToolCall, id, name);
        if (signature.Length > 2 && !_isClaude) sink.BlockSeal(key, SealKind.Thought, signature);
        // An object by the protocol; some servers give its text as a string.
        if (GeminiPlaceholder.IsIn(args)) args = GeminiPlaceholder.Remove(args);
        if (!args.IsEmpty) sink.BlockDelta(key, args[0] == (byte)'"' ? args : ByteOutput.Quote(args));
        sink.BlockEnd(key);
    }

    /// <summary>No other protocol's answers have a place for it: an answer that is nothing else would seem to be empty.</summary>
    private void Media(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> type = default;
        JsonScan members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.Is("mimeType"u8)) type = members.Inner;
        }
        CloseOpen();
        _hasContent = true;
        int key = _nextKey++;
        sink.BlockStart(key, BlockKind.Text);
        sink.BlockDelta(key, type.StartsWith("image/"u8) ? "\"[image omitted]\""u8 : type.StartsWith("audio/"u8) ? "\"[audio omitted]\""u8 : "\"[file omitted]\""u8);
        sink.BlockEnd(key);
    }

    private void Foreign()
    {
        CloseOpen();
        _hasContent = true;
        int key = _nextKey++;
        sink.BlockStart(key, BlockKind.Foreign);
        sink.BlockEnd(key);
    }

    private void CloseOpen()
    {
        if (_open >= 0) sink.BlockEnd(_open);
        _open = -1;
    }

    private void Finish()
    {
        _grounding.End();
        CloseOpen();
        _ended = true;
        sink.Finish(_end switch
        {
            GeminiEnd.MaxTokens => FinishReason.MaxTokens,
            GeminiEnd.Refusal => FinishReason.Refusal,
            _ => _hasCall ? FinishReason.ToolUse : FinishReason.EndTurn,
        });
    }

    private void Fail(ProxyError error)
    {
        _ended = true;
        sink.Fail(error);
    }
}
