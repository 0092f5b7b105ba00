namespace Aiproxy.Tests.EndToEnd;

/// <summary>What fails before the first output is tried elsewhere, and the client sees nothing of it.</summary>
public sealed class FailoverTests
{
    private const int Requests = 60;

    public static TheoryData<string, bool> NamesAndModes => Dialects.NamesAndModes;

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task OneRefusesOneAnswers500OneStartsWithError_EveryRequestSucceeds(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        using var refusing = new RefusingPort();
        await using var broken = new FakeUpstream(FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")));
        await using var errorFirst = new FakeUpstream(stream
            ? FakeAnswer.Sse([.. dialect.Text("x").Handshake, dialect.ErrorFrame("Overloaded")])
            : FakeAnswer.Json(200, dialect.ErrorBody(503, "Overloaded")));
        await using var good = new FakeUpstream(Good(dialect, stream));
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File(
            "",
            Yaml.Upstream("refuses", dialect, refusing.Url),
            Yaml.Upstream("broken", dialect, broken.Url),
            Yaml.Upstream("error-first", dialect, errorFirst.Url),
            Yaml.Upstream("good", dialect, good.Url)));
        for (var i = 0; i < Requests; i++)
        {
            var reply = (await proxy.SendAsync(dialect, Rig.Model, stream)).AssertStatus(200);
            Assert.False(reply.Broken);
            Assert.Equal("good", reply.Header("x-aiproxy-upstream"));
            Assert.Equal("Hello there", stream ? dialect.TextOfStream(reply.Text) : dialect.TextOfWhole(reply.Text));
            Assert.DoesNotContain("Overloaded", reply.Text);
        }
        Assert.Equal(Requests, good.Count);
        Assert.Equal(3, broken.Count);
        Assert.Equal(3, errorFirst.Count);
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task EveryKindOfFailure_IsTriedElsewhere(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        FakeAnswer[] failures =
        [
            FakeAnswer.ResetAtOnce(),
            FakeAnswer.Garbage("SSH-2.0-OpenSSH_9.6\r\n"),
            FakeAnswer.Json(400, dialect.ErrorBody(400, "No such parameter")),
            FakeAnswer.Json(404, dialect.ErrorBody(404, "No such model")),
            FakeAnswer.Json(503, dialect.ErrorBody(503, "Overloaded")),
            FakeAnswer.Whole(502, "text/html", "<html>Bad gateway</html>"u8.ToArray()),
            FakeAnswer.Json(200, ""),
            FakeAnswer.Whole(200, "text/html", "<html>Log in</html>"u8.ToArray()),
            FakeAnswer.Sse(),
            FakeAnswer.Json(302, "", ("Location", "http://127.0.0.1:1/")),
            FakeAnswer.Json(200, "{\"half\":"),
            // The last one: it may rest the only credential.
            FakeAnswer.Json(429, dialect.ErrorBody(429, "Slow down")),
        ];
        await using var bad = new FakeUpstream(FakeAnswer.Silence());
        await using var good = new FakeUpstream(Good(dialect, stream));
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File(
            Yaml.NoCircuits, Yaml.Upstream("bad", dialect, bad.Url), Yaml.Upstream("good", dialect, good.Url, "priority: 1")));
        for (var i = 0; i < failures.Length; i++)
        {
            bad.Answer(failures[i]);
            var seen = bad.Count;
            var reply = (await proxy.SendAsync(dialect, Rig.Model, stream)).AssertStatus(200);
            Assert.True(reply.Header("x-aiproxy-upstream") == "good", $"failure {i}");
            Assert.True(bad.Count > seen, $"failure {i} was never tried");
        }
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task Attempts_AreCountedInTheHeader(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var bad = FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal"));
        await using var rig = await Rig.StartAsync(dialect, "", (bad, ""), (bad, "priority: 1"), (Good(dialect, stream), "priority: 2"));
        var reply = (await rig.SendAsync(stream)).AssertStatus(200);
        Assert.Equal("3", reply.Header("x-aiproxy-attempts"));
        Assert.Equal("u3", reply.Header("x-aiproxy-upstream"));
        Assert.Equal([1, 1, 1], rig.Upstreams.Select(upstream => upstream.Count));
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task FailedAttempts_SendTheSameBytesAgain(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var bad = FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal"));
        await using var rig = await Rig.StartAsync(
            dialect, "", (bad, $"model_mappings: {{{Rig.Model}: first-name}}"), (Good(dialect, stream), $"priority: 1\nmodel_mappings: {{'m-*': second-name}}"));
        (await rig.SendAsync(stream)).AssertStatus(200);
        var first = rig.Upstreams[0].Last;
        var second = rig.Upstreams[1].Last;
        Assert.Equal("first-name", dialect.ModelOf(first));
        Assert.Equal("second-name", dialect.ModelOf(second));
        Assert.Equal(first.Text.Replace("first-name", "second-name", StringComparison.Ordinal), second.Text);
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task SeveralBaseUrls_AreTriedInsideOneVisit(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        using var refusing = new RefusingPort();
        await using var good = new FakeUpstream(Good(dialect, stream));
        await using var proxy = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("two", dialect, $"[{refusing.Url}, {good.Url}/v1]")));
        for (var i = 0; i < 5; i++) (await proxy.SendAsync(dialect, Rig.Model, stream)).AssertStatus(200);
        Assert.Equal(5, good.Count);
        Assert.Equal(dialect.Path(Rig.Model, stream).Split('?')[0].TrimStart('/').Split('/')[^1], good.Last.Target.Split('?')[0].Split('/')[^1]);
    }

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task EmptyButFinishedAnswer_IsAnAnswer(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var transcript = dialect.Text("");
        var empty = stream
            ? FakeAnswer.Sse([.. transcript.Handshake, .. transcript.Terminal])
            : FakeAnswer.Json(dialect.Whole(""));
        await using var rig = await Rig.StartAsync(dialect, "", (empty, ""), (Good(dialect, stream), "priority: 1"));
        var reply = (await rig.SendAsync(stream)).AssertStatus(200);
        Assert.Equal("u1", reply.Header("x-aiproxy-upstream"));
        if (stream) Assert.True(dialect.LooksComplete(reply.Text));
    }

    private static FakeAnswer Good(IDialect dialect, bool stream) =>
        stream ? FakeAnswer.Sse(dialect.Text("Hello there").Frames) : FakeAnswer.Json(dialect.Whole("Hello there"));
}
