using System.Diagnostics;
using System.Globalization;

namespace Aiproxy.Bench;

/// <summary>What one target did with a number of open streams.</summary>
/// <param name="Share">Events that arrived for each that the upstream wrote, in the measured time.</param>
/// <param name="CpuPerEvent">Microseconds of the target's processor time.</param>
/// <param name="MemoryPerStream">Kilobytes of PSS above the target's idle memory.</param>
public sealed record StreamResult(
    string Name, int Streams, double EventsPerSecond, double Share, double CpuPerEvent, double MedianMs, double HighMs, double MemoryPerStream, int Broken)
{
    public string ToLine() => string.Create(CultureInfo.InvariantCulture,
        $"{Name,-10} {Streams,8} {EventsPerSecond,10:F0} {Share,8:P1} {(CpuPerEvent > 0 ? CpuPerEvent.ToString("F1", CultureInfo.InvariantCulture) : "-"),13} {MedianMs,13:F2} {HighMs,8:F2} {(MemoryPerStream != 0 ? MemoryPerStream.ToString("F1", CultureInfo.InvariantCulture) : "-"),12} {Broken,7}");
}

public static class StreamLoad
{
    private const int OpenAtOnce = 50;

    /// <summary>Opens the streams, waits for the first event of each, measures, closes. The pause at the end lets the target drop the connections.</summary>
    public static async Task<StreamResult> RunAsync(Target target, PacedUpstream upstream, int streams, TimeSpan time)
    {
        var idle = ProcessFigures.Read(target.ProcessId);
        var clients = new List<EventCounter>();
        var running = new List<Task>();
        foreach (var batch in Enumerable.Range(0, streams).Chunk(OpenAtOnce))
        {
            var opened = batch.Select(_ => new EventCounter()).ToList();
            clients.AddRange(opened);
            running.AddRange(opened.Select(client => client.RunAsync(target.Port)));
            await Task.WhenAll(opened.Select(client => client.FirstEvent)).WaitAsync(TimeSpan.FromSeconds(30));
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
        clients.ForEach(client => client.Sampling = true);
        var before = ProcessFigures.Read(target.ProcessId);
        var (events, sent, clock) = (clients.Sum(client => client.Events), upstream.Sent, Stopwatch.StartNew());
        await Task.Delay(time);
        var after = ProcessFigures.Read(target.ProcessId);
        events = clients.Sum(client => client.Events) - events;
        sent = upstream.Sent - sent;
        var seconds = clock.Elapsed.TotalSeconds;
        var broken = clients.Count(client => client.Broken);

        clients.ForEach(client => client.Dispose());
        await Task.WhenAll(running);
        await Task.Delay(TimeSpan.FromSeconds(2));

        var delays = clients.SelectMany(client => client.Delays).Order().ToList();
        return new StreamResult(
            target.Name, streams, events / seconds, sent == 0 ? 0 : (double)events / sent,
            events == 0 ? 0 : (double)(after.CpuMicroseconds - before.CpuMicroseconds) / events,
            At(delays, 0.5), At(delays, 0.99), (double)(after.PssKilobytes - idle.PssKilobytes) / streams, broken);
    }

    private static double At(List<int> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)((sorted.Count - 1) * share)] / 1000.0;
}
