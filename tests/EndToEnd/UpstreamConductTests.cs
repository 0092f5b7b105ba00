using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Upstreams that talk too much, too late, or hang up between requests.</summary>
public sealed class UpstreamConductTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Names => Dialects.Names;

    public static TheoryData<string, bool> NamesAndModes => Dialects.NamesAndModes;

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task UpstreamThatClosesAfterEveryAnswer_CostsNoAttempt(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var answer = stream ? FakeAnswer.Sse(dialect.Text("Hello").Frames) : FakeAnswer.Json(dialect.Whole("Hello"));
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async script =>
        {
            await answer.PlayAsync(script);
            // Without a word of warning: the next request may already be on its way over this connection.
            script.Close();
        }));
        for (var i = 0; i < 40; i++) Assert.Equal("1", (await rig.SendAsync(stream)).AssertStatus(200).Header("x-aiproxy-attempts"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ConnectionDroppedBeforeAnyAnswerByte_IsRetriedOnceInsideTheVisit(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence());
        // The second request of every connection finds it dead.
        var seen = new Dictionary<int, int>();
        rig.Upstream.Answer(request =>
        {
            lock (seen)
            {
                seen[request.Connection] = seen.GetValueOrDefault(request.Connection) + 1;
                return seen[request.Connection] == 2 ? FakeAnswer.ResetAtOnce() : FakeAnswer.Json(dialect.Whole("Hello"));
            }
        });
        for (var i = 0; i < 10; i++) Assert.Equal("1", (await rig.SendAsync(false)).AssertStatus(200).Header("x-aiproxy-attempts"));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public async Task WhatFollowsTheTerminal_IsNotPassedOn(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Sse([.. transcript.Frames, .. transcript.Output, dialect.ErrorFrame("too late")]));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.Equal(transcript.All, reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task EventWithoutEnd_IsBoundedAndToldAsFailure(string name)
    {
        var dialect = Dialects.Of(name);
        var beginning = dialect.Text("One two three four").Beginning;
        var block = new string('x', 1 << 20);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
        {
            await answer.StreamHeadAsync();
            await answer.ChunkAsync(string.Concat(beginning) + "data: {\"x\":\"");
            for (var i = 0; i < 80; i++) await answer.ChunkAsync(block);
            await answer.StallAsync();
        }));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.True(dialect.TellsFailure(reply.Text), $"{reply.Text.Length} characters");
        Assert.False(dialect.LooksComplete(reply.Text));
        Assert.True(await rig.Upstream.Last.WasCut.InTimeAsync(Patience, "the upstream goes on"));
        await rig.Proxy.AssertAliveAsync();
    }

    [Theory, MemberData(nameof(Names))]
    public async Task WholeAnswerOver64MB_IsRefused(string name)
    {
        var dialect = Dialects.Of(name);
        var block = new string('x', 1 << 20);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
        {
            await answer.HeadAsync(200, ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked"));
            await answer.ChunkAsync("{\"x\":\"");
            for (var i = 0; i < 70; i++) await answer.ChunkAsync(block);
            await answer.ChunkAsync("\"," + dialect.Whole("late")[1..]);
            await answer.EndAsync();
        }));
        var reply = await rig.SendAsync(stream: false);
        Assert.True(reply.Status is 502 or 503 or 500, $"{reply.Status}");
        await rig.Proxy.AssertAliveAsync();
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public async Task HandshakeOver4MB_CommitsInsteadOfBeingHeld(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        var filler = string.Concat(Enumerable.Repeat(": " + new string('c', 1000) + "\n\n", 5000));
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
        {
            await answer.StreamHeadAsync();
            await answer.ChunkAsync(string.Concat(transcript.Handshake) + filler);
            await answer.GateAsync(gate.Task);
            await answer.ChunkAsync(string.Concat(transcript.Output) + string.Concat(transcript.Terminal));
            await answer.EndAsync();
        }));
        await using var reply = (await rig.OpenAsync(stream: true)).AssertStatus(200);
        await reply.ReadUntilAsync(text => text.Length > 1_000_000, Patience, "what was held");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.Equal("One two", dialect.TextOfStream(reply.Text));
    }

    [Fact]
    public async Task ProxyVariablesOfTheEnvironment_DoNotCaptureLoopback()
    {
        var dialect = Dialects.Anthropic;
        using var refusing = new RefusingPort();
        await using var upstream = new FakeUpstream(FakeAnswer.Json(dialect.Whole("a")));
        await using var proxy = await ProxyProcess.StartAsync(
            Yaml.File("", Yaml.Upstream("u1", dialect, upstream.Url)),
            new Dictionary<string, string> { ["http_proxy"] = refusing.Url, ["HTTP_PROXY"] = refusing.Url, ["https_proxy"] = refusing.Url, ["ALL_PROXY"] = refusing.Url, ["no_proxy"] = "" });
        (await proxy.SendAsync(dialect, Rig.Model, false)).AssertStatus(200);
    }

    [Fact]
    public async Task OutgoingProxy_IsUsed()
    {
        var dialect = Dialects.Anthropic;
        await using var relay = new FakeUpstream(FakeAnswer.Json(dialect.Whole("through the relay")));
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("u1", dialect, "http://upstream.invalid", $"outgoing_proxy: {relay.Url}")));
        Assert.Equal("through the relay", dialect.TextOfWhole((await proxy.SendAsync(dialect, Rig.Model, false)).AssertStatus(200).Text));
        Assert.Equal("http://upstream.invalid/v1/messages", relay.Last.Target);
    }

    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        var dialect = Dialects.Anthropic;
        await using var elsewhere = new FakeUpstream(FakeAnswer.Json(dialect.Whole("a")));
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(307, "", ("Location", elsewhere.Url + "/v1/messages")));
        var reply = await rig.SendAsync(false);
        Assert.True(reply.Status >= 500, $"{reply.Status}");
        Assert.Equal(0, elsewhere.Count);
    }

    [Theory]
    [InlineData("fail", 418, 1, 0)]
    [InlineData("next", 200, 1, 1)]
    [InlineData("ignore", 200, 1, 1)]
    public async Task ErrorRule_WinsOverTheBuiltInJudgement(string action, int status, int first, int second)
    {
        var dialect = Dialects.Anthropic;
        var teapot = FakeAnswer.Json(418, dialect.ErrorBody(418, "I am a Teapot"));
        await using var rig = await Rig.StartAsync(
            dialect, "", (teapot, $"error_rules: [{{status: 418, body_contains: teapot, action: {action}}}]"), (FakeAnswer.Json(dialect.Whole("a")), "priority: 1"));
        (await rig.SendAsync(false)).AssertStatus(status);
        Assert.Equal([first, second], rig.Upstreams.Select(upstream => upstream.Count));
    }

    [Fact]
    public async Task AnswerOfTheWrongKind_IsNoCrash()
    {
        foreach (var dialect in Dialects.List)
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Sse(dialect.Text("One two").Frames));
            // A whole answer was asked for and a stream came, and the other way round: collected, converted or refused, but answered.
            var whole = await rig.SendAsync(stream: false);
            Assert.True(whole.Status == 200 ? JsonLook.IsJson(whole.Text) : whole.Status >= 500, $"{dialect.Name}: {whole.Status} {whole.Text}");
            rig.Upstream.Answer(FakeAnswer.Json(dialect.Whole("One two")));
            var stream = await rig.SendAsync(stream: true);
            Assert.True(stream.Status == 200 ? dialect.LooksComplete(stream.Text) : stream.Status >= 500, $"{dialect.Name}: {stream.Status} {stream.Text}");
            await rig.Proxy.AssertAliveAsync();
        }
    }

    [Fact]
    public async Task BodyOfBrokenUtf8_IsForwardedOrRefusedButNeverChanged()
    {
        foreach (var dialect in Dialects.List)
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")));
            var good = Encoding.UTF8.GetBytes(dialect.Body(Rig.Model, "MARK", false));
            var at = good.AsSpan().IndexOf("MARK"u8);
            byte[] body = [.. good.AsSpan(0, at), 0xC3, 0x28, 0xFF, .. good.AsSpan(at)];
            var reply = await rig.Proxy.PostAsync(dialect.Path(Rig.Model, false), body, dialect.ClientHeaders);
            if (reply.Status == 200) Assert.Equal(body, rig.Upstream.Last.Body);
            else dialect.Envelope(400, reply.AssertStatus(400).Text);
        }
    }
}
