using System.Diagnostics;
using System.Globalization;
using Aiproxy.Tests.EventStream;

namespace Aiproxy.Bench;

/// <summary>The long run of the unit tests' fuzz. Fails on a wrong result, on an exception that is not the framing's, on memory, and on a case that does not end.</summary>
public static class FuzzRun
{
    private static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(20);

    public static int Run(long count, ulong seed)
    {
        // The first cases count too: they fill the array pool, so a frame whose announced length were believed would show there.
        var fuzz = new AwsFuzz();
        long done = 0;
        long seen = -1;
        using var watchdog = new Timer(
            _ =>
            {
                long now = Volatile.Read(ref done);
                if (now == seen) Environment.FailFast($"seed {seed + (ulong)now}: no end after {LongestCase.TotalSeconds} s");
                seen = now;
            },
            null, LongestCase, LongestCase);
        var clock = Stopwatch.StartNew();
        for (; done < count; Volatile.Write(ref done, done + 1))
        {
            if (fuzz.Run(seed + (ulong)done) is not { } problem) continue;
            Console.WriteLine(problem);
            return 1;
        }
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{count} mutated bodies in {clock.Elapsed.TotalSeconds:F0} s: no crash, no hang, no result but the expected; {fuzz.Frames} sound frames came through"));
        Console.WriteLine("faults: " + string.Join(", ", fuzz.Faults.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Key} {pair.Value}")));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"allocated by the reading of one small body: {fuzz.MostAllocated} bytes at most (limit {AwsFuzz.AllocationLimit}); peak of the process: {process.PeakWorkingSet64 / 1048576} MB"));
        return 0;
    }
}
