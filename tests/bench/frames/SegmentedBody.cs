using System.Buffers;

namespace Aiproxy.Bench;

/// <summary>A body in pieces, as a connection's reads leave it. Nothing is copied.</summary>
public static class SegmentedBody
{
    public static ReadOnlySequence<byte> Of(byte[] body, int segmentBytes)
    {
        var first = new Segment(body.AsMemory(0, Math.Min(segmentBytes, body.Length)), null);
        Segment last = first;
        for (int at = segmentBytes; at < body.Length; at += segmentBytes) last = new Segment(body.AsMemory(at, Math.Min(segmentBytes, body.Length - at)), last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

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
