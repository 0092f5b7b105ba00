using System.Buffers;
using System.IO.Compression;

namespace Aiproxy.Upstreams;

/// <summary>Packs a request body as <c>request_compression</c> says.</summary>
public static class RequestCompression
{
    /// <summary>Packs <paramref name="body"/> with <paramref name="encoding"/> (<c>gzip</c>, <c>br</c> or <c>zstd</c>).</summary>
    /// <returns>The packed bytes, which are also the <c>Content-Encoding</c>'s; null where the body is to be sent as it is: <c>none</c>,
    /// <c>identity</c>, or <c>zstd</c> without libzstd.</returns>
    public static ReadOnlyMemory<byte>? Pack(string encoding, in ReadOnlySequence<byte> body)
    {
        switch (encoding)
        {
            case "gzip":
                return Pack(body, target => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true));
            case "br":
                return Pack(body, target => new BrotliStream(target, CompressionLevel.Fastest, leaveOpen: true));
            case "zstd" when Zstd.Library is { } zstd:
                var output = new ArrayBufferWriter<byte>(InitialBytes(body));
                zstd.Compress(body, output);
                return output.WrittenMemory;
            default:
                return null;
        }
    }

    private static ReadOnlyMemory<byte> Pack(in ReadOnlySequence<byte> body, Func<Stream, Stream> open)
    {
        var target = new MemoryStream(InitialBytes(body));
        using (Stream packer = open(target))
        {
            foreach (ReadOnlyMemory<byte> segment in body)
                packer.Write(segment.Span);
        }

        return target.GetBuffer().AsMemory(0, (int)target.Length);
    }

    /// <summary>JSON packs to about a quarter.</summary>
    private static int InitialBytes(in ReadOnlySequence<byte> body) => (int)Math.Min(body.Length / 4 + 1024, 16 * 1024 * 1024);
}
