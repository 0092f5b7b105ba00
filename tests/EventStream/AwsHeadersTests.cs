using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

public sealed class AwsHeadersTests
{
    [Fact]
    public void AllTypes_ComeBackWithTheirValues()
    {
        var uuid = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        var block = new AwsHeaderBlock().Boolean("t", true).Boolean("f", false).Byte("b", -2).Short("s", -300).Integer("i", -70000).Long("l", -5000000000)
            .Bytes("y", [0, 0xff, 0x10]).String("u", "é€").Timestamp("d", 1796688000123).Uuid("g", uuid);
        var headers = new AwsHeaders(block.Written);
        Assert.True(Find(headers, "t").IsTrue);
        Assert.False(Find(headers, "f").IsTrue);
        Assert.Equal([-2, -300, -70000, -5000000000], new[] { Find(headers, "b").Number, Find(headers, "s").Number, Find(headers, "i").Number, Find(headers, "l").Number });
        Assert.Equal([0, 0xff, 0x10], Find(headers, "y").Value.ToArray());
        Assert.Equal("é€", Encoding.UTF8.GetString(Find(headers, "u").Value));
        Assert.True(Find(headers, "d").TryGetTimestamp(out DateTimeOffset time));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMilliseconds(1796688000123), time);
        Assert.Equal(uuid, Find(headers, "g").Uuid);
        Assert.Equal(Guid.Empty, Find(headers, "u").Uuid);
        Assert.Equal(0, Find(headers, "y").Number);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-62135596800001)]
    [InlineData(253402300800000)]
    public void TimeOutOfRange_IsNoTime(long milliseconds) =>
        Assert.False(Find(new AwsHeaders(new AwsHeaderBlock().Timestamp("d", milliseconds).Written), "d").TryGetTimestamp(out _));

    [Theory]
    [InlineData(-62135596800000)]
    [InlineData(253402300799999)]
    public void FirstAndLastTime_AreTimes(long milliseconds) =>
        Assert.True(Find(new AwsHeaders(new AwsHeaderBlock().Timestamp("d", milliseconds).Written), "d").TryGetTimestamp(out _));

    [Fact]
    public void NumberIsNoTimestamp() => Assert.False(Find(new AwsHeaders(new AwsHeaderBlock().Long("d", 1).Written), "d").TryGetTimestamp(out _));

    [Fact]
    public void Lookup_IsExact()
    {
        var headers = new AwsHeaders(new AwsHeaderBlock().String("Name", "a").Integer("number", 7).String("", "b").Written);
        Assert.False(headers.TryGet("name"u8, out _));
        Assert.False(headers.TryGet("Nam"u8, out _));
        Assert.True(headers.TryGetString("Name"u8, out ReadOnlySpan<byte> text));
        Assert.True(text.SequenceEqual("a"u8));
        Assert.False(headers.TryGetString("number"u8, out text));
        Assert.True(text.IsEmpty);
    }

    [Fact]
    public void BytesThatAreNoMessage_HaveNoHeaders()
    {
        byte[] message = AwsFrameWriter.Event("chunk", "{}");
        for (int length = 0; length < message.Length; length++)
        {
            int count = 0;
            foreach (AwsHeader _ in AwsHeaders.OfMessage(message.AsSpan(0, length))) count++;
            Assert.True(count <= 3);
        }
        Assert.False(AwsHeaders.OfMessage("data: this is an event of another framing\n\n"u8).TryGet("x"u8, out _));
    }

    public static TheoryData<string, FrameFault, int?, int?> BrokenBlocks => new()
    {
        { "00", FrameFault.HeaderName, 1, 0 },
        { "0561", FrameFault.HeaderName, 5, 1 },
        { "0161", FrameFault.HeaderType, 1, 0 },
        { "01610a", FrameFault.HeaderType, 9, 10 },
        { "0161ff", FrameFault.HeaderType, 9, 255 },
        { "016102", FrameFault.HeaderValue, 1, 0 },
        { "01610300", FrameFault.HeaderValue, 2, 1 },
        { "016104000000", FrameFault.HeaderValue, 4, 3 },
        { "01610500000000000000", FrameFault.HeaderValue, 8, 7 },
        { "01610800", FrameFault.HeaderValue, 8, 1 },
        { "016109", FrameFault.HeaderValue, 16, 0 },
        { "01610600", FrameFault.HeaderValue, 2, 1 },
        { "0161060001", FrameFault.HeaderValue, 1, 0 },
        { "016107ffff6161", FrameFault.HeaderValue, 65535, 2 },
        { "0161070001ff", FrameFault.HeaderText, null, null },
        { "01ff00", FrameFault.HeaderText, null, null },
        { "016100016101", FrameFault.DuplicateHeader, null, null },
        { "01610001620000", FrameFault.HeaderName, 1, 0 },
    };

    [Theory]
    [MemberData(nameof(BrokenBlocks))]
    public void BrokenBlock_IsNamed_AndTheReadersEndBeforeIt(string hex, FrameFault fault, int? expected, int? actual)
    {
        byte[] block = Convert.FromHexString(hex);
        FrameException? broken = AwsHeaderCheck.Check(block, out _);
        Assert.Equal((fault, expected, actual), (broken?.Fault, (int?)broken?.Expected, (int?)broken?.Actual));
        Assert.False(new AwsHeaders(block).TryGet("zz"u8, out _));
    }

    [Fact]
    public void BytesHeader_NeedsNoUtf8() => Assert.Null(AwsHeaderCheck.Check(Convert.FromHexString("0161060001ff"), out _));

    [Theory]
    [InlineData(1024, null)]
    [InlineData(1025, FrameFault.TooManyHeaders)]
    public void Headers_AreCounted(int count, FrameFault? fault)
    {
        var block = new AwsHeaderBlock();
        for (int index = 0; index < count; index++) block.Boolean($"h{index}", true);
        Assert.Equal(fault, AwsHeaderCheck.Check(block.Written, out _)?.Fault);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(1024)]
    public void SecondOfAName_IsFoundAnywhere(int count)
    {
        foreach (int first in new[] { 0, 1, count / 2, count - 2 })
        {
            foreach (int second in new[] { first + 1, count - 1 })
            {
                if (first >= second || second >= count) continue;
                var block = new AwsHeaderBlock();
                for (int index = 0; index < count; index++) block.Boolean(index == second ? $"h{first}" : $"h{index}", true);
                Assert.Equal(FrameFault.DuplicateHeader, AwsHeaderCheck.Check(block.Written, out _)?.Fault);
            }
        }
    }

    /// <summary>Names of one checksum are two names: "plumless" and "buckeroo" are a known pair.</summary>
    [Fact]
    public void NamesOfOneFingerprint_AreNotTheSame()
    {
        Assert.Equal(Crc32.Of("plumless"u8), Crc32.Of("buckeroo"u8));
        var block = new AwsHeaderBlock().Boolean("plumless", true).Boolean("buckeroo", true);
        for (int index = 0; index < 20; index++) block.Boolean($"h{index}", true);
        Assert.Null(AwsHeaderCheck.Check(block.Written, out _));
        Assert.Equal(FrameFault.DuplicateHeader, AwsHeaderCheck.Check(block.Boolean("buckeroo", false).Written, out _)?.Fault);
    }

    [Fact]
    public void ManyHeaders_TheProtocolsOwnAreStillSeen()
    {
        var block = new AwsHeaderBlock();
        for (int index = 0; index < 40; index++) block.Integer($"h{index}", index);
        block.String(":event-type", "chunk").String(":message-type", "event");
        Assert.Null(AwsHeaderCheck.Check(block.Written, out AwsMessage message));
        Assert.True(message.Name.SequenceEqual("chunk"u8));
        Assert.Null(message.Check(AwsMessageRule.Documented));
    }

    private static AwsHeader Find(AwsHeaders headers, string name)
    {
        Assert.True(headers.TryGet(Encoding.UTF8.GetBytes(name), out AwsHeader header));
        return header;
    }
}
