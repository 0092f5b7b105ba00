using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Puts the tool calls of one answer together from their events, which may come at once and in pieces of any size.</summary>
public sealed class KiroCalls(IResponseSink sink, BlockNumbers blocks, KiroUsage usage, KiroNames? names)
{
    private readonly List<Call> _calls = [];

    private sealed class Call(byte[] id)
    {
        public readonly byte[] Id = id;

        /// <summary>-1: the name is not known yet, and the events wait in <see cref="Held"/>.</summary>
        public int Block = -1;

        public readonly List<byte[]> Held = [];

        /// <summary>An input that came as an object in one piece: it counts unless pieces of text follow.</summary>
        public byte[]? Whole;

        public bool IsStopped;
    }

    public bool HasAny => _calls.Count > 0;

    /// <summary>A call whose <c>stop</c> has not come.</summary>
    public bool HasOpen => _calls.Exists(static call => !call.IsStopped);

    /// <summary>A call that ended without a name.</summary>
    public bool HasNameless => _calls.Exists(static call => call.IsStopped && call.Block < 0);

    public void Read(in KiroPayload payload)
    {
        Call call = Find(payload.ToolUseId);
        // "A second toolUseEvent with the same id after stop: ignore"
        if (call.IsStopped) return;
        if (call.Block < 0 && payload.ToolName.Length > 0) Open(call, payload.ToolName);
        Input(call, payload.Input);
        if (!payload.IsStop) return;
        call.IsStopped = true;
        if (call.Block < 0) return;
        if (call.Whole is { } whole) Delta(call, whole);
        sink.BlockEnd(call.Block);
    }

    /// <summary>An event without an id belongs to the call that is open last.</summary>
    private Call Find(ReadOnlySpan<byte> id)
    {
        for (int at = _calls.Count - 1; at >= 0; at--)
        {
            Call known = _calls[at];
            if (id.IsEmpty ? !known.IsStopped : id.SequenceEqual(known.Id)) return known;
        }
        var call = new Call(id.ToArray());
        _calls.Add(call);
        return call;
    }

    private void Open(Call call, ReadOnlySpan<byte> name)
    {
        call.Block = blocks.Next();
        if (names is not null) name = Original(name);
        sink.BlockStart(call.Block, BlockKind.ToolCall, call.Id, name);
        foreach (byte[] piece in call.Held) Delta(call, piece);
        call.Held.Clear();
    }

    private void Input(Call call, ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        if (input[0] != (byte)'"')
        {
            call.Whole = input.Length > 2 ? ByteOutput.Quote(input) : null;
            return;
        }
        if (input.Length <= 2) return;
        call.Whole = null;
        if (call.Block < 0) call.Held.Add(input.ToArray());
        else Delta(call, input);
    }

    private void Delta(Call call, ReadOnlySpan<byte> token)
    {
        usage.Count(token);
        sink.BlockDelta(call.Block, token);
    }

    private byte[] Original(ReadOnlySpan<byte> inner)
    {
        string name = RawJson.Decode([(byte)'"', .. inner, (byte)'"']), original = names!.Original(name);
        return original == name ? inner.ToArray() : RawJson.Encode(original)[1..^1];
    }
}
