using System.Buffers;
using System.Runtime.InteropServices;

namespace Aiproxy.Upstreams;

/// <summary>The system's libzstd, loaded at run time: .NET has no zstd of its own, and the binary must run where the library is missing.</summary>
/// <remarks>Source: zstd.h of 1.4 and later, whose streaming functions used here are stable.</remarks>
public sealed unsafe class Zstd
{
    /// <summary>8 MB, the most that RFC 9659 lets a sender of this content coding demand; without it a few bytes could ask for 128 MB.</summary>
    private const int MaxWindowLog = 23;

    private const int WindowLogMaxParameter = 100;
    private const int CompressionLevelParameter = 100;
    private const int Level = 3;
    private const int Continue = 0;
    private const int End = 2;
    private const int OutputChunk = 64 * 1024;

    private readonly delegate* unmanaged<nint> _createCompressor;
    private readonly delegate* unmanaged<nint, nuint> _freeCompressor;
    private readonly delegate* unmanaged<nint, int, int, nuint> _setCompressorParameter;
    private readonly delegate* unmanaged<nint, Chunk*, Chunk*, int, nuint> _compress;
    private readonly delegate* unmanaged<nint> _createDecompressor;
    private readonly delegate* unmanaged<nint, nuint> _freeDecompressor;
    private readonly delegate* unmanaged<nint, int, int, nuint> _setDecompressorParameter;
    private readonly delegate* unmanaged<nint, Chunk*, Chunk*, nuint> _decompress;
    private readonly delegate* unmanaged<nuint, uint> _isError;

    private Zstd(nint library)
    {
        _createCompressor = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "ZSTD_createCCtx");
        _freeCompressor = (delegate* unmanaged<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeCCtx");
        _setCompressorParameter = (delegate* unmanaged<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_CCtx_setParameter");
        _compress = (delegate* unmanaged<nint, Chunk*, Chunk*, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressStream2");
        _createDecompressor = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "ZSTD_createDCtx");
        _freeDecompressor = (delegate* unmanaged<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeDCtx");
        _setDecompressorParameter = (delegate* unmanaged<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_DCtx_setParameter");
        _decompress = (delegate* unmanaged<nint, Chunk*, Chunk*, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressStream");
        _isError = (delegate* unmanaged<nuint, uint>)NativeLibrary.GetExport(library, "ZSTD_isError");
    }

    /// <summary>null where the library is missing or too old.</summary>
    public static Zstd? Library { get; } = Load();

    public static bool IsAvailable => Library is not null;

    /// <summary>Writes one frame that holds all of <paramref name="source"/>.</summary>
    public void Compress(in ReadOnlySequence<byte> source, IBufferWriter<byte> output)
    {
        nint context = Created(_createCompressor());
        try
        {
            Check(_setCompressorParameter(context, CompressionLevelParameter, Level));
            foreach (ReadOnlyMemory<byte> segment in source)
                Compress(context, segment.Span, Continue, output);
            Compress(context, default, End, output);
        }
        finally
        {
            _freeCompressor(context);
        }
    }

    /// <summary>A decoder for one body. The caller frees it.</summary>
    internal nint CreateDecoder()
    {
        nint context = Created(_createDecompressor());
        Check(_setDecompressorParameter(context, WindowLogMaxParameter, MaxWindowLog));
        return context;
    }

    internal void FreeDecoder(nint context) => _freeDecompressor(context);

    /// <summary>One step. <paramref name="isFrameEnd"/>: a frame is decoded and written out whole; another may follow.</summary>
    /// <exception cref="InvalidDataException">No zstd, damaged, or a window above the limit.</exception>
    internal void Decompress(nint context, ReadOnlySpan<byte> source, Span<byte> destination, out int consumed, out int written, out bool isFrameEnd)
    {
        fixed (byte* sourceBytes = source)
        fixed (byte* destinationBytes = destination)
        {
            var input = new Chunk(sourceBytes, source.Length);
            var output = new Chunk(destinationBytes, destination.Length);
            isFrameEnd = Check(_decompress(context, &output, &input)) == 0;
            consumed = (int)input.Position;
            written = (int)output.Position;
        }
    }

    private static Zstd? Load()
    {
        if (!NativeLibrary.TryLoad("libzstd.so.1", out nint library) && !NativeLibrary.TryLoad("libzstd", out library))
            return null;
        try
        {
            return new Zstd(library);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static nint Created(nint context) => context != 0 ? context : throw new OutOfMemoryException();

    private void Compress(nint context, ReadOnlySpan<byte> source, int directive, IBufferWriter<byte> output)
    {
        fixed (byte* sourceBytes = source)
        {
            var input = new Chunk(sourceBytes, source.Length);
            nuint left;
            do
            {
                Span<byte> room = output.GetSpan(OutputChunk);
                fixed (byte* roomBytes = room)
                {
                    var chunk = new Chunk(roomBytes, room.Length);
                    left = Check(_compress(context, &chunk, &input, directive));
                    output.Advance((int)chunk.Position);
                }
            }
            while (directive == End ? left != 0 : input.Position < input.Size);
        }
    }

    private nuint Check(nuint result) => _isError(result) == 0 ? result : throw new InvalidDataException("zstd refused the data");

    /// <summary><c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>: start, size, position, the last moved by the library.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Chunk(byte* start, int size)
    {
        public byte* Start = start;
        public nuint Size = (nuint)size;
        public nuint Position;
    }
}
