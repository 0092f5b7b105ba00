using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using Aiproxy.EventStream;
using Aiproxy.Tests.EventStream;

namespace Aiproxy.Bench;

/// <summary>Decoding and checksumming the same bytes by turns; of each the best round counts, for what else runs on the machine only ever slows one down.</summary>
public static class SpeedRun
{
    /// <summary>Small enough for the second-level cache of a server's core, so that neither side waits for memory.</summary>
    private const int BodyBytes = 512 * 1024;

    /// <summary>What a connection's reads look like when the upstream is fast.</summary>
    private const int ReadBytes = 64 * 1024;

    /// <summary>Shorter than a scheduler's slice: some rounds are not interrupted, however busy the machine is.</summary>
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(3);

    /// <returns>1: something came out wrong, so that the figures mean nothing.</returns>
    public static int Run(int rounds)
    {
        Console.WriteLine($"checksum by carry-less multiplication: {(Crc32.CanFold ? "yes" : "no")}; MB/s over whole frames, best of {rounds} rounds by turns");
        Console.WriteLine($"{"payload",8} {"in place",10} {"64 KB reads",12} {"B/frame",8} {"checksum a frame",17} {"of the body",12} {"by tables",10} {"in place : fastest",19} {"reads : fastest",16}");
        bool isSound = true;
        foreach (int payload in new[] { 64, 256, 4096, 65536 }) isSound &= Measure(payload, rounds);
        return isSound ? 0 : 1;
    }

    private static bool Measure(int payloadBytes, int rounds)
    {
        byte[] frame = AwsFrameWriter.Event("chunk", Filler(payloadBytes));
        int count = Math.Max(1, BodyBytes / frame.Length);
        byte[] body = [.. Enumerable.Repeat(frame, count).SelectMany(bytes => bytes)];
        Func<long>[] ways =
        [
            () => Decode(PipeReader.Create(new ReadOnlySequence<byte>(body))),
            () => Decode(PipeReader.Create(new MemoryStream(body), new StreamPipeReaderOptions(bufferSize: ReadBytes))),
            () => FrameByFrame(body, frame.Length),
            () => Crc32.Of(body),
            () => Crc32.Sliced(0, body),
        ];
        long expected = (long)count * payloadBytes;
        if (ways[0]() != expected || ways[1]() != expected || ways[3]() != ways[4]()) return false;

        var best = new double[ways.Length];
        for (int round = 0; round < rounds; round++)
        {
            for (int way = 0; way < ways.Length; way++) best[way] = Math.Max(best[way], MegabytesPerSecond(ways[way], body.Length));
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        ways[1]();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        double fastest = best[2..].Max();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{payloadBytes,8} {best[0],10:F0} {best[1],12:F0} {(double)allocated / count,8:F1} {best[2],17:F0} {best[3],12:F0} {best[4],10:F0} {best[0] / fastest,19:F2} {best[1] / fastest,16:F2}"));
        return true;
    }

    private static double MegabytesPerSecond(Func<long> way, int bytes)
    {
        long passes = 0;
        var clock = Stopwatch.StartNew();
        do
        {
            way();
            passes++;
        }
        while (clock.Elapsed < Round);
        return passes * bytes / clock.Elapsed.TotalSeconds / 1e6;
    }

    /// <returns>Bytes of all payloads.</returns>
    private static long Decode(PipeReader pipe)
    {
        long bytes = 0;
        var reader = new AwsFrameReader(pipe, AwsMessageRule.Documented);
        while (reader.FillAsync(CancellationToken.None).GetAwaiter().GetResult())
        {
            while (reader.TryRead(out Frame frame)) bytes += frame.Event.SequenceEqual("chunk"u8) ? frame.Data.Length : 0;
        }
        reader.DisposeAsync().GetAwaiter().GetResult();
        return bytes;
    }

    private static long FrameByFrame(byte[] body, int frameBytes)
    {
        uint sum = 0;
        for (int at = 0; at < body.Length; at += frameBytes) sum ^= Crc32.Of(body.AsSpan(at, frameBytes));
        return sum;
    }

    private static byte[] Filler(int length)
    {
        var bytes = new byte[length];
        new SeededRandom(1).Fill(bytes);
        return bytes;
    }
}
