using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

public sealed class SseReaderTests
{
    /// <summary>Written with LF; every test runs them with CRLF and CR too.</summary>
    private static readonly string[] Bodies =
    [
        "",
        "\n",
        "\n\n\n",
        "data: one\n\n",
        "data:one\n\n",
        "data:  two spaces\n\n",
        "data\n\n",
        "data:\n\n",
        "data: \n\n",
        "data: a\ndata: b\ndata:c\n\n",
        "data\ndata\n\n",
        "data: a\n: in between\nevent: e\ndata: b\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: ping\ndata: {}\n\n",
        "event: first\nevent: second\ndata: x\n\n",
        ": comment\n\ndata: x\n\n",
        ": comment\ndata: x\n\n",
        "\n\ndata: x\n\n\n\ndata: y\n\n\n",
        "id: 7\nretry: 10\nunknown: 1\ndata: x\n\n",
        "data : no field\nDATA: neither\ndatum: nor\nevents: x\ndata: yes\n\n",
        "\uFEFFdata: marked\n\n",
        "\uFEFF\ndata: marked\n\n",
        "\uFEFFdata: a\ndata: b\n\n",
        "\uFEFF: comment\n\ndata: \uFEFFkept\n\n",
        "data: äöü 漢字 🙂\n\n",
        "data: a:b: c\n\n",
        "data: [DONE]\n\n",
        ":\n\n:\n\n",
    ];

    private static readonly string[] Newlines = ["\n", "\r\n", "\r"];

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (string body in Bodies)
        {
            foreach (string newline in Newlines) data.Add(body, newline);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task AnyBody_AnyNewline_AnyReads_SameEventsAsInBox(string text, string newline)
    {
        byte[] body = Encoding.UTF8.GetBytes(text.Replace("\n", newline));
        (string, string)[] expected = Oracle(body);
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(body))
        {
            await using var reader = new SseReader(open());
            List<KeptFrame> frames = await FrameList.ReadAllAsync(reader);
            Assert.True(expected.SequenceEqual(FrameList.Events(frames)), way);
            Assert.True(Encoding.Latin1.GetString(body) == FrameList.RawOf(frames), way);
            Assert.False(reader.HasPartialFrame, way);
            Assert.True(reader.EndedWithBlankLine, way);
            Assert.True(reader.MissingEnd.IsEmpty, way);
        }
    }

