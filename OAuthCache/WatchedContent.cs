using System.Net;
using System.Net.Http.Headers;

namespace Aiproxy.OAuthCache;

/// <summary>A request body that tells when it begins to leave and whether it has left: only then may the provider have acted on it.</summary>
public sealed class WatchedContent : HttpContent
{
    private readonly byte[] _body;
    private readonly Action _onStart;
    private volatile bool _wasSent;

    public WatchedContent(byte[] body, string contentType, Action onStart)
    {
        _body = body;
        _onStart = onStart;
        Headers.ContentType = new MediaTypeHeaderValue(contentType);
    }

    public bool WasSent => _wasSent;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _onStart();
        // Set before the write: a write that fails may have reached the other side all the same.
        _wasSent = true;
        await stream.WriteAsync(_body, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
