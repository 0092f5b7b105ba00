using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using Aiproxy.Protocols;
using Aiproxy.Server;
using Aiproxy.Upstreams;

namespace Aiproxy.Bench;

/// <summary>One large request, read from a file as from a socket and translated, in a process that did nothing before.</summary>
public static class RequestRun
{
    /// <returns>Milliseconds of the first translation and the least of the further ones, each as wall and processor time; bytes of the body, bytes written,
    /// bytes allocated by one translation; kilobytes of the process before, at its peak through the first request, and at its peak through all.</returns>
    public static async Task<string> OnceAsync(string client, string upstream, string file, int rounds)
    {
        long before = Kilobytes("VmRSS:");
        IClientProtocol protocol = Pairs.Client(client);
        UpstreamTarget target = Pairs.Target(upstream, protocol);
        Measured first = await RequestAsync(protocol, target, file);
        long peak = Kilobytes("VmHWM:");
        Measured best = first;
        for (int i = 0; i < rounds; i++)
        {
            Measured one = await RequestAsync(protocol, target, file);
            if (one.Cpu < best.Cpu || i == 0) best = one;
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"{first.Wall:F1} {first.Cpu:F1} {best.Wall:F1} {best.Cpu:F1} {first.Body} {first.Written} {best.Allocated} {before} {peak} {Kilobytes("VmHWM:")}");
    }

    private sealed record Measured(double Wall, double Cpu, long Body, long Written, long Allocated);

    private static async Task<Measured> RequestAsync(IClientProtocol protocol, UpstreamTarget target, string file)
    {
        await using FileStream stream = File.OpenRead(file);
        var bodies = new RequestBody(new ByteBudget(256 * 1024 * 1024), TimeProvider.System);
        using PooledBody body = await bodies.ReadAsync(
            PipeReader.Create(stream), new BodyHead(stream.Length, null, 64 * 1024 * 1024, TimeSpan.FromSeconds(1)), CancellationToken.None);

        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long time = Stopwatch.GetTimestamp();
        bool isGemini = protocol.Name == "gemini";
        RequestHead head = protocol.ReadHead(new RequestTarget(Operation.Generate, isGemini ? "bench" : null, isGemini ? true : null), "", body.Memory.Span);
        var writer = new WriterOptions { Stream = true, Model = head.Model, Created = 1, IdSeed = "BenchBenchBenchBenchBenc" };
        using var answer = new ClientAnswer(new BenchClient(), new AnswerOptions
        {
            Protocol = protocol,
            Streams = false,
            StreamContentType = "",
            RequestId = "req_bench",
            Writer = writer,
            KeepaliveInterval = TimeSpan.Zero,
            EarlyCommit = TimeSpan.Zero,
        }, TimeProvider.System);
        using var exchange = new Exchange
        {
            Protocol = protocol,
            Head = head,
            Body = body.Memory,
            Query = "",
            Headers = [],
            Answer = answer,
            WriterOptions = writer,
            RequestId = "req_bench",
            Clock = TimeProvider.System,
            TotalDeadline = long.MaxValue,
        };
        ReadOnlyMemory<byte> written = new Translation(new ProofCache(TimeProvider.System)).Body(exchange, target, dropsProofs: false);
        double wall = Stopwatch.GetElapsedTime(time).TotalMilliseconds;
        double spent = (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds;
        return new Measured(wall, spent, body.Memory.Length, written.Length, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    private static long Kilobytes(string name)
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
            if (line.StartsWith(name, StringComparison.Ordinal)) return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        return 0;
    }
}
