using System.Runtime.Intrinsics.X86;
using Aiproxy.EventStream;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace Aiproxy.Tests.EventStream;

public sealed class Crc32Tests
{
    public delegate uint Way(uint checksum, ReadOnlySpan<byte> bytes);

    private static readonly (string Name, Way Continue, int Least)[] Ways =
    [
        ("chosen", Crc32.Continue, 0),
        ("sliced", Crc32.Sliced, 0),
        .. Crc32.CanFold ? new[] { ("folded", (Way)Crc32.Folded, Crc32.LeastFolded) } : [],
        .. ArmCrc32.Arm64.IsSupported ? new[] { ("by instruction", (Way)Crc32.ByInstruction, 0) } : [],
    ];

    [Fact]
    public void KnownInputs_KnownChecksums()
    {
        Assert.Equal(0u, Crc32.Of(default));
        Assert.Equal(0xcbf43926u, Crc32.Of("123456789"u8));
        Assert.Equal(0x6522df69u, Crc32.Of(new byte[8]));
        Assert.Equal(0xdbdea683u, Crc32.Of(Counting(63)));
        Assert.Equal(0x100ece8cu, Crc32.Of(Counting(64)));
        Assert.Equal(0x40c06fd8u, Crc32.Of(Counting(65)));
        Assert.Equal(0xdec481aau, Crc32.Of(Counting(127)));
        Assert.Equal(0x24650d57u, Crc32.Of(Counting(128)));
        Assert.Equal(0x29058c73u, Crc32.Of(Counting(256)));
        Assert.Equal(0xb70b4c26u, Crc32.Of(Counting(1024)));
        Assert.Equal(0xa738ea1cu, Crc32.Of(new byte[1024 * 1024]));
    }

    [Fact]
    public void EveryWay_EveryLengthAndAlignment_AgreesWithTheDefinition()
    {
        var bytes = new byte[1200];
        new Random(7).NextBytes(bytes);
        foreach ((string name, Way way, int least) in Ways)
        {
            for (int start = 0; start < 16; start++)
            {
                for (int length = least; length <= 1100; length += start == 0 ? 1 : 7)
                {
                    ReadOnlySpan<byte> part = bytes.AsSpan(start, length);
                    Assert.True(Crc32Plain.Of(part) == way(0, part), $"{name}: {length} bytes from {start}");
                }
            }
        }
    }

    [Fact]
    public void EveryWay_ContinuedAtEveryPlace_IsTheWhole()
    {
        var bytes = new byte[700];
        new Random(8).NextBytes(bytes);
        uint whole = Crc32Plain.Of(bytes);
        foreach ((string name, Way way, int least) in Ways)
        {
            for (int at = least; at <= bytes.Length - least; at++)
                Assert.True(whole == way(way(0, bytes.AsSpan(0, at)), bytes.AsSpan(at)), $"{name}: parted at {at}");
        }
    }

    [Fact]
    public void ProcessorThatMultiplies_IsAskedTo() => Assert.Equal(Pclmulqdq.IsSupported, Crc32.CanFold);

    [Fact]
    public void Folding_TooFewBytes_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Crc32.Folded(0, new byte[Crc32.LeastFolded - 1]));

    private static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(value => (byte)value)];
}
