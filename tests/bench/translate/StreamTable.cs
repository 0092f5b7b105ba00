namespace Aiproxy.Bench;

/// <summary>Runs all pairs in turn, round by round, so that load from elsewhere meets all alike.</summary>
public static class StreamTable
{
    private const int WarmUps = 3;
    private const double MostBytes = 100, MostNanoseconds = 1000;

    /// <returns>Every translating pair is within its limits.</returns>
    public static async Task<bool> PrintAsync(int events, int rounds, string only)
    {
        var all = new List<StreamFigures>();
        foreach (string kind in (string[])["text", "mixed"])
        {
            foreach (string upstream in Pairs.Names)
            {
                (byte[] body, int count) = StreamScript.Make(upstream, kind, events);
                foreach (string client in Pairs.Names.Order(Comparer<string>.Create((one, other) => (other == upstream).CompareTo(one == upstream))))
                {
                    if (client != upstream && !$"{upstream}-{client}-{kind}".Contains(only, StringComparison.Ordinal)) continue;
                    all.Add(new StreamFigures(client, upstream, kind, count, new StreamRun(upstream, client, body)));
                }
            }
        }
        for (int round = 0; round < WarmUps + rounds; round++)
            foreach (StreamFigures one in all) await one.RoundAsync(counts: round >= WarmUps);

        Console.WriteLine($"{"answer",-6} {"upstream",-10} {"client",-12} {"CPU ns/event",12} {"median",8} {"wall",8} {"ratio",6} {"bytes/event",12} {"sent",6}");
        StreamFigures slowest = all.Where(one => !one.IsForwarding).MaxBy(one => one.LeastCpu)!, hungriest = all.Where(one => !one.IsForwarding).MaxBy(one => one.Allocated)!;
        bool held = true;
        foreach (StreamFigures one in all)
        {
            StreamFigures forwarding = all.First(other => other.IsForwarding && other.Upstream == one.Upstream && other.Kind == one.Kind);
            bool missed = !one.IsForwarding && (one.LeastCpu >= MostNanoseconds || one.Allocated >= MostBytes);
            held &= !missed;
            Console.WriteLine(
                $"{one.Kind,-6} {one.Upstream,-10} {(one.IsForwarding ? "(forwarded)" : one.Name),-12} {one.LeastCpu,12:F0} {one.Cpu,8:F0} {one.Wall,8:F0} {one.LeastCpu / forwarding.LeastCpu,6:F2} "
                + $"{one.Allocated,12:F1} {one.Sent,6:F0}{(missed ? "  missed" : "")}{(one == slowest ? "  slowest" : "")}{(one == hungriest ? "  most memory" : "")}");
        }
        return held;
    }
}
