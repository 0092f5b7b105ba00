using System.IO.Compression;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Content codings of a body.</summary>
public static class Compression
{
    public static byte[] Gzip(byte[] plain) => Pack(plain, stream => new GZipStream(stream, CompressionLevel.Optimal));

    /// <summary>HTTP's <c>deflate</c>: the zlib format.</summary>
    public static byte[] Deflate(byte[] plain) => Pack(plain, stream => new ZLibStream(stream, CompressionLevel.Optimal));

    public static byte[] Brotli(byte[] plain) => Pack(plain, stream => new BrotliStream(stream, CompressionLevel.Optimal));

    public static byte[] Of(string coding, byte[] plain) => coding switch
    {
        "gzip" => Gzip(plain),
        "deflate" => Deflate(plain),
        "br" => Brotli(plain),
        _ => throw new ArgumentOutOfRangeException(nameof(coding)),
    };

    private static byte[] Pack(byte[] plain, Func<Stream, Stream> open)
    {
        var packed = new MemoryStream();
        using (var stream = open(packed)) stream.Write(plain);
        return packed.ToArray();
    }
}
