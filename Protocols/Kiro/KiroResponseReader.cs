using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Reads the events of one answer. The stream has no terminal event and no stop reason: it ends where the body does, at a frame's border.</summary>
/// <remarks>So a cut shows only as a broken connection, half a frame (both are seen before this reader), a call without its <c>stop</c>, or nothing at all.
/// Borne: unknown events, one level of wrapping around a payload, calls that come at once, events of a call that has stopped.</remarks>
public sealed class KiroResponseReader : IResponseReader
{
    private readonly IResponseSink _sink;
    private readonly KiroQuestion _question;
    private readonly BlockNumbers _blocks = new();
    private readonly KiroCalls _calls;
    private readonly KiroUsage _usage;
    private int _open = -1;
    private BlockKind _openKind;
    private bool _started;
    private bool _ended;

    public KiroResponseReader(IResponseSink sink, KiroQuestion question)
    {
        _sink = sink;
        _question = question;
        _usage = new KiroUsage(question);
        _calls = new KiroCalls(sink, _blocks, _usage, question.Names);
    }

    /// <summary>Credits that the answer cost; null: not told.</summary>
    public double? Credits => _usage.Credits;

    /// <summary>The tokens that were told at the end are a guess of ours, not the service's count.</summary>
    public bool IsUsageEstimated => _usage.IsEstimated;

    public void Read(in Frame frame)
    {
        if (_ended) return;
        try
        {
            if (frame.IsException) Fail(KiroErrors.ReadEvent(frame.Event, frame.Data));
            else if (!frame.Data.IsEmpty) Event(frame.Event, frame.Data);
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    /// <summary>The service only streams: what comes as a whole is an error, whatever its status.</summary>
    public void ReadWhole(ReadOnlySpan<byte> body)
    {
        if (_ended) return;
        if (body.Trim(" \t\r\n"u8).IsEmpty) Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's answer was empty"));
        else Fail(KiroErrors.ReadEvent(default, body));
    }

    public void Complete()
    {
        if (_ended) return;
        if (!_blocks.HasAny && !_calls.HasAny && !_usage.IsTold) Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's answer was empty"));
        else if (_calls.HasNameless) Fail(new ProxyError(ErrorKind.ServerError, "the upstream sent a tool call without a name"));
        else if (_calls.HasOpen) Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's answer was cut in the middle of a tool call"));
        else Finish();
    }

    /// <summary>No client speaks this protocol, so that nobody is ever given its bytes.</summary>
    public void WriteKeepalive(IBufferWriter<byte> output) { }

    /// <inheritdoc cref="WriteKeepalive"/>
    public void WriteFailure(IBufferWriter<byte> output, ProxyError error) { }

    private void Event(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        var payload = new KiroPayload(name, data);
        if (payload.IsError) Fail(KiroErrors.ReadEvent(payload.Name, payload.Json));
        else if (payload.Is("assistantResponseEvent"u8)) Text(payload);
        else if (payload.Is("toolUseEvent"u8)) Call(payload);
        else if (payload.Is("reasoningContentEvent"u8)) Reasoning(payload);
        else if (payload.Is("metadataEvent"u8)) Usage(payload);
        else if (payload.Is("meteringEvent"u8)) _usage.ReadMetering(payload.Json);
        else if (payload.Is("contextUsageEvent"u8)) _usage.ReadContext(payload.Json);
        // "invalidStateEvent {reason, message}: error, request-scoped"
        else if (payload.Is("invalidStateEvent"u8)) Fail(KiroErrors.ReadEvent(payload.Name, payload.Json));
    }

    private void Text(in KiroPayload payload)
    {
        EnsureStarted(payload.ModelId);
        Delta(BlockKind.Text, payload.Content);
    }

    private void Call(in KiroPayload payload)
    {
        EnsureStarted(default);
        CloseOpen();
        _calls.Read(payload);
    }

    private void Reasoning(in KiroPayload payload)
    {
        EnsureStarted(default);
        if (payload.Redacted.Length > 2)
        {
            CloseOpen();
            int block = _blocks.Next();
            _sink.BlockStart(block, BlockKind.Thinking);
            _sink.BlockSeal(block, _question.IsClaude ? SealKind.Redacted : SealKind.Encrypted, payload.Redacted);
            _sink.BlockEnd(block);
        }
        Delta(BlockKind.Thinking, payload.Text);
        if (payload.Signature.Length <= 2) return;
        // "signature last": what follows is another block, for it signs what was before it.
        OpenBlock(BlockKind.Thinking);
        _sink.BlockSeal(_open, _question.IsClaude ? SealKind.Thinking : SealKind.Encrypted, payload.Signature);
        CloseOpen();
    }

    private void Usage(in KiroPayload payload)
    {
        if (!_usage.ReadMetadata(payload.Json)) return;
        EnsureStarted(default);
        _sink.Usage(_usage.Total());
    }

    private void Delta(BlockKind kind, ReadOnlySpan<byte> token)
    {
        if (token.Length <= 2) return;
        OpenBlock(kind);
        _usage.Count(token);
        _sink.BlockDelta(_open, token);
    }

    private void OpenBlock(BlockKind kind)
    {
        if (_open >= 0 && _openKind == kind) return;
        CloseOpen();
        (_open, _openKind) = (_blocks.Next(), kind);
        _sink.BlockStart(_open, kind);
    }

    private void CloseOpen()
    {
        if (_open >= 0) _sink.BlockEnd(_open);
        _open = -1;
    }

    private void EnsureStarted(ReadOnlySpan<byte> model)
    {
        if (_started) return;
        _started = true;
        _sink.Start(default, model);
    }

    private void Finish()
    {
        EnsureStarted(default);
        CloseOpen();
        if (_usage.IsEstimated) _sink.Usage(_usage.Total());
        _ended = true;
        _sink.Finish(_calls.HasAny ? FinishReason.ToolUse : FinishReason.EndTurn);
    }

    private void Fail(ProxyError error)
    {
        _ended = true;
        _sink.Fail(error);
    }
}
