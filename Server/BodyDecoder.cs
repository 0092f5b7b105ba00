using System.IO.Compression;
using System.Runtime.InteropServices;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Server;

/// <summary>Undoes <c>Content-Encoding</c>. Stops at the limit while unpacking, so a small bomb never becomes a large body.</summary>
public static class BodyDecoder
{
    /// <summary>More layers than any client uses; each costs a pass over the body.</summary>
    private const int MaxLayers = 4;

    /// <summary>The encodings in the order they were applied; <c>identity</c> is left out.</summary>
    /// <exception cref="ProtocolException">UnsupportedMedia: one is unknown, or there are too many.</exception>
    public static IReadOnlyList<string> Parse(string? contentEncoding)
    {
        if (string.IsNullOrWhiteSpace(contentEncoding))
            return [];
        var encodings = new List<string>();
        foreach (string part in contentEncoding.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string name = part.ToLowerInvariant();
            if (name == "identity")
                continue;
            bool isKnown = name is "gzip" or "x-gzip" or "deflate" or "br" || (name == "zstd" && Zstd.IsAvailable);
            if (!isKnown || encodings.Count == MaxLayers)
                throw new ProtocolException(ErrorKind.UnsupportedMedia, $"content-encoding is none of gzip, deflate, br{(Zstd.IsAvailable ? ", zstd" : "")}");
            encodings.Add(name);
        }

        return encodings;
    }

    /// <summary>Unpacks one layer, off the caller's thread: that may be a socket's thread, and large bodies take milliseconds.</summary>
    internal static Task<PooledBody> UnpackAsync(
        string encoding, ReadOnlyMemory<byte> packed, int maxBytes, BodyShare share, CancellationToken cancellationToken) =>
        Task.Run(() => UnpackHereAsync(encoding, packed, maxBytes, share, cancellationToken), cancellationToken);

    private static async Task<PooledBody> UnpackHereAsync(
        string encoding, ReadOnlyMemory<byte> packed, int maxBytes, BodyShare share, CancellationToken cancellationToken)
    {
        // JSON packs to a fifth or less; a guess that is short costs one more copy.
        long expected = Math.Min(packed.Length * 5L, maxBytes);
        var unpacked = new PooledBody(maxBytes, share);
        try
        {
            await using Stream decoder = Open(encoding, packed);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (unpacked.IsAtLimit)
                    return decoder.ReadByte() < 0 ? unpacked : throw RequestBody.TooLarge(maxBytes);
                if (!await unpacked.EnsureRoomAsync(expected, cancellationToken))
                    throw RequestBody.NoBudget();
                int count = decoder.Read(unpacked.Room);
                if (count == 0)
                    return unpacked;
                unpacked.Advance(count);
            }
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException)
        {
            unpacked.Dispose();
            throw new ProtocolException(ErrorKind.InvalidRequest, $"the request body is no valid {encoding}");
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }

    private static Stream Open(string encoding, ReadOnlyMemory<byte> packed)
    {
        MemoryMarshal.TryGetArray(packed, out ArraySegment<byte> segment);
        var source = new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false);
        return encoding switch
        {
            "gzip" or "x-gzip" => new GZipStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "zstd" => new ZstdReadStream(packed),
            _ => IsZlib(packed.Span) ? new ZLibStream(source, CompressionMode.Decompress) : new DeflateStream(source, CompressionMode.Decompress),
        };
    }

    /// <summary>RFC 9110 says zlib; some clients send the bare stream.</summary>
    /// <remarks>The zlib header is method 8, and a check makes both its bytes a multiple of 31.</remarks>
    private static bool IsZlib(ReadOnlySpan<byte> packed) =>
        packed.Length >= 2 && (packed[0] & 0x0f) == 8 && ((packed[0] << 8) | packed[1]) % 31 == 0;
}
