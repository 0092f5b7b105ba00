using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a streaming client sees when all goes well.</summary>
public sealed class StreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task FirstOutput_LeavesWithoutWaitingForMore(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two three");
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(dialect, Gated(gate, [.. transcript.Handshake, transcript.Output[0]], [.. transcript.Output.Skip(1), .. transcript.Terminal]));
        await using var reply = await rig.OpenAsync(stream: true);
        reply.AssertStatus(200);
        await reply.ReadUntilAsync(transcript.Output[0], Patience);
        Assert.Equal(string.Concat(transcript.Handshake) + transcript.Output[0], reply.Text);
        gate.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.Equal(transcript.All, reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task EveryEvent_LeavesAsItArrives(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two three four five");
        var gates = transcript.Frames.Select(_ => new TaskCompletionSource()).ToArray();
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
        {
            await answer.StreamHeadAsync();
            for (var i = 0; i < gates.Length; i++)
            {
                await answer.GateAsync(gates[i].Task);
                await answer.ChunkAsync(transcript.Frames[i]);
            }
            await answer.EndAsync();
        }));
        for (var i = 0; i <= transcript.Handshake.Count; i++) gates[i].SetResult();
        await using var reply = await rig.OpenAsync(stream: true);
        for (var i = transcript.Handshake.Count; i < gates.Length; i++)
        {
            gates[i].TrySetResult();
            var expected = string.Concat(transcript.Frames.Take(i + 1));
            await reply.ReadUntilAsync(text => text == expected, Patience, expected);
        }
        await reply.ReadToEndAsync(Patience);
        Assert.False(reply.Broken);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task StreamOfSingleBytes_ArrivesWhole(string name)
    {
        var dialect = Dialects.Of(name);
        foreach (var transcript in new[] { dialect.Text("One é 😀"), dialect.Tool(), dialect.Thinking() })
        {
            var bytes = Encoding.UTF8.GetBytes(transcript.All);
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                for (var i = 0; i < bytes.Length; i++) await answer.ChunkAsync(bytes.AsMemory(i, 1));
                await answer.EndAsync();
            }));
            Assert.Equal(transcript.All, (await rig.SendAsync(stream: true)).AssertStatus(200).Text);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task HandshakeThenError_FailsOver(string name)
    {
        var dialect = Dialects.Of(name);
        var good = dialect.Text("Hello there");
        await using var rig = await Rig.StartAsync(
            dialect,
            "",
            (FakeAnswer.Sse([.. dialect.Text("x").Handshake, dialect.ErrorFrame("Overloaded")]), ""),
            (FakeAnswer.CutSse([.. dialect.Text("x").Handshake]), "priority: 1"),
            (FakeAnswer.Sse([.. dialect.Text("x").Handshake]), "priority: 2"),
            (FakeAnswer.Sse(good.Frames), "priority: 3"));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.Equal(good.All, reply.Text);
        Assert.Equal("u4", reply.Header("x-aiproxy-upstream"));
        Assert.Equal("4", reply.Header("x-aiproxy-attempts"));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task ToolCallOrReasoningFirst_Commits(string name)
    {
        var dialect = Dialects.Of(name);
        foreach (var transcript in new[] { dialect.Tool(), dialect.Thinking() })
        {
            var seen = new TaskCompletionSource();
            await using var rig = await Rig.StartAsync(
                dialect,
                "",
                (FakeAnswer.BreakingSse(seen.Task, "cut", "", [.. transcript.Handshake, transcript.Output[0]]), ""),
                (FakeAnswer.Sse(dialect.Text("b").Frames), "priority: 1"));
            await using var reply = (await rig.OpenAsync(stream: true)).AssertStatus(200);
            await reply.ReadUntilAsync(transcript.Output[0], Patience);
            seen.SetResult();
            await reply.ReadToEndAsync(Patience);
            Assert.Equal("u1", reply.Header("x-aiproxy-upstream"));
            Assert.Equal(0, rig.Upstreams[1].Count);
            Assert.StartsWith(string.Concat(transcript.Handshake) + transcript.Output[0], reply.Text);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task MissingFinalBlankLine_IsAdded(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        foreach (var cut in new[] { 1, 2 })
        {
            var bare = transcript.All.TrimEnd('\r', '\n') + (cut == 1 ? "\n" : "");
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Sse(bare));
            var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
            Assert.StartsWith(bare, reply.Text);
            Assert.Equal(SseText.Parse(transcript.All).Select(block => block.Data), SseText.Parse(reply.Text).Select(block => block.Data));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task CloseDelimitedStream_IsWhole(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("One two");
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Script(async answer =>
        {
            await answer.HeadAsync(200, ("Content-Type", "text/event-stream"), ("Connection", "close"));
            await answer.RawAsync(transcript.All);
            answer.Close();
        }));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.Equal(transcript.All, reply.Text);
        Assert.False(reply.Broken);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task LongStream_ArrivesWhole(string name)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text(string.Join(' ', Enumerable.Range(0, 20_000)));
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Sse(transcript.All));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.True(transcript.All == reply.Text, $"{transcript.All.Length} characters sent, {reply.Text.Length} came");
    }

    [Fact]
    public async Task ManyStreamsAtOnce_AreNotMixedUp()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence());
        rig.Upstream.Answer(request => FakeAnswer.Sse(dialect.Text($"for {dialect.ModelOf(request)} only").Frames));
        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => rig.Proxy.SendAsync(dialect, $"m-{i}", true)));
        for (var i = 0; i < replies.Length; i++) Assert.Equal($"for m-{i} only", dialect.TextOfStream(replies[i].AssertStatus(200).Text));
    }

    private static FakeAnswer Gated(TaskCompletionSource gate, string[] before, string[] after) => FakeAnswer.Script(async answer =>
    {
        await answer.StreamHeadAsync();
        await answer.ChunkAsync(string.Concat(before));
        await answer.GateAsync(gate.Task);
        await answer.ChunkAsync(string.Concat(after));
        await answer.EndAsync();
    });
}
