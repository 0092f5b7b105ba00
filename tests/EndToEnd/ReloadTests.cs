namespace Aiproxy.Tests.EndToEnd;

/// <summary>Saving the file changes the running process; a bad file changes nothing.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly IDialect s_dialect = Dialects.Anthropic;

    private readonly FakeUpstream _one = new(FakeAnswer.Json(s_dialect.Whole("one")));
    private readonly FakeUpstream _two = new(FakeAnswer.Json(s_dialect.Whole("two")));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Theory]
    [InlineData("rename")]
    [InlineData("in place")]
    [InlineData("slowly in place")]
    public async Task Edit_IsTakenOver(string how)
    {
        await using var proxy = await ProxyProcess.StartAsync(One());
        await ServesAsync(proxy, "one");
        if (how == "rename") proxy.RewriteConfig(Two());
        else if (how == "in place") proxy.RewriteConfigInPlace(Two());
        else
        {
            var text = proxy.Complete(Two());
            await using var file = new StreamWriter(proxy.ConfigPath);
            foreach (var line in text.Split('\n'))
            {
                await file.WriteAsync(line + "\n");
                await file.FlushAsync();
                await Task.Delay(20);
            }
        }
        await ServesAsync(proxy, "two");
    }

    [Fact]
    public async Task SymlinkSwap_IsTakenOver()
    {
        await using var proxy = await ProxyProcess.StartAsync(One());
        // As Kubernetes mounts a ConfigMap: config.yaml -> ..data/config.yaml, ..data -> a folder that is swapped by rename.
        foreach (var (folder, text) in new[] { ("v1", One()), ("v2", Two()) })
        {
            Directory.CreateDirectory(proxy.Folder.File(folder));
            await File.WriteAllTextAsync(Path.Combine(proxy.Folder.File(folder), "config.yaml"), proxy.Complete(text));
        }
        File.CreateSymbolicLink(proxy.Folder.File("..data"), "v1");
        File.CreateSymbolicLink(proxy.ConfigPath + ".link", Path.Combine("..data", "config.yaml"));
        PosixFile.Rename(proxy.ConfigPath + ".link", proxy.ConfigPath);
        await ServesAsync(proxy, "one");
        File.CreateSymbolicLink(proxy.Folder.File("..next"), "v2");
        PosixFile.Rename(proxy.Folder.File("..next"), proxy.Folder.File("..data"));
        await ServesAsync(proxy, "two");
    }

    [Fact]
    public async Task Hangup_ReloadsAtOnce()
    {
        await using var proxy = await ProxyProcess.StartAsync(One());
        proxy.RewriteConfigInPlace(Two());
        proxy.Signal(Signals.Hangup);
        await ServesAsync(proxy, "two");
        proxy.Signal(Signals.Hangup);
        proxy.Signal(Signals.Hangup);
        await ServesAsync(proxy, "two");
        await proxy.AssertAliveAsync();
    }

    [Fact]
    public async Task BrokenFile_KeepsTheLastGoodAndIsToldWithPlaceAndReason()
    {
        await using var proxy = await ProxyProcess.StartAsync(One());
        var listen = $"listen: 127.0.0.1:{ProxyProcess.PortMark}\n";
        var from = proxy.Log.Lines.Count;
        proxy.RewriteConfig($"{listen}upstreams:\n  - name: x\n    api_type: anthropic\n    weight: x3\n    base_url: {_two.Url}\n    token: sk-fake-x\n");
        var line = await proxy.WaitForLogAsync(text => text.Contains("config.yaml:5:13", StringComparison.Ordinal), Patience, "config.yaml:5:13", from);
        Assert.Contains("weight", line);
        Assert.Contains("x3", line);
        await ServesAsync(proxy, "one");
        from = proxy.Log.Lines.Count;
        proxy.RewriteConfig($"{listen}upstreems:\n  - name: x\n");
        line = await proxy.WaitForLogAsync(text => text.Contains("config.yaml:2:1", StringComparison.Ordinal), Patience, "config.yaml:2:1", from);
        Assert.Contains("upstreams", line);
        await ServesAsync(proxy, "one");
        from = proxy.Log.Lines.Count;
        proxy.RewriteConfig($"{listen}upstreams: [\n");
        await proxy.WaitForLogAsync(text => text.Contains("config.yaml:", StringComparison.Ordinal), Patience, "config.yaml:LINE", from);
        await ServesAsync(proxy, "one");
        from = proxy.Log.Lines.Count;
        proxy.RewriteConfig(listen);
        await proxy.WaitForLogAsync(text => text.Contains("config.yaml", StringComparison.Ordinal) && text.Contains("upstreams", StringComparison.Ordinal), Patience, "upstreams is required", from);
        File.Delete(proxy.ConfigPath);
        await Task.Delay(400);
        await ServesAsync(proxy, "one");
        proxy.RewriteConfig(Two());
        await ServesAsync(proxy, "two");
    }

    [Fact]
    public async Task ListenChange_OpensTheNewPortAndKeepsAnOpenStream()
    {
        var transcript = s_dialect.Text("One two three four");
        var gate = new TaskCompletionSource();
        _one.Answer(request => SharedRig.IsStream(request)
            ? FakeAnswer.Script(async answer =>
            {
                await answer.StreamHeadAsync();
                foreach (var frame in transcript.Beginning) await answer.ChunkAsync(frame);
                await answer.GateAsync(gate.Task);
                foreach (var frame in transcript.Frames.Skip(transcript.Beginning.Length)) await answer.ChunkAsync(frame);
                await answer.EndAsync();
            })
            : FakeAnswer.Json(s_dialect.Whole("one")));
        await using var proxy = await ProxyProcess.StartAsync(One());
        await using var open = await proxy.OpenAsync(s_dialect, Rig.Model, stream: true);
        await open.ReadUntilAsync(transcript.Beginning[^1], Patience);
        var port = FreePort.Next();
        proxy.RewriteConfig($"listen: 127.0.0.1:{port}\n" + One());
        using var moved = ProxyProcess.NewClient(port);
        await Eventually.TrueAsync(() => AnswersAsync(moved), Patience, () => $"the new port never answered\n{proxy.Log.Tail()}");
        using var fresh = ProxyProcess.NewClient(proxy.Port);
        await Eventually.TrueAsync(async () => !await AnswersAsync(fresh), Patience, () => "the old port still takes connections");
        await Task.Delay(300);
        gate.SetResult();
        await open.ReadToEndAsync(Patience);
        Assert.Equal(transcript.All, open.Text);
    }

    [Fact]
    public async Task ListenOnATakenPort_LeavesTheOldOneServing()
    {
        await using var proxy = await ProxyProcess.StartAsync(One());
        var from = proxy.Log.Lines.Count;
        var taken = new Uri(_two.Url).Port;
        proxy.RewriteConfig($"listen: 127.0.0.1:{taken}\n" + Two());
        await proxy.WaitForLogAsync(text => text.Contains(taken.ToString(), StringComparison.Ordinal), Patience, $"a line about port {taken}", from);
        await proxy.AssertAliveAsync();
        (await proxy.SendAsync(s_dialect, Rig.Model, false)).AssertStatus(200);
    }

    [Fact]
    public async Task LogFileChange_MovesTheLines()
    {
        await using var proxy = await ProxyProcess.StartAsync("log: {file: first.log}\n" + One());
        await ServesAsync(proxy, "one");
        proxy.RewriteConfig("log: {file: second.log}\n" + Two());
        await ServesAsync(proxy, "two");
        await Eventually.TrueAsync(
            async () =>
            {
                await ServesAsync(proxy, "two");
                return File.Exists(proxy.Folder.File("second.log")) && ReadShared(proxy.Folder.File("second.log")).Contains(Rig.Model, StringComparison.Ordinal);
            },
            Patience,
            () => "second.log never got a request line");
        Assert.Contains(Rig.Model, ReadShared(proxy.Folder.File("first.log")));
    }

    [Fact]
    public async Task RunningRequest_KeepsTheConfigurationItStartedWith()
    {
        var gate = new TaskCompletionSource();
        var first = FakeAnswer.Script(async answer =>
        {
            await answer.GateAsync(gate.Task);
            await FakeAnswer.Json(s_dialect.Whole("one")).PlayAsync(answer);
        });
        _one.Answer(_ => _one.Count == 1 ? first : FakeAnswer.Json(s_dialect.Whole("one")));
        await using var proxy = await ProxyProcess.StartAsync(One());
        var held = proxy.SendAsync(s_dialect, Rig.Model, false);
        await _one.WaitForRequestAsync(1, Patience);
        proxy.RewriteConfig(Two());
        await ServesAsync(proxy, "two");
        Assert.False(held.IsCompleted);
        gate.SetResult();
        Assert.Equal("one", s_dialect.TextOfWhole((await held).AssertStatus(200).Text));
    }

    [Fact]
    public async Task CircuitState_SurvivesUnlessTheUpstreamWasEdited()
    {
        _one.Answer(FakeAnswer.Json(500, s_dialect.ErrorBody(500, "Internal")));
        string Both(string more, string token) => Yaml.File(
            "circuit_breaker: {failures: 1, recovery: 30m, first_probe: 30m}\n" + more,
            Yaml.Upstream("bad", s_dialect, _one.Url, $"token: {token}"),
            Yaml.Upstream("good", s_dialect, _two.Url, "priority: 1"));
        await using var proxy = await ProxyProcess.StartAsync(Both("", "sk-fake-1"));
        for (var i = 0; i < 3; i++) (await proxy.SendAsync(s_dialect, Rig.Model, false)).AssertStatus(200);
        Assert.Equal(1, _one.Count);
        proxy.RewriteConfig(Both("api-key: sk-fake-client\n", "sk-fake-1"));
        await Eventually.TrueAsync(async () => (await proxy.SendAsync(s_dialect, Rig.Model, false)).Status == 401, Patience, () => "the reload was not seen");
        (await proxy.SendAsync(s_dialect, Rig.Model, false, ("x-api-key", "sk-fake-client"))).AssertStatus(200);
        Assert.Equal(1, _one.Count);
        proxy.RewriteConfig(Both("", "sk-fake-2"));
        await Eventually.TrueAsync(async () => (await proxy.SendAsync(s_dialect, Rig.Model, false)).Status == 200, Patience, () => "the reload was not seen");
        Assert.Equal(2, _one.Count);
    }

    [Fact]
    public async Task FileNamedInTheConfiguration_IsWatchedToo()
    {
        using var folder = new TempFolder();
        var token = folder.Write("token.txt", "sk-fake-first\n");
        await using var second = await ProxyProcess.StartAsync(Yaml.File("", Yaml.Upstream("one", s_dialect, _one.Url, $"token: \"${{file:{token}}}\"")));
        await ServesAsync(second, "one");
        Assert.Equal("sk-fake-first", _one.Last.Header("x-api-key"));
        await File.WriteAllTextAsync(token, "sk-fake-second\n");
        await Eventually.TrueAsync(
            async () =>
            {
                await second.SendAsync(s_dialect, Rig.Model, false);
                return _one.Last.Header("x-api-key") == "sk-fake-second";
            },
            Patience,
            () => "the new token was never used");
    }

    private string One() => Yaml.File("", Yaml.Upstream("one", s_dialect, _one.Url));

    private string Two() => Yaml.File("", Yaml.Upstream("two", s_dialect, _two.Url));

    private static Task ServesAsync(ProxyProcess proxy, string upstream) => Eventually.TrueAsync(
        async () => (await proxy.SendAsync(s_dialect, Rig.Model, false)).AssertStatus(200).Header("x-aiproxy-upstream") == upstream,
        Patience,
        () => $"upstream {upstream} never served\n{proxy.Log.Tail()}");

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { ConnectionClose = true } };
            using var answer = await client.SendAsync(message);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }
}
