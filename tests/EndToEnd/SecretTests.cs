namespace Aiproxy.Tests.EndToEnd;

/// <summary>No key, token, prompt or answer is ever written, at the most talkative level, whatever goes wrong.</summary>
public sealed class SecretTests
{
    private const string ClientKey = "sk-fake-CLIENTMARKER-1";
    private const string HeaderMark = "HEADERMARKER-2";
    private const string Token = "sk-fake-TOKENMARKER-3";
    private const string Prompt = "PROMPTMARKER four";
    private const string Answer = "ANSWERMARKER five";
    private const string Wrong = "sk-fake-WRONGMARKER-6";

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task Markers_AppearNowhere(string name)
    {
        var dialect = Dialects.Of(name);
        await using var rig = await Rig.StartAsync(
            dialect,
            FakeAnswer.Silence(),
            $"api-key: {ClientKey}\nadmin_key: sk-fake-ADMINMARKER-7\nlog: {{level: debug, file: out.log}}\nstream_idle_timeout: 1s\nupstream_request_timeout: 1s\n" + Yaml.NoCircuits,
            $"token: {Token}\nhttp_headers: {{X-Secret-Token: {HeaderMark}}}");
        var path = dialect.Path(Rig.Model, true);
        var body = dialect.Body(Rig.Model, Prompt, true);
        FakeAnswer[] answers =
        [
            FakeAnswer.Sse(dialect.Text(Answer).Frames), FakeAnswer.Json(dialect.Whole(Answer)), FakeAnswer.Json(400, dialect.ErrorBody(400, $"cannot read '{Prompt}' with {Token}")),
            FakeAnswer.Json(401, dialect.ErrorBody(401, $"Incorrect API key provided: {Token}")), FakeAnswer.Json(500, $"<html>{Answer} {Token}</html>"),
            FakeAnswer.CutSse([.. dialect.Text(Answer).Beginning]), FakeAnswer.Sse([.. dialect.Text(Answer).Beginning, dialect.ErrorFrame(Answer)]),
            FakeAnswer.Garbage($"{Answer}\r\n\r\n"), FakeAnswer.StallAfter(dialect.Text(Answer).Beginning), FakeAnswer.Json(429, dialect.ErrorBody(429, Answer)),
        ];
        foreach (var answer in answers)
        {
            rig.Upstream.Answer(answer);
            await rig.Proxy.PostAsync(path, body, [("Authorization", "Bearer " + ClientKey), ("Cookie", "a=COOKIEMARKER-8"), .. dialect.ClientHeaders]);
        }
        await rig.Proxy.PostAsync($"{path}{(path.Contains('?') ? '&' : '?')}key={ClientKey}", body);
        await rig.Proxy.PostAsync($"{path}{(path.Contains('?') ? '&' : '?')}key={Wrong}", body);
        await rig.Proxy.PostAsync(path, body, ("x-api-key", Wrong));
        await rig.Proxy.PostAsync(path, "{ \"a\": \"" + Prompt, ("x-api-key", ClientKey));
        await rig.Proxy.PostAsync($"/{Prompt.Replace(' ', '-')}?key={ClientKey}", body, ("x-api-key", ClientKey));
        rig.Proxy.RewriteConfig(await File.ReadAllTextAsync(rig.Proxy.ConfigPath) + "nonsense_key: sk-fake-YAMLMARKER-9\n");
        rig.Proxy.Signal(Signals.Hangup);
        await Task.Delay(500);
        rig.Proxy.Signal(Signals.Terminate);
        await rig.Proxy.WaitForExitAsync(TimeSpan.FromSeconds(15));
        var log = await File.ReadAllTextAsync(rig.Proxy.Folder.File("out.log"));
        Assert.Contains(Rig.Model, log);
        var written = log + string.Join('\n', rig.Proxy.Log.Lines);
        foreach (var line in written.Split('\n'))
            foreach (var mark in new[] { "CLIENTMARKER", HeaderMark, "TOKENMARKER", "ANSWERMARKER", "WRONGMARKER", "ADMINMARKER", "COOKIEMARKER" })
                Assert.False(line.Contains(mark, StringComparison.Ordinal), $"{mark} in: {line}");
        // The path is the client's own text and may be named; the prompt in a body may not.
        Assert.DoesNotContain(Prompt, written);
        Assert.DoesNotContain("YAMLMARKER", written);
    }

    [Fact]
    public async Task UpstreamErrorThatHoldsOurToken_DoesNotReachTheClientWithIt()
    {
        foreach (var dialect in Dialects.List)
        {
            await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(401, dialect.ErrorBody(401, $"Incorrect API key provided: {Token}")), more: $"token: {Token}");
            Assert.DoesNotContain("TOKENMARKER", (await rig.SendAsync(false)).AssertStatus(500).Text);
        }
    }

    [Fact]
    public async Task CheckOfABadFile_ShowsNoSecret()
    {
        using var folder = new TempFolder();
        var run = await CommandRun.RunAsync(
            ["check", "-config", folder.Write("c.yaml", "api-key: [sk-fake-A1MARK, {key: sk-fake-A2MARK, nme: x}]\nadmin_key: [sk-fake-A3MARK]\nupstreams:\n  - {name: a, api_type: anthropic, token: {x: sk-fake-A4MARK}, outgoing_proxy: 'http://user:A5MARK@h', http_headers: [A6MARK], token_: sk-fake-A7MARK}\n")]);
        Assert.Equal(78, run.ExitCode);
        Assert.DoesNotContain("MARK", run.Both);
    }
}
