using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>Reads mutated bodies and compares with <see cref="AwsOracle"/>. A case is its seed. Knows no test framework: a program runs it too.</summary>
public sealed class AwsFuzz
{
    /// <summary>What reading one small body may allocate: the reader, an exception, a pooled array of the body's size, for the first one the checksum's
    /// tables. A frame that announces megabytes must not be believed.</summary>
    public const long AllocationLimit = 32 * 1024;

    /// <summary>Above this a body may need as many bytes again for each doubling of the copy.</summary>
    private const int SmallBody = 4096;

    public long Cases { get; private set; }

    public long Frames { get; private set; }

    public Dictionary<FrameFault, long> Faults { get; } = [];

    /// <summary>The most that the reading of one small body allocated, in bytes.</summary>
    public long MostAllocated { get; private set; }

    /// <returns>Null: as it must be. Otherwise what was wrong.</returns>
    public string? Run(ulong seed)
    {
        var random = new SeededRandom(seed);
        byte[] body = AwsMutation.Body(ref random);
        AwsMessageRule rule = (AwsMessageRule)random.Next(3);
        int maxPayloadBytes = random.Next(8) == 0 ? random.Next(300) : AwsFrameReader.MaxPayloadBytes;
        AwsOracle expected = AwsOracle.Read(body, rule, maxPayloadBytes);
        var pipe = new CutPipe([.. body], Cuts(ref random, body.Length), random.Next(2) == 0);
        Cases++;
        Frames += expected.Frames.Count;
        if (expected.Fault is { } kind) Faults[kind] = Faults.GetValueOrDefault(kind) + 1;

        long before = GC.GetAllocatedBytesForCurrentThread();
        string? problem = Read(pipe, body, expected, rule, maxPayloadBytes);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (body.Length <= SmallBody) MostAllocated = Math.Max(MostAllocated, allocated);
        long limit = body.Length <= SmallBody ? AllocationLimit : AllocationLimit + 4L * body.Length;
        problem ??= allocated > limit ? $"{allocated} bytes allocated for a body of {body.Length}" : null;
        return problem is null ? null : $"seed {seed}: {problem}";
    }

    private static string? Read(CutPipe pipe, byte[] body, AwsOracle expected, AwsMessageRule rule, int maxPayloadBytes)
    {
        int frames = 0;
        // More reads than there are bytes means that the reader asks for what is not there.
        int most = body.Length + 10;
        var reader = new AwsFrameReader(pipe, rule, maxPayloadBytes);
        try
        {
            while (Fill(reader))
            {
                while (reader.TryRead(out Frame frame))
                {
                    if (frames == expected.Frames.Count) return "a frame too many";
                    (int offset, int length) = expected.Frames[frames++];
                    if (!frame.Raw.SequenceEqual(body.AsSpan(offset, length))) return $"frame {frames} is not what was sent";
                    if (!IsInside(frame.Raw, frame.Data) || !IsInside(frame.Raw, frame.Event)) return $"frame {frames} has parts from elsewhere";
                }
                if (most-- == 0) return "it does not end";
            }
        }
        catch (FrameException fault)
        {
            if (fault.Fault != expected.Fault) return $"{fault.Fault}, expected {expected.Fault?.ToString() ?? "none"}";
            if (frames != expected.Frames.Count) return $"{fault.Fault} after {frames} frames, expected after {expected.Frames.Count}";
            return reader.HasPartialFrame == (fault.Fault == FrameFault.Truncated) ? null : "the rest is told wrongly";
        }
        finally
        {
            reader.DisposeAsync().GetAwaiter().GetResult();
        }
        if (expected.Fault is not null) return $"no fault, expected {expected.Fault}";
        return frames == expected.Frames.Count ? null : $"{frames} frames, expected {expected.Frames.Count}";
    }

    private static bool Fill(AwsFrameReader reader) => reader.FillAsync(CancellationToken.None).GetAwaiter().GetResult();

    private static bool IsInside(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> part) => part.IsEmpty || whole.Overlaps(part);

    /// <summary>None, a few, or one at every byte.</summary>
    private static List<int> Cuts(ref SeededRandom random, int length)
    {
        var cuts = new List<int>();
        int shape = random.Next(8);
        if (shape == 0) return cuts;
        int most = shape == 1 && length < 600 ? 1 : shape < 5 ? 20 : 300;
        for (int at = random.Next(most) + 1; at < length; at += random.Next(most) + 1) cuts.Add(at);
        return cuts;
    }
}

/// <summary>Numbers that follow from a seed alone, on every platform (splitmix64).</summary>
public struct SeededRandom(ulong seed)
{
    private ulong _state = seed * 0x9E3779B97F4A7C15;

    public ulong Next()
    {
        ulong value = _state += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte value in bytes) value = (byte)Next();
    }
}
