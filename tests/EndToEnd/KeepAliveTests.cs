namespace Aiproxy.Tests.EndToEnd;

/// <summary>Silence towards a streaming client is filled with what its protocol bears.</summary>
public sealed class KeepAliveTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task SilenceInsideAStream_IsFilledAtEventBorders(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two three four");
        var beginning = string.Concat(transcript.Beginning);
        var rest = transcript.All[beginning.Length..];
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                // Half an event is left hanging: nothing may be written into it.
                await answer.ChunkAsync(beginning + rest[..15]);
                await answer.GateAsync(gate.Task);
                await answer.ChunkAsync(rest[15..]);
                await answer.EndAsync();
            }),
            "keepalive_interval: 1s\n");
        await using var reply = await rig.OpenAsync(stream: true);
        var own = dialect.Fillers(beginning);
        await reply.ReadUntilAsync(text => dialect.Fillers(text) >= own + 2, Patience, "two keep-alives");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.Equal("One two three four", dialect.TextOfStream(reply.Text));
        Assert.True(dialect.LooksComplete(reply.Text));
        Assert.StartsWith(beginning, reply.Text);
        Assert.EndsWith(rest, reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ZeroInterval_FillsNothing(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two three four");
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                foreach (var frame in transcript.Beginning) await answer.ChunkAsync(frame);
                await Task.Delay(1500, answer.PeerGone);
                foreach (var frame in transcript.Frames.Skip(transcript.Beginning.Length)) await answer.ChunkAsync(frame);
                await answer.EndAsync();
            }),
            "keepalive_interval: 0\nearly_commit: 0\n");
        Assert.Equal(transcript.All, (await rig.SendAsync(stream: true)).AssertStatus(200).Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task BeforeOutput_NothingIsSentWithoutEarlyCommit(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                await answer.ChunkAsync(string.Concat(transcript.Handshake));
                await Task.Delay(1500, answer.PeerGone);
                await answer.ChunkAsync(dialect.ErrorFrame("Overloaded"));
                await answer.EndAsync();
            }),
            "keepalive_interval: 500ms\nearly_commit: 0\n");
        var reply = await rig.SendAsync(stream: true);
        Assert.True(reply.Status >= 500, $"{reply.Status} {reply.Text}");
    }

    [Theory, MemberData(nameof(Names))]
    public async Task EarlyCommit_FillsAndThenTheAnswerFollows(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Script(async answer =>
            {
                await answer.GateAsync(gate.Task);
                await FakeAnswer.Sse(transcript.Frames).PlayAsync(answer);
            }),
            "keepalive_interval: 500ms\nearly_commit: 1s\n");
        await using var reply = await rig.OpenAsync(stream: true);
        reply.AssertStatus(200);
        Assert.StartsWith("text/event-stream", reply.Header("Content-Type"));
        await reply.ReadUntilAsync(text => Fillers(dialect, text) >= 2, Patience, "two keep-alives");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.EndsWith(transcript.All, reply.Text);
        Assert.Equal("One two", dialect.TextOfStream(reply.Text));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task EarlyCommit_FailureIsToldInsideTheStream(string name)
    {
        var dialect = Dialects.Of(name);
        var gate = new TaskCompletionSource();
        var late = FakeAnswer.Script(async answer =>
        {
            await answer.GateAsync(gate.Task);
            await FakeAnswer.Json(503, dialect.ErrorBody(503, "Overloaded")).PlayAsync(answer);
        });
        await using var rig = await Rig.StartAsync(
            dialect, "keepalive_interval: 500ms\nearly_commit: 1s\n", (late, ""), (FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), "priority: 1"));
        await using var reply = await rig.OpenAsync(stream: true);
        reply.AssertStatus(200);
        await reply.ReadUntilAsync(text => Fillers(dialect, text) >= 1, Patience, "a keep-alive");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.True(dialect.TellsFailure(reply.Text), reply.Text);
        Assert.False(dialect.LooksComplete(reply.Text), reply.Text);
        Assert.Equal(1, rig.Upstreams[1].Count);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task EarlyCommit_AttemptsGoOnBehindIt(string name)
    {
        var dialect = Dialects.Of(name);
        var gate = new TaskCompletionSource();
        var transcript = dialect.Text("One two");
        var late = FakeAnswer.Script(async answer =>
        {
            await answer.GateAsync(gate.Task);
            await FakeAnswer.Json(503, dialect.ErrorBody(503, "Overloaded")).PlayAsync(answer);
        });
        await using var rig = await Rig.StartAsync(dialect, "keepalive_interval: 500ms\nearly_commit: 1s\n", (late, ""), (FakeAnswer.Sse(transcript.Frames), "priority: 1"));
        await using var reply = await rig.OpenAsync(stream: true);
        await reply.ReadUntilAsync(text => Fillers(dialect, text) >= 1, Patience, "a keep-alive");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.EndsWith(transcript.All, reply.Text);
    }

    [Fact]
    public async Task GeminiArray_IsFilledWithSpaces()
    {
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(
            Dialects.Gemini,
            FakeAnswer.Script(async answer =>
            {
                var sse = answer.Request.Target.Contains("alt=sse", StringComparison.Ordinal);
                var pieces = sse ? Dialects.Gemini.Text("One two").Frames : GeminiDialect.Array("One two");
                await answer.HeadAsync(200, ("Content-Type", sse ? "text/event-stream" : "application/json"), ("Transfer-Encoding", "chunked"));
                await answer.ChunkAsync(pieces[0]);
                await answer.GateAsync(gate.Task);
                foreach (var piece in pieces.Skip(1)) await answer.ChunkAsync(piece);
                await answer.EndAsync();
            }),
            "keepalive_interval: 1s\n");
        await using var reply = await rig.Proxy.OpenAsync(
            HttpMethod.Post, $"/v1beta/models/{Rig.Model}:streamGenerateContent", System.Text.Encoding.UTF8.GetBytes(Dialects.Gemini.Body("", "hi", true)), []);
        await reply.ReadUntilAsync(text => text.EndsWith("  ", StringComparison.Ordinal), Patience, "two spaces");
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.Equal(3, JsonLook.At(reply.Text)?.GetArrayLength());
    }

    /// <summary>Before its start event a Responses stream is filled with comments, later with events.</summary>
    private static int Fillers(IDialect dialect, string text) =>
        dialect.Name == "responses" ? SseText.Parse(text).Count(block => block.IsComment) : dialect.Fillers(text);
}
