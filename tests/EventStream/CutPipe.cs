using System.Buffers;
using System.IO.Pipelines;

namespace Aiproxy.Tests.EventStream;

/// <summary>A pipe whose reads are laid down beforehand, so that reading from it allocates nothing. Consumed bytes are overwritten.</summary>
public sealed class CutPipe : PipeReader
{
    private readonly byte[] _body;
    private readonly Queue<(ReadOnlySequence<byte> Bytes, int Start, int Length)> _reads = new();
    private (ReadOnlySequence<byte> Bytes, int Start, int Length)? _lent;

    /// <param name="body">Is overwritten.</param>
    /// <param name="cuts">Where reads and segments part: rising; a segment ends at each, a read at every other one.</param>
    /// <param name="endsWithLastRead">The last read says already that the body has ended.</param>
    public CutPipe(byte[] body, List<int> cuts, bool endsWithLastRead)
    {
        _body = body;
        EndsWithLastRead = endsWithLastRead;
        for (int index = 0; index <= cuts.Count; index += 2)
        {
            int start = index == 0 ? 0 : cuts[index - 1];
            int middle = index < cuts.Count ? cuts[index] : body.Length;
            int end = index + 1 < cuts.Count ? cuts[index + 1] : body.Length;
            var first = new Segment(body.AsMemory(start..middle), null);
            var last = new Segment(body.AsMemory(middle..end), first);
            _reads.Enqueue((new ReadOnlySequence<byte>(first, 0, last, end - middle), start, end - start));
        }
    }

    public bool EndsWithLastRead { get; }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_lent is not null) throw new InvalidOperationException("read before the last read was given back");
        if (!_reads.TryDequeue(out (ReadOnlySequence<byte> Bytes, int Start, int Length) next)) return new(new ReadResult(default, isCanceled: false, isCompleted: true));
        _lent = next;
        return new(new ReadResult(next.Bytes, isCanceled: false, isCompleted: EndsWithLastRead && _reads.Count == 0));
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
        if (_lent is { } lent) _body.AsSpan(lent.Start, lent.Length).Fill((byte)'!');
        _lent = null;
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => AdvanceTo(consumed);

    public override void CancelPendingRead() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null)
    {
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
