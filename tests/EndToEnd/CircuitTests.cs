using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

public sealed class CircuitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task ThirdFailureInARow_OpensForThatModelOnly(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect, "");
        for (var i = 0; i < 6; i++) Assert.Equal("u2", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream"));
        Assert.Equal(3, rig.Upstream.Count);
        (await rig.Proxy.SendAsync(dialect, "m-other", false)).AssertStatus(200);
        Assert.Equal(4, rig.Upstream.Count);
    }

    [Fact]
    public async Task SuccessBetweenFailures_StartsTheCountAgain()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await StartAsync(dialect, "");
        for (var round = 0; round < 3; round++)
        {
            rig.Upstream.Answer(FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")));
            for (var i = 0; i < 2; i++) await rig.SendAsync(false);
            rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("a")));
            Assert.Equal("u1", (await rig.SendAsync(false)).Header("x-aiproxy-upstream"));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task AfterFirstProbe_OneRequestProbesAndClosesIt(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await StartAsync(dialect, "circuit_breaker: {failures: 3, recovery: 1s, first_probe: 1s}\n");
        for (var i = 0; i < 3; i++) await rig.SendAsync(false);
        var opened = Stopwatch.GetTimestamp();
        var gate = new TaskCompletionSource();
        rig.Upstream.Forget();
        rig.Upstream.Answer(FakeAnswer.Script(async answer =>
        {
            await answer.GateAsync(gate.Task);
            await FakeAnswer.Json(dialect.Whole("recovered")).PlayAsync(answer);
        }));
        // Only a probe waits at the gate, so requests are sent without waiting for them.
        var sent = new List<Task<LiveReply>>();
        while (rig.Upstream.Count == 0 && Stopwatch.GetElapsedTime(opened) < Patience)
        {
            sent.Add(rig.SendAsync(false));
            await Task.Delay(50);
        }
        Assert.True(Stopwatch.GetElapsedTime(opened).TotalSeconds > 0.9, "the probe came before its time");
        for (var i = 0; i < 6; i++) sent.Add(rig.SendAsync(false));
        await Eventually.TrueAsync(() => sent.Count(call => !call.IsCompleted) == 1, Patience, () => "more than the probe hangs");
        Assert.Equal(1, rig.Upstream.Count);
        gate.SetResult();
        var replies = await Task.WhenAll(sent);
        Assert.All(replies, reply => reply.AssertStatus(200));
        Assert.Equal(1, replies.Count(reply => reply.Header("x-aiproxy-upstream") == "u1"));
        Assert.Equal("u1", (await rig.SendAsync(false)).Header("x-aiproxy-upstream"));
    }

    [Fact]
    public async Task FailedProbe_OpensAgain()
    {
        await using var rig = await StartAsync(Dialects.Anthropic, "circuit_breaker: {failures: 1, recovery: 1s, first_probe: 1s}\n");
        await rig.SendAsync(false);
        rig.Upstream.Forget();
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 2.7)
        {
            (await rig.SendAsync(false)).AssertStatus(200);
            await Task.Delay(30);
        }
        Assert.InRange(rig.Upstream.Count, 1, 2);
    }

    [Fact]
    public async Task CancelledProbe_FreesItsPlace()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await StartAsync(dialect, "circuit_breaker: {failures: 1, recovery: 1s, first_probe: 1s}\n");
        await rig.SendAsync(false);
        rig.Upstream.Forget();
        rig.Upstream.Answer(FakeAnswer.Silence());
        await Task.Delay(1200);
        using (var cancel = new CancellationTokenSource())
        {
            var body = System.Text.Encoding.UTF8.GetBytes(dialect.Body(Rig.Model, "hi", false));
            var call = rig.Proxy.OpenAsync(HttpMethod.Post, dialect.Path("", false), body, [], cancel.Token);
            var probe = await rig.Upstream.WaitForRequestAsync(1, Patience);
            await cancel.CancelAsync();
            Assert.True(await probe.WasCut.InTimeAsync(Patience, "the probe was not cut"));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }
        rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("a")));
        await Eventually.TrueAsync(
            async () => (await rig.SendAsync(false)).Header("x-aiproxy-upstream") == "u1", TimeSpan.FromSeconds(3), () => "the place of the cancelled probe stayed taken");
    }

    [Fact]
    public async Task HangUps_NeverCount()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await StartAsync(dialect, "circuit_breaker: {failures: 1, recovery: 30m, first_probe: 30m}\n");
        rig.Upstream.Answer(FakeAnswer.Silence());
        for (var i = 1; i <= 4; i++)
        {
            using var raw = await RawConnection.OpenAsync(rig.Proxy.Port);
            await raw.SendAsync(RawConnection.Post(dialect.Path("", false), dialect.Body(Rig.Model, "hi", false)));
            var request = await rig.Upstream.WaitForRequestAsync(i, Patience);
            raw.Close();
            Assert.True(await request.WasCut.InTimeAsync(Patience, "no cut"));
        }
        rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("a")));
        Assert.Equal("u1", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-upstream"));
    }

    [Fact]
    public async Task RequestFaults_CountOnlyWhenAnotherAccepts()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await StartAsync(dialect, "");
        var refuses = FakeAnswer.Json(400, dialect.ErrorBody(400, "thinking-token-count: Extra inputs are not permitted"));
        rig.Upstreams[0].Answer(refuses);
        rig.Upstreams[1].Answer(refuses);
        for (var i = 0; i < 6; i++) (await rig.SendAsync(false)).AssertStatus(400);
        Assert.Equal([6, 6], rig.Upstreams.Select(upstream => upstream.Count));
        rig.Upstreams[1].Answer(FakeAnswer.Json(dialect.Whole("a")));
        for (var i = 0; i < 5; i++) (await rig.SendAsync(false)).AssertStatus(200);
        Assert.Equal(9, rig.Upstreams[0].Count);
    }

    [Fact]
    public async Task UnavailableModels_AreListedAndReset()
    {
        var dialect = Dialects.Chat;
        await using var rig = await StartAsync(dialect, "");
        Assert.Equal("[]", (await rig.Proxy.GetAsync("/unavailable-models")).AssertStatus(200).Text.Trim());
        for (var i = 0; i < 3; i++) await rig.SendAsync(false);
        var list = (await rig.Proxy.GetAsync("/unavailable-models")).AssertStatus(200).Text;
        Assert.Equal(1, JsonLook.At(list)!.Value.GetArrayLength());
        Assert.Equal("u1", JsonLook.Text(list, 0, "upstream_name"));
        Assert.Equal(Rig.Model, JsonLook.Text(list, 0, "model_name"));
        Assert.InRange(JsonLook.Number(list, 0, "time_to_reset")!.Value, 1, 60);
        (await rig.Proxy.PostAsync("/reset-model", "{")).AssertStatus(400);
        (await rig.Proxy.PostAsync("/reset-model", "{\"upstream_name\":\"u1\"}")).AssertStatus(400);
        var missing = (await rig.Proxy.PostAsync("/reset-model", "{\"upstream_name\":\"u2\",\"model_name\":\"m-1\"}")).AssertStatus(404);
        Assert.Equal("model is not unavailable", JsonLook.Text(missing.Text, "error"));
        var reset = (await rig.Proxy.PostAsync("/reset-model", "{\"upstream_name\":\"u1\",\"model_name\":\"m-1\"}")).AssertStatus(200);
        Assert.Equal("ok", JsonLook.Text(reset.Text, "status"));
        rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("a")));
        Assert.Equal("u1", (await rig.SendAsync(false)).Header("x-aiproxy-upstream"));
        Assert.Equal("[]", (await rig.Proxy.GetAsync("/unavailable-models")).Text.Trim());
    }

    /// <summary>The first of two upstreams answers 500, the second is good and only used when the first cannot.</summary>
    private static Task<Rig> StartAsync(IDialect dialect, string globals) => Rig.StartAsync(
        dialect, globals, (FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), ""), (FakeAnswer.Json(dialect.Whole("a")), "priority: 1"));
}
