using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Puts the tool calls of one Chat answer together from deltas, whatever the server does with <c>index</c>, <c>id</c> and <c>name</c>.</summary>
/// <remarks>A call is told to the sink once its name is known, and its id or first arguments; pieces that come before that are kept.</remarks>
public sealed class OpenAIChatCalls(IResponseSink sink, BlockNumbers blocks)
{
    private readonly List<Call> _calls = [];

    private sealed class Call
    {
        public long? Index;
        public byte[] Id = [];
        public byte[] Name = [];
        public int Block = -1;
        public bool IsCustom, IsEnded, IsRepeated;
        public byte[]? Signature;
        public readonly List<byte[]> Held = [];
        public ArgumentsBalance Balance;

        public bool IsOpen => Block >= 0 && !IsEnded;
    }

    private ref struct Delta
    {
        public long? Index;
        public ReadOnlySpan<byte> Id, Name, Arguments, Signature;
        public bool IsCustom;
    }

    /// <summary>At least one call was told to the sink.</summary>
    public bool HasAny { get; private set; }

    /// <summary>A call whose arguments began and are not closed.</summary>
    public bool HasCut => _calls.Exists(static call => !call.IsCustom && call.Balance is { HasContent: true, IsComplete: false });

    /// <summary>Arguments or an id came, but never a name.</summary>
    public bool HasNameless => _calls.Exists(static call => call.Name.Length == 0 && (call.Id.Length > 0 || call.Held.Count > 0));

    /// <summary><c>tool_calls</c> of a delta or message.</summary>
    public void Read(ReadOnlySpan<byte> calls)
    {
        var elements = JsonSlice.Elements(calls);
        while (elements.Next())
        {
            if (JsonSlice.IsObject(elements.Value)) ReadEntry(elements.Value);
        }
    }

    /// <summary>The deprecated <c>function_call</c> member: one call, without an id.</summary>
    public void ReadFunction(ReadOnlySpan<byte> function)
    {
        var delta = new Delta { Index = -1 };
        ReadFunction(function, ref delta);
        Apply(delta);
    }

    /// <summary>Ends the calls whose arguments are complete: something else begins. Free text has no such mark, it may go on beside another call.</summary>
    public void EndComplete(bool exceptLast = false)
    {
        for (int i = 0; i < _calls.Count - (exceptLast ? 1 : 0); i++)
        {
            if (_calls[i].Balance.IsComplete && !_calls[i].IsCustom) End(_calls[i]);
        }
    }

    /// <summary>The answer ended properly: all calls with a name end with it.</summary>
    public void EndAll()
    {
        foreach (Call call in _calls)
        {
            Open(call, isLast: true);
            End(call);
        }
    }

    private void ReadEntry(ReadOnlySpan<byte> entry)
    {
        var delta = new Delta();
        var members = JsonSlice.Members(entry);
        while (members.Next())
        {
            if (members.Is("index"u8)) delta.Index = JsonSlice.Long(members.Value);
            else if (members.Is("id"u8)) delta.Id = JsonSlice.Inner(members.Value);
            else if (members.Is("function"u8)) ReadFunction(members.Value, ref delta);
            else if (members.Is("custom"u8) && JsonSlice.IsObject(members.Value))
            {
                delta.IsCustom = true;
                ReadFunction(members.Value, ref delta);
            }
            else if (members.Is("extra_content"u8)) delta.Signature = SignatureOf(members.Value);
        }
        Apply(delta);
    }

    private static void ReadFunction(ReadOnlySpan<byte> function, ref Delta delta)
    {
        var members = JsonSlice.Members(function);
        while (members.Next())
        {
            if (members.Is("name"u8)) delta.Name = JsonSlice.Inner(members.Value);
            else if (members.Is("arguments"u8) || members.Is("input"u8)) delta.Arguments = members.Value;
        }
    }

    private void Apply(Delta delta)
    {
        byte[]? quoted = JsonSlice.IsObject(delta.Arguments) || JsonSlice.IsArray(delta.Arguments) ? ByteOutput.Quote(delta.Arguments) : null;
        ReadOnlySpan<byte> piece = quoted ?? (JsonSlice.IsText(delta.Arguments) ? delta.Arguments : default);
        Call? known = Find(delta, piece);
        // Ollama tells no arguments as null.
        if (!delta.IsCustom && known is not { Balance.HasContent: true } && piece.SequenceEqual("\"null\""u8)) piece = default;
        if (known is null)
        {
            EndComplete();
            known = new Call { Index = delta.Index, IsCustom = delta.IsCustom };
            _calls.Add(known);
        }
        if (known.Id.Length == 0 && known.Block < 0) known.Id = delta.Id.ToArray();
        if (known.Name.Length == 0) known.Name = delta.Name.ToArray();
        else if (!delta.Name.IsEmpty && known.Balance.IsComplete) known.IsRepeated = true;
        if (!delta.Signature.IsEmpty) known.Signature = delta.Signature.ToArray();
        if (!piece.IsEmpty)
        {
            known.Balance.Add(piece);
            if (!known.IsOpen || known.Signature is not null) known.Held.Add(piece.ToArray());
            else sink.BlockDelta(known.Block, piece);
        }
        Open(known, isLast: false);
        Flush(known);
    }

