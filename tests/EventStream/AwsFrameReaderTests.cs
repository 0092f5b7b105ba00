using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

public sealed class AwsFrameReaderTests
{
    private static readonly byte[] Chunk = AwsFrameWriter.Event("chunk", """{"n":1}""");

    [Fact]
    public async Task Event_HasNamePayloadAndAllItsBytes()
    {
        KeptMessage message = Assert.Single((await AwsBody.ReadAsync(ScriptedPipe.Whole(Chunk), AwsMessageRule.Documented)).Messages);
        Assert.Equal(new KeptMessage("chunk", false, """{"n":1}""", AwsBody.Latin(Chunk)), message);
    }

    [Fact]
    public async Task ExceptionAndError_AreTold_AndNothingFollows()
    {
        byte[][] last = [AwsFrameWriter.Exception("throttlingException", """{"message":"slow down"}"""), AwsFrameWriter.Error("InternalFailure", "boom")];
        (string, string)[] expected = [("throttlingException", """{"message":"slow down"}"""), ("InternalFailure", "")];
        for (int index = 0; index < last.Length; index++)
        {
            // What stands behind the end may be anything.
            byte[] body = [.. Chunk, .. last[index], .. Chunk, .. "broken"u8];
            foreach ((string way, Func<PipeReader> open) in Trickle.Ways(body))
            {
                AwsBody read = await AwsBody.ReadAsync(open(), AwsMessageRule.EventTypeSuffices);
                Assert.True(read is { Failure: null, Messages.Count: 2 }, way);
                Assert.Equal((true, expected[index].Item1, expected[index].Item2), (read.Messages[1].IsException, read.Messages[1].Event, read.Messages[1].Data));
            }
        }
    }

    [Fact]
    public async Task ExceptionWithoutName_IsStillAnException()
    {
        byte[] body = AwsFrameWriter.Message(new AwsHeaderBlock().String(":message-type", "exception"), "{}"u8);
        foreach (AwsMessageRule rule in Enum.GetValues<AwsMessageRule>())
            Assert.Equal(new KeptMessage("", true, "{}", AwsBody.Latin(body)), Assert.Single((await AwsBody.ReadAsync(ScriptedPipe.Whole(body), rule)).Messages));
    }

    [Fact]
    public async Task TextOfAnError_IsFoundInTheFrame()
    {
        await using var reader = new AwsFrameReader(ScriptedPipe.Whole(AwsFrameWriter.Error("InternalFailure", "boom — retry")), AwsMessageRule.Documented);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.Equal("boom — retry", TextOf(reader));

        static string TextOf(AwsFrameReader reader)
        {
            Assert.True(reader.TryRead(out Frame frame));
            Assert.True(AwsHeaders.OfMessage(frame.Raw).TryGetString(":error-message"u8, out ReadOnlySpan<byte> text));
            return Encoding.UTF8.GetString(text);
        }
    }

