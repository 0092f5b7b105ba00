using System.Buffers;
using System.IO.Pipelines;

namespace Aiproxy.Tests.EventStream;

/// <summary>A pipe whose reads, and the segments of each read, are laid down beforehand. Consumed segments are overwritten, so that a span kept too long shows.</summary>
public sealed class ScriptedPipe(IEnumerable<byte[][]> reads) : PipeReader
{
    private readonly Queue<byte[][]> _reads = new(reads);
    private ReadOnlySequence<byte> _lent;
    private byte[][]? _lentSegments;

    public bool IsCompleted { get; private set; }

    /// <summary>Bytes lent so far.</summary>
    public long Lent { get; private set; }

    /// <summary>What the read after the last one throws; null: the body ends.</summary>
    public Exception? BreaksWith { get; init; }

    /// <summary>One read a chunk, each a segment of its own.</summary>
    public static ScriptedPipe Of(params byte[][] chunks) => new(chunks.Select(chunk => new[] { chunk }));

    public static ScriptedPipe Whole(byte[] body) => Of([.. body]);

    public static ScriptedPipe ByteWise(byte[] body) => Of([.. body.Select(value => new[] { value })]);

    public static ScriptedPipe SplitAt(byte[] body, int position) => Of(body[..position], body[position..]);

    /// <summary>One read whose segments part at a position.</summary>
    public static ScriptedPipe SegmentsAt(byte[] body, int position) => new([[body[..position], body[position..]]]);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        Assert.Null(_lentSegments);
        if (_reads.Count == 0 && BreaksWith is not null) throw BreaksWith;
        if (_reads.Count == 0) return new(new ReadResult(default, isCanceled: false, isCompleted: true));
        _lentSegments = _reads.Dequeue();
        Segment? first = null, last = null;
        foreach (byte[] bytes in _lentSegments)
        {
            last = new Segment(bytes, last);
            first ??= last;
            Lent += bytes.Length;
        }
        _lent = first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
        return new(new ReadResult(_lent, isCanceled: false, isCompleted: false));
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
        Assert.True(_lentSegments is null || _lent.Slice(consumed).IsEmpty, "the reader must take all that was lent");
        foreach (byte[] bytes in _lentSegments ?? []) bytes.AsSpan().Fill((byte)'!');
        _lentSegments = null;
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => AdvanceTo(consumed);

    public override void CancelPendingRead() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null) => IsCompleted = true;

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
