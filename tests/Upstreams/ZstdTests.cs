using System.Buffers;
using System.IO.Compression;
using System.Text;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class ZstdTests
{
    private static readonly byte[] Sample = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{{\"n\":{i}}}")));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    [InlineData(400_000)]
    public void Packed_ReadsBackAsItWas(int length)
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");
        byte[] text = Sample[..Math.Min(length, Sample.Length)];
        Assert.Equal(text, Unpack(Pack(new ReadOnlySequence<byte>(text))));
    }

    [Fact]
    public void ManySegments_PackLikeOne()
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");
        Assert.Equal(Sample, Unpack(Pack(Segments(Sample, 1000))));
    }

    [Fact]
    public void FramesInARow_ReadAsOne()
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");
        byte[] one = Pack(new ReadOnlySequence<byte>(Sample));
        Assert.Equal(Sample.Length * 2, Unpack([.. one, .. one]).Length);
    }

    [Fact]
    public void CutAnywhere_IsInvalidOrNothing()
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");
        byte[] packed = Pack(new ReadOnlySequence<byte>("{\"model\":\"m\",\"stream\":true}"u8.ToArray()));
        for (int cut = 1; cut < packed.Length; cut++)
            Assert.Throws<InvalidDataException>(() => Unpack(packed[..cut]));
    }

    [Fact]
    public void NoZstd_IsInvalid()
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");
        Assert.Throws<InvalidDataException>(() => Unpack(Sample));
    }

    [Fact]
    public void HugeWindow_IsRefused()
    {
        Assert.SkipUnless(Zstd.IsAvailable, "libzstd is not installed");

        // Magic, a frame header whose window descriptor (exponent 17) asks for 2^27 bytes, one raw block of a byte.
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x09, 0x00, 0x00, (byte)'x'];
        Assert.Throws<InvalidDataException>(() => Unpack(frame));
        frame[5] = 13 << 3;
        Assert.Equal("x"u8.ToArray(), Unpack(frame));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void RequestCompression_PacksSegments(string encoding)
    {
        Assert.SkipWhen(encoding == "zstd" && !Zstd.IsAvailable, "libzstd is not installed");
        ReadOnlyMemory<byte> packed = RequestCompression.Pack(encoding, Segments(Sample, 777))!.Value;
        Assert.True(packed.Length < Sample.Length / 2);
        var source = new MemoryStream(packed.ToArray());
        using Stream unpacker = encoding switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            _ => new ZstdReadStream(packed),
        };
        var target = new MemoryStream();
        unpacker.CopyTo(target);
        Assert.Equal(Sample, target.ToArray());
    }

    [Theory]
    [InlineData("none")]
    [InlineData("identity")]
    public void RequestCompression_NoneLeavesTheBodyAlone(string encoding) =>
        Assert.Null(RequestCompression.Pack(encoding, new ReadOnlySequence<byte>(Sample)));

    private static byte[] Pack(ReadOnlySequence<byte> source)
    {
        var output = new ArrayBufferWriter<byte>();
        Zstd.Library!.Compress(source, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Unpack(byte[] packed)
    {
        using var stream = new ZstdReadStream(packed);
        var target = new MemoryStream();
        stream.CopyTo(target, 333);
        return target.ToArray();
    }

    private static ReadOnlySequence<byte> Segments(byte[] bytes, int size)
    {
        Segment? first = null;
        Segment? last = null;
        for (int start = 0; start < bytes.Length; start += size)
        {
            var segment = new Segment(bytes.AsMemory(start, Math.Min(size, bytes.Length - start)), last);
            first ??= segment;
            last = segment;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null)
                return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