    /// <summary>The call that a delta goes on with; null: it begins a new one.</summary>
    private Call? Find(Delta delta, ReadOnlySpan<byte> piece)
    {
        Call? call = null;
        if (delta.Index is { } index) call = ByIndex(index) ?? Astray(delta, piece, index);
        else if (!delta.Id.IsEmpty) return ById(delta.Id);
        else if (_calls.Count > 0) call = _calls[^1];
        if (call is null) return null;

        // The same index with another id, as servers do that count every call 0. Others make an id up for each piece, but only a beginning has a name.
        if (!delta.Id.IsEmpty && call.Id.Length > 0 && !delta.Id.SequenceEqual(call.Id))
            return ById(delta.Id) ?? (delta.Name.IsEmpty && call.Name.Length > 0 && (call.IsCustom || !call.Balance.IsComplete) ? call : null);
        if (!delta.Id.IsEmpty && call.Id.Length > 0) return call;
        if (!delta.Id.IsEmpty && call.Balance.IsComplete) return null;
        if (delta.Name.IsEmpty && !call.IsRepeated) return call;

        // Some servers repeat the name in each delta: it only tells a new call where it differs or where the arguments of the old one are complete.
        bool hasArguments = !piece.IsEmpty && !ArgumentsBalance.IsBlank(piece);
        bool isOther = !delta.Name.IsEmpty && !delta.Name.SequenceEqual(call.Name);
        if (delta.Index is null && !delta.Name.IsEmpty && call.Name.Length > 0 && (isOther || call.Balance.IsComplete || !(call.Balance.HasContent || hasArguments))) return null;
        if (call.Balance.IsComplete && hasArguments) return null;
        return call.Balance.IsComplete && isOther ? null : call;
    }

    /// <summary>The call behind an index that no call has. A call that began under another one's index may go on under its own; the same call may be told again
    /// where only its name was told before.</summary>
    private Call? Astray(Delta delta, ReadOnlySpan<byte> piece, long index)
    {
        Call? call = null;
        if (delta.Id.IsEmpty && delta.Name.IsEmpty && _calls.Count > 1 && _calls.FindIndex(one => one.Index == _calls[^1].Index) < _calls.Count - 1) call = _calls[^1];
        else if (!delta.Id.IsEmpty && !piece.IsEmpty && ById(delta.Id) is { Balance.HasContent: false } named && (delta.Name.IsEmpty || delta.Name.SequenceEqual(named.Name))) call = named;
        if (call is not null) call.Index = index;
        return call;
    }

    private Call? ByIndex(long index)
    {
        for (int i = _calls.Count - 1; i >= 0; i--)
        {
            if (_calls[i].Index == index) return _calls[i];
        }
        return null;
    }

    private Call? ById(ReadOnlySpan<byte> id)
    {
        foreach (Call call in _calls)
        {
            if (id.SequenceEqual(call.Id)) return call;
        }
        return null;
    }

    private void Open(Call call, bool isLast)
    {
        if (call.Block >= 0 || call.Name.Length == 0) return;
        if (call.Id.Length == 0 && call.Held.Count == 0 && !isLast) return;
        call.Block = blocks.Next();
        HasAny = true;
        sink.BlockStart(call.Block, call.IsCustom ? BlockKind.CustomToolCall : BlockKind.ToolCall, call.Id, call.Name);
        Flush(call);
    }

    private void Flush(Call call)
    {
        if (!call.IsOpen) return;
        if (call.Signature is { } signature) sink.BlockSeal(call.Block, SealKind.Thought, signature);
        call.Signature = null;
        foreach (byte[] piece in call.Held) sink.BlockDelta(call.Block, piece);
        call.Held.Clear();
    }

    private void End(Call call)
    {
        if (!call.IsOpen) return;
        call.IsEnded = true;
        sink.BlockEnd(call.Block);
    }

    private static ReadOnlySpan<byte> SignatureOf(ReadOnlySpan<byte> extra)
    {
        ReadOnlySpan<byte> found = default;
        var members = JsonSlice.Members(extra);
        while (members.Next())
        {
            if (!members.Is("google"u8)) continue;
            var google = JsonSlice.Members(members.Value);
            while (google.Next())
            {
                if (google.Is("thought_signature"u8) && JsonSlice.IsText(google.Value)) found = google.Value;
            }
        }
        return found;
    }
}
