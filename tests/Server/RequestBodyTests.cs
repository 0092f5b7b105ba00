using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Aiproxy.Protocols.Model;
using Aiproxy.Server;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Server;

public sealed class RequestBodyTests
{
    private const long Limit = 1_000_000;
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);
    private static readonly byte[] Sample = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 9000).Select(i => $"{{\"n\":{i}}}")));
    private readonly StepClock _clock = new();
    private readonly ByteBudget _budget = new(10_000_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Plain_ComesWhole(bool hasLength)
    {
        using PooledBody body = await ReadAsync(Sample, null, hasLength ? Sample.Length : null);
        Assert.Equal(Sample, body.Memory.ToArray());
        Assert.True(_budget.Held >= Sample.Length);
        body.Dispose();
        Assert.Equal(0, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task Empty_IsEmpty()
    {
        using PooledBody body = await ReadAsync([], "gzip", 0);
        Assert.True(body.Memory.IsEmpty);
    }

    [Fact(Timeout = 60_000)]
    public async Task SplitAtEveryByte_ComesWhole()
    {
        byte[] text = "{\"model\":\"m\"}"u8.ToArray();
        for (int cut = 0; cut <= text.Length; cut++)
        {
            var pipe = new Pipe();
            ValueTask<PooledBody> reading = Reader().ReadAsync(pipe.Reader, Head(null, null), default);
            await pipe.Writer.WriteAsync(text.AsMemory(0, cut));
            await pipe.Writer.WriteAsync(text.AsMemory(cut));
            await pipe.Writer.CompleteAsync();
            using PooledBody body = await reading;
            Assert.Equal(text, body.Memory.ToArray());
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("GZIP")]
    [InlineData("deflate")]
    [InlineData("raw-deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("zstd, gzip")]
    [InlineData("gzip, br")]
    [InlineData("br,gzip, identity")]
    [InlineData("identity")]
    public async Task Packed_IsUnpacked(string encoding)
    {
        Assert.SkipWhen(encoding.Contains("zstd", StringComparison.Ordinal) && !Zstd.IsAvailable, "libzstd is not installed");
        using PooledBody body = await ReadAsync(Packed(Sample, encoding), encoding.Replace("raw-", "", StringComparison.Ordinal));
        Assert.Equal(Sample, body.Memory.ToArray());
        body.Dispose();
        Assert.Equal(0, _budget.Held);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("gzip, zstd")]
    public async Task Bomb_IsStoppedAtTheLimit(string encoding)
    {
        Assert.SkipWhen(encoding.Contains("zstd", StringComparison.Ordinal) && !Zstd.IsAvailable, "libzstd is not installed");
        byte[] packed = Packed(new byte[50_000_000], encoding);
        Assert.True(packed.Length < Limit);
        await FailsAsync(ErrorKind.TooLarge, packed, encoding);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task AroundTheLimit_IsExact(int over, bool fails)
    {
        byte[] text = new byte[Limit + over];
        foreach (string? encoding in (string?[])[null, "gzip"])
        {
            byte[] sent = encoding is null ? text : Packed(text, encoding);
            if (fails)
            {
                await FailsAsync(ErrorKind.TooLarge, sent, encoding);
                continue;
            }

            using PooledBody body = await ReadAsync(sent, encoding);
            Assert.Equal(text.Length, body.Memory.Length);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task AnnouncedTooLarge_IsRefusedUnread()
    {
        var pipe = new Pipe();
        ProtocolException e = await Assert.ThrowsAsync<ProtocolException>(async () => await Reader().ReadAsync(pipe.Reader, Head(Limit + 1, null), default));
        Assert.Equal(ErrorKind.TooLarge, e.Error.Kind);
        Assert.False(e.Error.ShouldRetry);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task Corrupt_IsInvalid(string encoding)
    {
        Assert.SkipWhen(encoding == "zstd" && !Zstd.IsAvailable, "libzstd is not installed");
        byte[] packed = Packed(Sample, encoding);
        packed.AsSpan(packed.Length / 2, 20).Fill(0xff);
        packed.AsSpan(0, 12).Fill(0x77);
        await FailsAsync(ErrorKind.InvalidRequest, packed, encoding);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task CutOffAnywhere_IsInvalidOrWhatWasThere(string encoding)
    {
        Assert.SkipWhen(encoding == "zstd" && !Zstd.IsAvailable, "libzstd is not installed");
        byte[] text = "{\"model\":\"m\",\"messages\":[]}"u8.ToArray();
        byte[] packed = Packed(text, encoding);
        for (int cut = 1; cut < packed.Length; cut++)
        {
            try
            {
                using PooledBody body = await ReadAsync(packed[..cut], encoding);
                Assert.True(text.AsSpan().StartsWith(body.Memory.Span));
            }
            catch (ProtocolException e)
            {
                Assert.Equal(ErrorKind.InvalidRequest, e.Error.Kind);
            }

            Assert.Equal(0, _budget.Held);
        }
    }

    [Theory]
    [InlineData("compress")]
    [InlineData("gzip, rot13")]
    [InlineData("gzip,gzip,gzip,gzip,gzip")]
    public Task UnknownOrTooMany_IsUnsupportedMedia(string encoding) => FailsAsync(ErrorKind.UnsupportedMedia, Sample, encoding);

    [Fact(Timeout = 60_000)]
    public async Task SilentClient_TimesOutAfterAMinuteOfSilence()
    {
        var pipe = new Pipe();
        Task<PooledBody> reading = Reader().ReadAsync(pipe.Reader, Head(100, null), default).AsTask();
        _clock.Advance(TimeSpan.FromSeconds(59));
        await pipe.Writer.WriteAsync(new byte[10]);
        await UntilArmedAsync(reading);
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(reading.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        ProtocolException e = await Assert.ThrowsAsync<ProtocolException>(() => reading);
        Assert.Equal(ErrorKind.Timeout, e.Error.Kind);
        Assert.Equal(0, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task ClientGone_IsCancelled()
    {
        var pipe = new Pipe();
        Task<PooledBody> reading = Reader().ReadAsync(pipe.Reader, Head(100, null), default).AsTask();
        await pipe.Writer.WriteAsync(new byte[10]);
        await pipe.Writer.CompleteAsync(new IOException("reset"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(0, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task CallerCancels_IsCancelledAndNoTimeout()
    {
        using var source = new CancellationTokenSource();
        Task<PooledBody> reading = Reader().ReadAsync(new Pipe().Reader, Head(100, null), source.Token).AsTask();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact(Timeout = 60_000)]
    public async Task BudgetTaken_WaitsThenIsUnavailable()
    {
        _budget.Limit = 100;
        using ByteBudget.Lease? other = await _budget.AcquireAsync(90, Wait, _clock, default);
        Task<PooledBody> reading = ReadAsync(Sample, null).AsTask();
        Assert.False(reading.IsCompleted);
        _clock.Advance(Wait);
        ProtocolException e = await Assert.ThrowsAsync<ProtocolException>(() => reading);
        Assert.Equal(ErrorKind.Unavailable, e.Error.Kind);
        Assert.NotNull(e.Error.RetryAfter);
        Assert.Equal(90, _budget.Held);
    }

    [Fact(Timeout = 60_000)]
    public async Task LargerThanTheBudget_IsReadAlone()
    {
        _budget.Limit = 100;
        using PooledBody body = await ReadAsync(Packed(Sample, "gzip"), "gzip");
        Assert.Equal(Sample.Length, body.Memory.Length);
    }

    [Fact(Timeout = 60_000)]
    public async Task AnnouncedLarge_HoldsLittleUntilItComes()
    {
        var pipe = new Pipe();
        Task<PooledBody> reading = Reader().ReadAsync(pipe.Reader, Head(Limit, null), default).AsTask();
        await pipe.Writer.WriteAsync(new byte[10]);
        await UntilArmedAsync(reading);
        // The clock is armed before the first byte too, so the bytes may still be on their way.
        Assert.True(SpinWait.SpinUntil(() => _budget.Held > 0, TimeSpan.FromSeconds(30)));
        Assert.InRange(_budget.Held, 1, 64 * 1024);
        await pipe.Writer.CompleteAsync();
        (await reading).Dispose();
    }

    private static byte[] Packed(byte[] text, string encoding)
    {
        foreach (string name in encoding.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries))
        {
            if (name == "zstd")
            {
                text = RequestCompression.Pack("zstd", new ReadOnlySequence<byte>(text))!.Value.ToArray();
                continue;
            }

            var target = new MemoryStream();
            using (Stream packer = name switch
            {
                "gzip" or "x-gzip" => new GZipStream(target, CompressionLevel.Fastest),
                "deflate" => new ZLibStream(target, CompressionLevel.Fastest),
                "raw-deflate" => new DeflateStream(target, CompressionLevel.Fastest),
                "br" => new BrotliStream(target, CompressionLevel.Fastest),
                _ => target,
            })
            {
                packer.Write(text);
            }

            text = target.ToArray();
        }

        return text;
    }

    /// <summary>The reader has consumed what was written and waits for more: its idle timer runs again.</summary>
    private async Task UntilArmedAsync(Task reading)
    {
        for (int i = 0; i < 10_000 && (_clock.Armed == 0 || _budget.Held == 0) && !reading.IsCompleted; i++)
            await Task.Yield();
    }

    private static BodyHead Head(long? length, string? encoding) => new(length, encoding, Limit, Wait);

    private RequestBody Reader() => new(_budget, _clock);

    private ValueTask<PooledBody> ReadAsync(byte[] sent, string? encoding, long? length = null) =>
        Reader().ReadAsync(PipeReader.Create(new MemoryStream(sent)), Head(length, encoding), default);

    private async Task FailsAsync(ErrorKind kind, byte[] sent, string? encoding)
    {
        ProtocolException e = await Assert.ThrowsAsync<ProtocolException>(async () => await ReadAsync(sent, encoding));
        Assert.Equal(kind, e.Error.Kind);
        Assert.Equal(0, _budget.Held);
    }
}
