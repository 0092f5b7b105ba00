using System.Diagnostics;

namespace Aiproxy.Bench;

/// <summary>What the rounds of one pair cost, an event.</summary>
public sealed class StreamFigures(string name, string upstream, string kind, int events, StreamRun run)
{
    private readonly List<double> _cpu = [];
    private readonly List<double> _wall = [];
    private readonly List<double> _bytes = [];

    public string Name => name;

    public string Upstream => upstream;

    public string Kind => kind;

    public bool IsForwarding => name == upstream;

    /// <summary>Bytes sent to the client.</summary>
    public double Sent { get; private set; }

    /// <summary>Processor time, user and system, in nanoseconds: the least of all rounds, which other load disturbs least.</summary>
    public double LeastCpu => _cpu.Min();

    public double Cpu => Median(_cpu);

    public double Wall => Median(_wall);

    public double Allocated => Median(_bytes);

    public async Task RoundAsync(bool counts)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long time = Stopwatch.GetTimestamp();
        long sent = await run.OnceAsync();
        double wall = Stopwatch.GetElapsedTime(time).TotalNanoseconds, spent = (Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds;
        long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
        if (!counts) return;
        _wall.Add(wall / events);
        _cpu.Add(spent / events);
        _bytes.Add((double)bytes / events);
        Sent = (double)sent / events;
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
