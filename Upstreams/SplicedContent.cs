using System.Net;

namespace Aiproxy.Upstreams;

/// <summary>A request body made of pieces of pooled memory, sent without joining them.</summary>
public sealed class SplicedContent(IReadOnlyList<ReadOnlyMemory<byte>> segments) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> segment in segments) await stream.WriteAsync(segment, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        foreach (ReadOnlyMemory<byte> segment in segments) length += segment.Length;
        return true;
    }
}
