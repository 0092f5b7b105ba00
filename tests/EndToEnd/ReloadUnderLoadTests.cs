using System.Collections.Concurrent;
using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

public sealed class ReloadUnderLoadTests
{
    private const int Streams = 200;
    private const int Rewrites = 100;
    private const int RequestsPerSecond = 50;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(220);

    /// <summary>200 open streams and 50 requests a second while the file is rewritten 100 times, every third time broken.</summary>
    [Fact, Trait("Slow", "true")]
    public async Task HundredRewrites_CutNoStreamRefuseNoRequestAndNameEachBrokenVersion()
    {
        AiproxyBinary.Require();
        var stop = new TaskCompletionSource();
        await using var upstream = new FakeUpstream(request => SharedRig.IsStream(request) ? Endless(stop.Task) : FakeAnswer.Json(Dialects.Anthropic.Whole("short")));
        await using var proxy = await ProxyProcess.StartAsync(Version(0, upstream));
        var streams = new List<LiveReply>();
        for (var i = 0; i < Streams; i++) streams.Add(await proxy.OpenAsync(Dialects.Anthropic, Rig.Model, stream: true));
        foreach (var stream in streams) stream.AssertStatus(200);
        var reading = streams.Select(stream => stream.ReadToEndAsync(TimeSpan.FromMinutes(2))).ToArray();
        using var ended = new CancellationTokenSource();
        var failures = new ConcurrentBag<string>();
        var load = LoadAsync(proxy, failures, ended.Token);

        for (var version = 1; version <= Rewrites; version++)
        {
            var from = proxy.Log.Lines.Count;
            proxy.RewriteConfig(Version(version, upstream));
            if (IsBroken(version))
            {
                var place = $"config.yaml:{BrokenLine(version)}:";
                var line = await proxy.WaitForLogAsync(text => text.Contains(place, StringComparison.Ordinal), Patience, $"{place} of version {version}", from);
                Assert.Contains("weight", line);
                Assert.Contains($"x{version}", line);
            }
            await Task.Delay(Spacing);
        }

        await ended.CancelAsync();
        var sent = await load;
        Assert.Empty(failures);
        Assert.True(sent > RequestsPerSecond * 10, $"only {sent} requests were sent");
        Assert.DoesNotContain(reading, task => task.IsCompleted);
        stop.SetResult();
        await Task.WhenAll(reading).InTimeAsync(Patience, "the streams did not end");
        Assert.All(streams, stream =>
        {
            Assert.False(stream.Broken);
            Assert.EndsWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", stream.Text);
            Assert.DoesNotContain("event: error", stream.Text);
        });
        Assert.Equal(Streams, upstream.Requests.Count(SharedRig.IsStream));
        await proxy.AssertAliveAsync();
    }

    private static bool IsBroken(int version) => version > 0 && version % 3 == 0;

    private static int BrokenLine(int version) => version + 5;

    /// <summary>A file whose fault, in a broken version, stands in a line of its own number.</summary>
    private static string Version(int version, FakeUpstream upstream) =>
        $"listen: 127.0.0.1:{ProxyProcess.PortMark}\n" + string.Concat(Enumerable.Range(0, version).Select(i => $"# line {i}\n"))
        + "upstreams:\n  - name: u\n    api_type: anthropic\n"
        + $"    weight: {(IsBroken(version) ? $"x{version}" : $"{version + 1}")}\n    base_url: {upstream.Url}\n    token: sk-fake-u\n";

    private static FakeAnswer Endless(Task stop) => FakeAnswer.Script(async answer =>
    {
        var transcript = Dialects.Anthropic.Text("word word");
        await answer.StreamHeadAsync();
        await answer.ChunkAsync(string.Concat(transcript.Beginning));
        while (!stop.IsCompleted)
        {
            await answer.ChunkAsync(transcript.Output[1]);
            await Task.WhenAny(stop, Task.Delay(300, answer.PeerGone));
            answer.PeerGone.ThrowIfCancellationRequested();
        }
        foreach (var frame in transcript.Frames.Skip(transcript.Beginning.Length)) await answer.ChunkAsync(frame);
        await answer.EndAsync();
    });

    /// <returns>How many requests were answered with 200; every other outcome is a failure.</returns>
    private static async Task<int> LoadAsync(ProxyProcess proxy, ConcurrentBag<string> failures, CancellationToken ended)
    {
        var start = Stopwatch.GetTimestamp();
        var running = new List<Task>();
        var good = 0;
        for (var i = 0; !ended.IsCancellationRequested; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / RequestsPerSecond) - Stopwatch.GetElapsedTime(start);
            if (due > TimeSpan.Zero) await Task.Delay(due);
            running.Add(OneAsync());
            if (running.Count > 500) running.RemoveAll(task => task.IsCompleted);
        }
        await Task.WhenAll(running);
        return good;

        async Task OneAsync()
        {
            try
            {
                await using var reply = await proxy.SendAsync(Dialects.Anthropic, Rig.Model, stream: false);
                if (reply.Status == 200 && !reply.Broken) Interlocked.Increment(ref good);
                else failures.Add($"{reply.Status} {reply.Text}");
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                failures.Add(e.Message);
            }
        }
    }
}
