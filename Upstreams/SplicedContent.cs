using System.Net;

namespace Aiproxy.Upstreams;

/// <summary>A request body made of pieces of pooled memory, sent without joining them.</summary>
public sealed class SplicedContent(IReadOnlyList<ReadOnlyMemory<byte>> segments) : HttpContent
{
    private IReadOnlyList<ReadOnlyMemory<byte>> _segments = segments;
    private int _sending;

    /// <summary>Somebody reads the segments: over HTTP/2 an answer may begin, or fail, while its request is still on its way.</summary>
    public bool IsBeingSent => Volatile.Read(ref _sending) > 0;

    /// <summary>The answer holds on to its request, which need not hold on to the body any more. Not while it is being sent.</summary>
    public void Release() => _segments = [];

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _sending);
        try
        {
            foreach (ReadOnlyMemory<byte> segment in _segments) await stream.WriteAsync(segment, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _sending);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        foreach (ReadOnlyMemory<byte> segment in _segments) length += segment.Length;
        return true;
    }
}
