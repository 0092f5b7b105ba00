using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Stands in front of every other sink and knows how far an answer is. Keeps the order of the calls: a second start, and whatever comes after
/// the end, goes no further. A failure stays here: whoever carries the answer tells it, alone in its write.</summary>
/// <param name="next">Where the calls go on to; null where the answer is only watched.</param>
public sealed class Watch(IResponseSink? next, TimeProvider clock) : IResponseSink
{
    // An id that is longer is none that a client sends back.
    private const int MostIdBytes = 256;

    public bool HasStarted { get; private set; }

    /// <summary>The answer's id; null: none was told.</summary>
    public string? Id { get; private set; }

    /// <summary>A block began, of whatever kind: from here on the answer belongs to the client and no second attempt is made.</summary>
    public bool HasOutput { get; private set; }

    /// <summary>The answer ended properly; <see cref="Reason"/> says why.</summary>
    public bool IsFinished => Reason is not null;

    public FinishReason? Reason { get; private set; }

    /// <summary>What ended the answer instead of a finish.</summary>
    public ProxyError? Failure { get; private set; }

    /// <summary>Of each field the value told last.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>Timestamp of the clock at the first output; 0 while there is none.</summary>
    public long FirstOutputTimestamp { get; private set; }

    /// <summary>Calls that went no further.</summary>
    public int Ignored { get; private set; }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (!Admit(!HasStarted)) return;
        HasStarted = true;
        if (id.Length is > 0 and <= MostIdBytes) Id = Encoding.UTF8.GetString(id);
        next?.Start(id, model);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (!Admit()) return;
        NoteOutput();
        next?.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (!Admit()) return;
        NoteOutput();
        next?.BlockDelta(block, jsonString);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (Admit()) next?.BlockSeal(block, kind, jsonString);
    }

    public void BlockCite(int block, Citation citation)
    {
        if (Admit()) next?.BlockCite(block, citation);
    }

    public void BlockEnd(int block)
    {
        if (Admit()) next?.BlockEnd(block);
    }

    void IResponseSink.Usage(in TokenUsage total)
    {
        if (!Admit()) return;
        Usage = total.Over(Usage);
        next?.Usage(total);
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (!Admit()) return;
        Reason = reason;
        next?.Finish(reason, stopSequence);
    }

    public void Fail(ProxyError error)
    {
        if (!Admit()) return;
        Failure = error;
    }

    private bool Admit(bool inOrder = true)
    {
        if (inOrder && Reason is null && Failure is null) return true;
        Ignored++;
        return false;
    }

    private void NoteOutput()
    {
        if (HasOutput) return;
        HasOutput = true;
        FirstOutputTimestamp = clock.GetTimestamp();
    }
}
