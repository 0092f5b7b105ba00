using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The clocks of an exchange, with small values.</summary>
public sealed class TimeoutTests
{
    public static TheoryData<string> Names => Dialects.Names;

    [Fact]
    public async Task ConnectTimeout_FailsOver()
    {
        AiproxyBinary.Require();
        using var full = await FullBacklog.TryCreateAsync();
        if (full is null) Assert.Skip("this kernel goes on accepting for a listener whose queue is full");
        var dialect = Dialects.Anthropic;
        await using var good = new FakeUpstream(FakeAnswer.Json(dialect.Whole("a")));
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File(
            "connect_timeout: 500ms\n", Yaml.Upstream("full", dialect, full.Url), Yaml.Upstream("good", dialect, good.Url, "priority: 1")));
        var start = Stopwatch.GetTimestamp();
        Assert.Equal("good", (await proxy.SendAsync(dialect, Rig.Model, false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.4, 5);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task HeadersTimeout_FailsOverAndThenIs504(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, "upstream_request_timeout: 700ms\n", (FakeAnswer.Silence(), ""), (FakeAnswer.Sse(dialect.Text("Hello").Frames), "priority: 1"));
        var start = Stopwatch.GetTimestamp();
        Assert.Equal("u2", (await rig.SendAsync(stream: true)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.6, 5);
        rig.Upstreams[1].Answer(FakeAnswer.Silence());
        dialect.Envelope(504, (await rig.SendAsync(stream: true)).AssertStatus(504).Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task WholeAnswer_HasAtLeastTheIdleTimeToItsHeaders(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await Task.Delay(1200, answer.PeerGone);
                await FakeAnswer.Json(dialect.Whole("late")).PlayAsync(answer);
            }),
            "upstream_request_timeout: 500ms\nstream_idle_timeout: 2500ms\n");
        (await rig.SendAsync(stream: false)).AssertStatus(200);
        rig.Upstream.Answer(FakeAnswer.Silence());
        var start = Stopwatch.GetTimestamp();
        dialect.Envelope(504, (await rig.SendAsync(stream: false)).AssertStatus(504).Text);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 2.3, 6);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task FirstTokenTimeout_FailsOver(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect,
            "first_token_timeout: 700ms\n",
            (FakeAnswer.StallAfter([.. dialect.Text("x").Handshake]), ""),
            (FakeAnswer.Sse(dialect.Text("Hello").Frames), "priority: 1"));
        var start = Stopwatch.GetTimestamp();
        Assert.Equal("u2", (await rig.SendAsync(stream: true)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.6, 5);
        Assert.True(await rig.Upstream.Last.WasCut.InTimeAsync(TimeSpan.FromSeconds(2), "the abandoned attempt goes on"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task IdleTimeout_IsToldInsideTheStream(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.StallAfter(dialect.Text("One two three four").Beginning), "stream_idle_timeout: 1s\n");
        var start = Stopwatch.GetTimestamp();
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.9, 6);
        Assert.True(dialect.TellsFailure(reply.Text), reply.Text);
        Assert.False(dialect.LooksComplete(reply.Text), reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task StreamThatFlows_IsNotLimited(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two three four five six");
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                foreach (var frame in transcript.Frames)
                {
                    await answer.ChunkAsync(frame);
                    await Task.Delay(250, answer.PeerGone);
                }
                await answer.EndAsync();
            }),
            "upstream_request_timeout: 1s\nstream_idle_timeout: 1s\nfirst_token_timeout: 1s\ntotal_timeout: 1s\nconnect_timeout: 1s\n");
        Assert.Equal(transcript.All, (await rig.SendAsync(stream: true)).AssertStatus(200).Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task TotalTimeout_EndsAllAttempts(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect, "total_timeout: 1500ms\nupstream_request_timeout: 1s\n", (FakeAnswer.Silence(), ""), (FakeAnswer.Silence(), "priority: 1"), (FakeAnswer.Silence(), "priority: 2"));
        var start = Stopwatch.GetTimestamp();
        dialect.Envelope(504, (await rig.SendAsync(stream: true)).AssertStatus(504).Text);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 1.3, 5);
        Assert.Equal([1, 1, 0], rig.Upstreams.Select(upstream => upstream.Count));
    }

    [Fact]
    public async Task UpstreamsOwnClocks_WinOverTheGlobal()
    {
        var dialect = Dialects.Chat;
        await using var rig = await Rig.StartAsync(
            dialect, "upstream_request_timeout: 30s\n", (FakeAnswer.Silence(), "timeout: 500ms"), (FakeAnswer.Sse(dialect.Text("Hello").Frames), "priority: 1"));
        var start = Stopwatch.GetTimestamp();
        (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.4, 5);
    }
}
