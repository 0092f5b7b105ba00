using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>A client that goes away cancels the upstream request within a second, in every phase.</summary>
public sealed class CancelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static TheoryData<string, string> Phases
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var dialect in Dialects.List)
                foreach (var phase in new[] { "before headers", "before first output", "mid-stream", "whole, before headers", "whole, inside the body" }) rows.Add(dialect.Name, phase);
            return rows;
        }
    }

    [Theory, MemberData(nameof(Phases))]
    public async Task E64_ClientGone_CutsTheUpstreamWithinASecond(string name, string phase)
    {
        var dialect = Dialects.Of(name);
        var stream = !phase.StartsWith("whole", StringComparison.Ordinal);
        var transcript = dialect.Text("One two three four");
        var answer = phase switch
        {
            "before first output" => FakeAnswer.StallAfter([.. transcript.Handshake]),
            "mid-stream" => FakeAnswer.StallAfter(transcript.Beginning),
            "whole, inside the body" => FakeAnswer.Script(async script =>
            {
                await script.HeadAsync(200, ("Content-Type", "application/json"), ("Content-Length", "1000"));
                await script.RawAsync("{\"id\":");
                await script.StallAsync();
            }),
            _ => FakeAnswer.Silence(),
        };
        await using var rig = await Rig.StartAsync(dialect, "", (answer, ""), (FakeAnswer.Silence(), "priority: 1"));
        foreach (var reset in new[] { false, true })
        {
            var expected = rig.Upstream.Count + 1;
            using var client = await RawConnection.OpenAsync(rig.Proxy.Port);
            await client.SendAsync(RawConnection.Post(dialect.Path(Rig.Model, stream), dialect.Body(Rig.Model, "hi", stream), dialect.ClientHeaders));
            var request = await rig.Upstream.WaitForRequestAsync(expected, Patience);
            if (phase == "mid-stream") await client.ReadTextUntilAsync(transcript.Beginning[^1].TrimEnd(), Patience);
            else await Task.Delay(150);
            Assert.False(request.WasCut.IsCompleted, "the upstream was cut while the client waited");
            var gone = Stopwatch.GetTimestamp();
            if (reset) client.Reset();
            else client.Close();
            Assert.True(await request.WasCut.InTimeAsync(Patience, $"the upstream never saw that the client is gone ({(reset ? "RST" : "FIN")})\n{rig.Proxy.Log.Tail()}"));
            Assert.InRange(Stopwatch.GetElapsedTime(gone, request.CutAt).TotalSeconds, 0, 1);
        }
        Assert.Equal(0, rig.Upstreams[1].Count);
        await rig.Proxy.AssertAliveAsync();
    }

    [Fact]
    public async Task ClientGoneAfterEarlyCommit_CutsTheUpstream()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence(), "early_commit: 1s\nkeepalive_interval: 1s\n");
        using var client = await RawConnection.OpenAsync(rig.Proxy.Port);
        await client.SendAsync(RawConnection.Post(dialect.Path("", true), dialect.Body(Rig.Model, "hi", true), dialect.ClientHeaders));
        await client.ReadTextUntilAsync("ping", Patience);
        var request = rig.Upstream.Last;
        var gone = Stopwatch.GetTimestamp();
        client.Close();
        Assert.True(await request.WasCut.InTimeAsync(Patience, "no cut"));
        Assert.InRange(Stopwatch.GetElapsedTime(gone, request.CutAt).TotalSeconds, 0, 1);
    }
}