    /// <summary>"If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and return." The in-box parser keeps the name.</summary>
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task EventWithoutData_ItsNameDoesNotReachTheNext(string newline)
    {
        byte[] body = Encoding.UTF8.GetBytes("event: ping\n\ndata: x\n\n".Replace("\n", newline));
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(body))
        {
            await using var reader = new SseReader(open());
            List<KeptFrame> frames = await FrameList.ReadAllAsync(reader);
            Assert.True(frames.Select(frame => (frame.Event, frame.Data)).Take(2).SequenceEqual([("ping", ""), ("", "x")]), way);
        }
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Comment_StandsAlone_IsAFrameAsSoonAsItIsComplete(string newline)
    {
        var pipe = new Pipe();
        await using var reader = new SseReader(pipe.Reader);
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($"data: x{newline}{newline}: keep-alive{newline}{newline}"));

        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(FrameList.TryKeep(reader, out _));
        Assert.True(FrameList.TryKeep(reader, out KeptFrame? comment));
        Assert.Equal(new KeptFrame("", "", $": keep-alive{newline}{newline}"), comment);
        Assert.False(FrameList.TryKeep(reader, out _));
    }

    [Fact]
    public async Task BlankLineEndsWithCr_ReadEndsThere_EventIsNotHeldBack()
    {
        await using var reader = new SseReader(ScriptedPipe.Of("data: x\r\n\r"u8.ToArray(), "\ndata: y\r\n\r\n"u8.ToArray()));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(FrameList.TryKeep(reader, out KeptFrame? first));
        Assert.Equal(new KeptFrame("", "x", "data: x\r\n\r"), first);
        Assert.False(FrameList.TryKeep(reader, out _));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(FrameList.TryKeep(reader, out KeptFrame? second));
        Assert.Equal(new KeptFrame("", "y", "\ndata: y\r\n\r\n"), second);
    }

    [Theory]
    [InlineData("data: x", "x", "\n\n")]
    [InlineData("data: x\n", "x", "\n")]
    [InlineData("data: x\r\n", "x", "\r\n")]
    [InlineData("data: x\r", "x", "\r")]
    [InlineData("data: a\r\ndata: b\r\n", "a\nb", "\r\n")]
    [InlineData("data: a\ndata: b", "a\nb", "\n\n")]
    [InlineData("data: a\nda", "a", "\n\n")]
    [InlineData("event: e\ndata: a\n", "a", "\n")]
    [InlineData(": comment\n", "", "\n")]
    [InlineData("data:\n", "", "\n")]
    public async Task BlankLineMissingAtTheEnd_LastFrameIsHandedOut(string tail, string data, string missing)
    {
        byte[] body = Encoding.UTF8.GetBytes("data: before\n\n" + tail);
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(body))
        {
            await using var reader = new SseReader(open());
            List<KeptFrame> frames = await FrameList.ReadAllAsync(reader);
            Assert.Equal(2, frames.Count);
            Assert.Equal(data, frames[1].Data);
            Assert.Equal(tail, frames[1].Raw);
            Assert.False(reader.HasPartialFrame, way);
            Assert.False(reader.EndedWithBlankLine, way);
            Assert.Equal(missing, Encoding.UTF8.GetString(reader.MissingEnd));
            byte[] mended = [.. body, .. reader.MissingEnd];
            await using var again = new SseReader(ScriptedPipe.Whole(mended));
            Assert.Equal(2, (await FrameList.ReadAllAsync(again)).Count);
            Assert.True(again.EndedWithBlankLine);
        }
    }

    [Theory]
    [InlineData("event: message_stop\n")]
    [InlineData("event: message_stop\nda")]
    [InlineData("data:")]
    [InlineData("data: ")]
    [InlineData("dat")]
    [InlineData(": commen")]
    public async Task RestWithoutData_IsAPartialFrame(string tail)
    {
        byte[] body = Encoding.UTF8.GetBytes("data: before\n\n" + tail);
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(body))
        {
            await using var reader = new SseReader(open());
            Assert.Equal([new KeptFrame("", "before", "data: before\n\n")], await FrameList.ReadAllAsync(reader));
            Assert.True(reader.HasPartialFrame, way);
        }
    }

    [Theory]
    [InlineData("data: 0123456789\n\n")]
    [InlineData("data: 01234|56789\n\n")]
    [InlineData("data: 0\n|data: 1\n|data: 2\n|\n")]
    [InlineData(": 0123456789 comment| without end")]
    [InlineData("\n\n\n\n\n\n\n\n\n\n|\n\n\n\n\n\n\n\n\n\n")]
    public async Task FrameOverItsLimit_Throws_AndStaysFailed(string reads)
    {
        await using var reader = new SseReader(ScriptedPipe.Of([.. reads.Split('|').Select(Encoding.UTF8.GetBytes)]), maxFrameBytes: 17);
        var exception = await Assert.ThrowsAsync<FrameException>(() => FrameList.ReadAllAsync(reader));
        Assert.Equal(FrameFault.TooLong, exception.Fault);
        Assert.Contains("17", exception.Message);
        Assert.DoesNotContain("0123", exception.Message);
        Assert.Throws<FrameException>(() => reader.TryRead(out _));
        await Assert.ThrowsAsync<FrameException>(async () => await reader.FillAsync(CancellationToken.None));
    }

    [Fact]
    public async Task FrameAtItsLimit_Passes()
    {
        await using var reader = new SseReader(ScriptedPipe.ByteWise([.. "data: 0123456789\n\ndata: 9876543210\n\n"u8]), maxFrameBytes: 18);
        Assert.Equal(["0123456789", "9876543210"], (await FrameList.ReadAllAsync(reader)).Select(frame => frame.Data));
    }

    [Fact]
    public async Task EndlessLine_IsGivenUpAfterTheLimitAndOneRead()
    {
        byte[] chunk = new byte[1000];
        chunk.AsSpan().Fill((byte)'x');
        var pipe = new ScriptedPipe(Enumerable.Repeat(0, 100).Select(_ => new[] { chunk.ToArray() }));
        await using var reader = new SseReader(pipe, maxFrameBytes: 10_500);
        await Assert.ThrowsAsync<FrameException>(() => FrameList.ReadAllAsync(reader));
        Assert.InRange(pipe.Lent, 10_500, 11_500);
    }

    [Fact]
    public async Task LongFrameInSmallReads_IsLinear()
    {
        // Quadratic work over 8 MB in reads of 16 bytes would be 2^41 byte steps: the test would not come back.
        byte[] body = new byte[8 * 1024 * 1024];
        body.AsSpan().Fill((byte)'x');
        "data: "u8.CopyTo(body);
        "\n\n"u8.CopyTo(body.AsSpan(body.Length - 2));
        await using var reader = new SseReader(ScriptedPipe.Of([.. body.Chunk(16)]));
        KeptFrame frame = Assert.Single(await FrameList.ReadAllAsync(reader));
        Assert.Equal(body.Length - 8, frame.Data.Length);
    }

    [Fact]
    public async Task EventInOneSegment_IsHandedOutInPlace()
    {
        byte[] body = "event: e\ndata: x\n\n"u8.ToArray();
        await using var reader = new SseReader(ScriptedPipe.Of(body));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        ReadInPlace();

        void ReadInPlace()
        {
            Assert.True(reader.TryRead(out Frame frame));
            Assert.True(body.AsSpan().Overlaps(frame.Data, out int offset) && offset == 15);
            Assert.True(body.AsSpan().Overlaps(frame.Event));
            Assert.True(frame.Raw == body.AsSpan());
        }
    }

    [Fact]
    public async Task DataIsThere_FillCompletesSynchronously_AndWaitsOtherwise()
    {
        var pipe = new Pipe();
        await using var reader = new SseReader(pipe.Reader);
        await pipe.Writer.WriteAsync("data: x\n\n"u8.ToArray());
        Assert.True(reader.FillAsync(CancellationToken.None).IsCompletedSuccessfully);
        Assert.True(FrameList.TryKeep(reader, out _));
        Assert.False(FrameList.TryKeep(reader, out _));

        ValueTask<bool> waiting = reader.FillAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        await pipe.Writer.CompleteAsync();
        Assert.False(await waiting);
    }

    [Fact]
    public async Task FillBeforeAllFramesAreRead_LosesNothing()
    {
        await using var reader = new SseReader(ScriptedPipe.Of("data: 1\n\ndata: 2\n\n"u8.ToArray(), "data: 3\n\n"u8.ToArray()));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(FrameList.TryKeep(reader, out _));
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.Equal(["2", "3"], (await FrameList.ReadAllAsync(reader)).Select(frame => frame.Data));
    }

    [Fact]
    public async Task TransportBreaks_IsTold_AndNothingIsMadeUp()
    {
        await using var reader = new SseReader(new ScriptedPipe([["data: x"u8.ToArray()]]) { BreaksWith = new IOException("reset") });
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.False(FrameList.TryKeep(reader, out _));
        await Assert.ThrowsAsync<IOException>(async () => await reader.FillAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Cancelled_Throws()
    {
        var pipe = new Pipe();
        await using var reader = new SseReader(pipe.Reader);
        using var source = new CancellationTokenSource();
        ValueTask<bool> waiting = reader.FillAsync(source.Token);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
    }

    [Fact]
    public async Task Disposed_Twice_CompletesThePipe()
    {
        ScriptedPipe pipe = ScriptedPipe.Whole([.. "data: x"u8]);
        var reader = new SseReader(pipe);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.False(FrameList.TryKeep(reader, out _));
        await reader.DisposeAsync();
        await reader.DisposeAsync();
        Assert.True(pipe.IsCompleted);
    }

    /// <summary>The in-box parser's events with data, as Latin-1.</summary>
    private static (string, string)[] Oracle(byte[] body) =>
        [.. SseParser.Create(new MemoryStream(body), (name, data) => (name == "message" ? "" : name, Encoding.Latin1.GetString(data)))
            .Enumerate().Select(item => item.Data).Where(item => item.Item2.Length > 0)];
}