    public static TheoryData<string, FrameFault?, FrameFault?> Claims => new()
    {
        // Headers as name=text, "!" for one that is no string; what the documented protocol and the lenient rule say.
        { ":message-type=event :event-type=chunk", null, null },
        { ":event-type=chunk", FrameFault.MessageType, null },
        { ":event-type=", FrameFault.MessageType, null },
        { ":event-type=!", FrameFault.MessageType, FrameFault.MessageType },
        { "", FrameFault.MessageType, FrameFault.MessageType },
        { "event-type=chunk", FrameFault.MessageType, FrameFault.MessageType },
        { ":content-type=application/json", FrameFault.MessageType, FrameFault.MessageType },
        { ":message-type=event", FrameFault.EventType, FrameFault.EventType },
        { ":message-type=event :event-type=!", FrameFault.EventType, FrameFault.EventType },
        { ":message-type=! :event-type=chunk", FrameFault.MessageType, FrameFault.MessageType },
        { ":message-type=Event :event-type=chunk", FrameFault.MessageType, FrameFault.MessageType },
        { ":message-type=notice :event-type=chunk", FrameFault.MessageType, FrameFault.MessageType },
    };

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task WhatAMessageSaysOfItself_DecidesByTheRule(string headers, FrameFault? documented, FrameFault? lenient)
    {
        var block = new AwsHeaderBlock();
        foreach (string[] header in headers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split('=')))
        {
            if (header[1] == "!") block.Integer(header[0], 1);
            else block.String(header[0], header[1]);
        }
        byte[] body = AwsFrameWriter.Message(block, "{}"u8);
        Assert.Equal(documented, (await AwsBody.ReadAsync(ScriptedPipe.Whole(body), AwsMessageRule.Documented)).Failure?.Fault);
        Assert.Equal(lenient, (await AwsBody.ReadAsync(ScriptedPipe.Whole(body), AwsMessageRule.EventTypeSuffices)).Failure?.Fault);
        Assert.Null((await AwsBody.ReadAsync(ScriptedPipe.Whole(body), AwsMessageRule.Any)).Failure);
    }

    [Fact]
    public async Task EveryFlippedBit_IsAFault()
    {
        for (int bit = 0; bit < Chunk.Length * 8; bit++)
        {
            byte[] body = [.. Chunk];
            body[bit / 8] ^= (byte)(1 << (bit % 8));
            FrameException? failure = (await AwsBody.ReadAsync(ScriptedPipe.Whole(body))).Failure;
            Assert.Equal(bit / 8 < AwsFrameReader.PreludeBytes ? FrameFault.PreludeChecksum : FrameFault.MessageChecksum, failure?.Fault);
        }
    }

    [Fact]
    public async Task BodyThatEndsAnywhere_IsWholeOnlyBetweenFrames()
    {
        byte[][] frames = [Chunk, AwsFrameWriter.Message(new AwsHeaderBlock(), default), AwsFrameWriter.Event("metadata", "{}")];
        byte[] body = [.. frames.SelectMany(frame => frame)];
        int[] borders = [0, frames[0].Length, frames[0].Length + frames[1].Length, body.Length];
        for (int length = 0; length <= body.Length; length++)
        {
            int whole = borders.Count(border => border <= length) - 1;
            foreach (ScriptedPipe pipe in new[] { ScriptedPipe.Whole(body[..length]), ScriptedPipe.ByteWise(body[..length]) })
            {
                AwsBody read = await AwsBody.ReadAsync(pipe);
                Assert.Equal(whole, read.Messages.Count);
                Assert.Equal(borders.Contains(length) ? null : FrameFault.Truncated, read.Failure?.Fault);
            }
        }
    }

    [Fact]
    public async Task Faults_SayWhatWasExpectedAndWhatCame()
    {
        byte[] cut = Chunk[..^3];
        await AssertNumbers(cut, FrameFault.Truncated, Chunk.Length, cut.Length);
        await AssertNumbers(Chunk[..7], FrameFault.Truncated, AwsFrameReader.PreludeBytes, 7);
        await AssertNumbers(Prelude(15, 0), FrameFault.TooShort, 16, 15);
        await AssertNumbers(Prelude(100, 85), FrameFault.HeadersLength, 84, 85);
        await AssertNumbers(Prelude(uint.MaxValue, 131073), FrameFault.HeadersLength, 131072, 131073);
        await AssertNumbers(Prelude(16 + 24 * 1024 * 1024 + 1, 0), FrameFault.TooLong, 24 * 1024 * 1024, 24 * 1024 * 1024 + 1);
        await AssertNumbers(Prelude(uint.MaxValue, 0), FrameFault.TooLong, 24 * 1024 * 1024, uint.MaxValue - 16L);

        byte[] flipped = [.. Chunk];
        flipped[^1] ^= 1;
        uint told = BinaryPrimitives.ReadUInt32BigEndian(flipped.AsSpan(flipped.Length - 4));
        await AssertNumbers(flipped, FrameFault.MessageChecksum, told, told ^ 1);
        FrameException failure = (await AwsBody.ReadAsync(ScriptedPipe.Whole(flipped))).Failure!;
        Assert.Contains(told.ToString("x8"), failure.Message);
        Assert.Contains((told ^ 1).ToString("x8"), failure.Message);

        static async Task AssertNumbers(byte[] body, FrameFault fault, long expected, long actual)
        {
            FrameException? failure = (await AwsBody.ReadAsync(ScriptedPipe.Whole(body))).Failure;
            Assert.Equal((fault, expected, actual), (failure?.Fault, failure?.Expected, failure?.Actual));
        }
    }

    [Theory]
    [InlineData("data: {\"secret-of-the-user\":1}\n\n")]
    [InlineData("{\"message\":\"secret-of-the-user\"}")]
    [InlineData("<html>secret-of-the-user</html>")]
    public async Task AnotherBody_FailsAtOnce_AndIsNotQuoted(string text)
    {
        FrameException? failure = (await AwsBody.ReadAsync(ScriptedPipe.Whole(Encoding.UTF8.GetBytes(text)))).Failure;
        Assert.Equal(FrameFault.PreludeChecksum, failure?.Fault);
        Assert.DoesNotContain("secret", failure!.Message);
    }

    [Fact]
    public async Task SmallerLimit_IsKept()
    {
        byte[] body = AwsFrameWriter.Event("chunk", new byte[100]);
        Assert.Null((await AwsBody.ReadAsync(ScriptedPipe.Whole(body), maxPayloadBytes: 100)).Failure);
        Assert.Equal((FrameFault.TooLong, 99), ((await AwsBody.ReadAsync(ScriptedPipe.Whole(body), maxPayloadBytes: 99)).Failure is { } failure ? (failure.Fault, failure.Expected) : default));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AwsFrameReader(ScriptedPipe.Of(), AwsMessageRule.Any, AwsFrameReader.MaxPayloadBytes + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AwsFrameReader(ScriptedPipe.Of(), AwsMessageRule.Any, -1));
    }

    [Fact]
    public async Task LargestLegalFrame_Arrives()
    {
        var headers = new AwsHeaderBlock();
        while (headers.Written.Length < AwsFrameReader.MaxHeadersBytes - 32768) headers.Bytes($"h{headers.Written.Length}", new byte[32767]);
        headers.Bytes("last", new byte[AwsFrameReader.MaxHeadersBytes - headers.Written.Length - 8]);
        Assert.Equal(AwsFrameReader.MaxHeadersBytes, headers.Written.Length);
        byte[] body = AwsFrameWriter.Message(headers, new byte[AwsFrameReader.MaxPayloadBytes]);
        Assert.Equal(25296912, body.Length);
        AwsBody read = await AwsBody.ReadAsync(PipeReader.Create(new MemoryStream(body)));
        Assert.Equal(AwsFrameReader.MaxPayloadBytes, Assert.Single(read.Messages).Data.Length);
    }

    [Fact]
    public async Task FrameThatIsThere_IsNotHeldBack()
    {
        var pipe = new Pipe();
        await using var reader = new AwsFrameReader(pipe.Reader, AwsMessageRule.Documented);
        await pipe.Writer.WriteAsync((byte[])[.. Chunk, .. Chunk, .. Chunk[..20]]);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.NotNull(AwsBody.TryKeep(reader));
        Assert.NotNull(AwsBody.TryKeep(reader));
        Assert.Null(AwsBody.TryKeep(reader));
        Assert.False(reader.HasPartialFrame);
        await pipe.Writer.WriteAsync(Chunk.AsMemory(20));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.NotNull(AwsBody.TryKeep(reader));
    }

    [Fact]
    public async Task BrokenTransport_IsNoFaultOfTheFraming()
    {
        var pipe = new ScriptedPipe([[Chunk[..20]]]) { BreaksWith = new IOException("reset") };
        await using var reader = new AwsFrameReader(pipe, AwsMessageRule.Documented);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.Null(AwsBody.TryKeep(reader));
        await Assert.ThrowsAsync<IOException>(async () => await reader.FillAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Disposed_CompletesThePipe()
    {
        var pipe = ScriptedPipe.Whole(Chunk);
        await new AwsFrameReader(pipe, AwsMessageRule.Documented).DisposeAsync();
        Assert.True(pipe.IsCompleted);
    }

    [Fact]
    public async Task FramesOfOneRead_AllocateNothing()
    {
        byte[] body = [.. Enumerable.Repeat(Chunk, 2000).SelectMany(frame => frame)];
        await using var reader = new AwsFrameReader(ScriptedPipe.Whole(body), AwsMessageRule.Documented);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(reader.TryRead(out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        int frames = 1;
        while (reader.TryRead(out _)) frames++;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2000, frames);
    }

    private static byte[] Prelude(uint total, uint headers)
    {
        var prelude = new byte[AwsFrameReader.PreludeBytes];
        BinaryPrimitives.WriteUInt32BigEndian(prelude, total);
        BinaryPrimitives.WriteUInt32BigEndian(prelude.AsSpan(4), headers);
        AwsFrameWriter.SealPrelude(prelude);
        return prelude;
    }
}
