namespace Aiproxy.Tests.EndToEnd;

/// <summary>After the first output a failure is told in the client's protocol, and the stream never looks complete.</summary>
public sealed class BrokenStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static TheoryData<string, string> NamesAndBreaks
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var dialect in Dialects.List)
                foreach (var how in new[] { "cut", "reset", "clean end", "error", "half an event", "bad json" }) rows.Add(dialect.Name, how);
            return rows;
        }
    }

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(NamesAndBreaks))]
    public async Task BreakAfterCommit_IsToldAndNeverLooksComplete(string name, string how)
    {
        var dialect = Dialects.Of(name);
        var beginning = dialect.Text("One two three four").Beginning;
        var seen = new TaskCompletionSource();
        var last = how switch
        {
            "half an event" => dialect.Text("x").Output[0][..20],
            "bad json" => "data: {\"broken\": \n\n",
            "error" => dialect.ErrorFrame("The model is overloaded"),
            _ => "",
        };
        var end = how == "half an event" ? "cut" : how;
        await using var rig = await Rig.StartAsync(
            dialect, "", (FakeAnswer.BreakingSse(seen.Task, end, last, beginning), ""), (FakeAnswer.Sse(dialect.Text("Second").Frames), "priority: 1"));
        await using var reply = (await rig.OpenAsync(stream: true)).AssertStatus(200);
        // Until the client has seen output the proxy may still, and rightly, try elsewhere.
        await reply.ReadUntilAsync(string.Concat(beginning), Patience);
        seen.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.StartsWith(string.Concat(beginning), reply.Text);
        Assert.False(dialect.LooksComplete(reply.Text), reply.Text);
        Assert.True(dialect.TellsFailure(reply.Text), reply.Text);
        Assert.Equal(0, rig.Upstreams[1].Count);
        Assert.DoesNotContain("[DONE]", reply.Text);
        Assert.DoesNotContain("Second", reply.Text);
        await rig.Proxy.AssertAliveAsync();
    }

    [Theory, MemberData(nameof(Names))]
    public async Task BreakInsideToolCall_LeavesTheBlockOpen(string name)
    {
        var dialect = Dialects.Of(name);
        var tool = dialect.Tool();
        var seen = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.BreakingSse(seen.Task, "cut", "", [.. tool.Handshake, .. tool.Output.Take(2)]));
        await using var reply = await rig.OpenAsync(stream: true);
        await reply.ReadUntilAsync(tool.Output[1], Patience);
        seen.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.True(dialect.TellsFailure(reply.Text), reply.Text);
        Assert.False(dialect.LooksComplete(reply.Text), reply.Text);
        Assert.DoesNotContain("content_block_stop", reply.Text);
        Assert.DoesNotContain("output_item.done", reply.Text);
    }

    [Fact]
    public async Task AnthropicStopReasonSeen_IsCompleteWithoutMessageStop()
    {
        var transcript = Dialects.Anthropic.Text("One two");
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Sse([.. transcript.Handshake, .. transcript.Output, transcript.Terminal[0]]));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.DoesNotContain("event: error", reply.Text);
    }

    [Fact]
    public async Task ChatFinishReasonSeen_IsCompleteWithoutDone()
    {
        var transcript = Dialects.Chat.Text("One two");
        await using var rig = await Rig.StartAsync(Dialects.Chat, FakeAnswer.Sse([.. transcript.Handshake, .. transcript.Output, transcript.Terminal[0]]));
        var reply = (await rig.SendAsync(stream: true)).AssertStatus(200);
        Assert.DoesNotContain("\"error\"", reply.Text);
        Assert.True(Dialects.Chat.LooksComplete(reply.Text));
    }

    [Fact]
    public async Task ResponsesFailedByUpstream_KeepsItsCode()
    {
        var beginning = Dialects.Responses.Text("One two three four").Beginning;
        var failed = """
            event: response.failed
            data: {"type":"response.failed","response":{"id":"resp_1","object":"response","status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"try again in 1.5s"}},"sequence_number":9}


            """.Replace("\r\n", "\n", StringComparison.Ordinal);
        var seen = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(Dialects.Responses, FakeAnswer.BreakingSse(seen.Task, "end", failed, beginning));
        await using var reply = await rig.OpenAsync(stream: true);
        await reply.ReadUntilAsync(beginning[^1], Patience);
        seen.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.True(Dialects.Responses.TellsFailure(reply.Text), reply.Text);
        Assert.Equal("rate_limit_exceeded", JsonLook.Text(SseText.Parse(reply.Text)[^1].Data!, "response", "error", "code"));
        Assert.Contains("try again in 1.5s", reply.Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GeminiArrayBroken_StaysJsonAndEndsWithAnError(bool clean)
    {
        var pieces = GeminiDialect.Array("One two three four").Take(3).ToArray();
        var seen = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(Dialects.Gemini, FakeAnswer.Script(async answer =>
        {
            // An upstream is asked for either framing; it answers in the one that was asked for.
            if (answer.Request.Target.Contains("alt=sse", StringComparison.Ordinal)) await FakeAnswer.BreakingSse(seen.Task, clean ? "end" : "cut", "", [.. Dialects.Gemini.Text("One two three four").Output.Take(3)]).PlayAsync(answer);
            else
            {
                await answer.HeadAsync(200, ("Content-Type", "application/json; charset=UTF-8"), ("Transfer-Encoding", "chunked"));
                foreach (var piece in pieces) await answer.ChunkAsync(piece);
                await answer.GateAsync(seen.Task);
                if (clean) await answer.EndAsync();
                else answer.Close();
            }
        }));
        var body = System.Text.Encoding.UTF8.GetBytes(Dialects.Gemini.Body("", "hi", true));
        await using var reply = (await rig.Proxy.OpenAsync(HttpMethod.Post, $"/v1beta/models/{Rig.Model}:streamGenerateContent", body, [])).AssertStatus(200);
        await reply.ReadUntilAsync("three", Patience);
        seen.SetResult();
        await reply.ReadToEndAsync(Patience);
        Assert.True(JsonLook.IsJson(reply.Text), reply.Text);
        var array = JsonLook.At(reply.Text)!.Value;
        Assert.Equal(4, array.GetArrayLength());
        Assert.InRange(JsonLook.Number(reply.Text, 3, "error", "code") ?? 0, 400, 599);
        Assert.DoesNotContain("finishReason", reply.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task WholeAnswerCut_FailsOver(string name)
    {
        var dialect = Dialects.Of(name);
        var body = dialect.Whole("First");
        await using var rig = await Rig.StartAsync(
            dialect,
            "",
            (FakeAnswer.Script(async answer =>
            {
                await answer.HeadAsync(200, ("Content-Type", "application/json"), ("Content-Length", body.Length.ToString()));
                await answer.RawAsync(body[..(body.Length / 2)]);
                answer.Close();
            }), ""),
            (FakeAnswer.Json(dialect.Whole("Second")), "priority: 1"));
        var reply = (await rig.SendAsync(stream: false)).AssertStatus(200);
        Assert.Equal("Second", dialect.TextOfWhole(reply.Text));
    }
}
