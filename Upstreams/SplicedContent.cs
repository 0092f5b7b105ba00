using System.Net;

namespace Aiproxy.Upstreams;

/// <summary>A request body made of pieces of pooled memory, sent without joining them.</summary>
public sealed class SplicedContent(IReadOnlyList<ReadOnlyMemory<byte>> segments) : HttpContent
{
    private IReadOnlyList<ReadOnlyMemory<byte>> _segments = segments;

    /// <summary>It was sent: the answer holds on to its request, which need not hold on to the body.</summary>
    public void Release() => _segments = [];

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> segment in _segments) await stream.WriteAsync(segment, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        foreach (ReadOnlyMemory<byte> segment in _segments) length += segment.Length;
        return true;
    }
}
