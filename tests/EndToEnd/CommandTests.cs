using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Commands, exit codes and signals.</summary>
public sealed class CommandTests
{
    private const string Good = "listen: 127.0.0.1:18999\nupstreams:\n  - {name: one, api_type: anthropic, base_url: 'http://127.0.0.1:1', token: sk-fake-one, model_mappings: {m-a: up-a}}\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task CheckOfAGoodFile_Exits0AndSaysWhatIsServed()
    {
        using var folder = new TempFolder();
        foreach (var option in new[] { "-config", "--config", "-c" })
        {
            var run = await CommandRun.RunAsync(["check", option, folder.Write("good.yaml", Good)]);
            Assert.True(run.ExitCode == 0, run.Both);
            Assert.Contains("one", run.Output);
            Assert.Contains("m-a", run.Output);
            Assert.DoesNotContain("sk-fake-one", run.Both);
        }
    }

    [Fact]
    public async Task CheckOfABadFile_Exits78AndTellsEveryProblemWithItsPlace()
    {
        using var folder = new TempFolder();
        var path = folder.Write("bad.yaml", "listen: ':99999'\nkeepalive_intervall: 5\nupstreams:\n  - name: one\n    api_type: antropic\n    weight: x3\n    token: sk-fake-one\n");
        var run = await CommandRun.RunAsync(["check", "-config", path]);
        Assert.True(run.ExitCode == 78, run.Both);
        Assert.Matches(@"bad\.yaml:1:9: listen: ", run.Both);
        Assert.Matches(@"bad\.yaml:2:1: keepalive_intervall: .*keepalive_interval", run.Both);
        Assert.Matches(@"bad\.yaml:5:15: upstreams\[0\]\.api_type: .*antropic.*anthropic", run.Both);
        Assert.Matches(@"bad\.yaml:6:13: upstreams\[0\]\.weight: .*x3", run.Both);
        Assert.DoesNotContain("sk-fake-one", run.Both);
    }

    [Fact]
    public async Task CheckOfNoFile_Exits78AndNamesIt()
    {
        var run = await CommandRun.RunAsync(["check", "-config", "/nonexistent/config.yaml"]);
        Assert.True(run.ExitCode == 78, run.Both);
        Assert.Contains("/nonexistent/config.yaml", run.Both);
    }

    [Theory]
    [InlineData("upstreams: [\n")]
    [InlineData("upstreams: []\n")]
    [InlineData("")]
    [InlineData("[1, 2]\n")]
    [InlineData("upstreams:\n\t- name: x\n")]
    public async Task StartWithABadFile_Exits78(string text)
    {
        using var folder = new TempFolder();
        var run = await CommandRun.RunAsync(["-config", folder.Write("config.yaml", text)]);
        Assert.True(run.ExitCode == 78, $"{run.ExitCode} {run.Both}");
        Assert.Contains("config.yaml", run.Both);
        Assert.DoesNotContain("   at ", run.Both);
    }

    [Fact]
    public async Task NoOption_TakesConfigYamlOfTheFolder()
    {
        using var folder = new TempFolder();
        folder.Write("config.yaml", "upstreams: 7\n");
        var run = await CommandRun.RunAsync([], folder.Path);
        Assert.True(run.ExitCode == 78, run.Both);
        Assert.Contains("config.yaml:1:12", run.Both);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("nonsense")]
    [InlineData("check --nonsense")]
    [InlineData("-config")]
    [InlineData("version extra words")]
    public async Task WrongUsage_Exits2(string arguments)
    {
        var run = await CommandRun.RunAsync(arguments.Split(' '));
        Assert.True(run.ExitCode == 2, $"{run.ExitCode} {run.Both}");
        Assert.NotEqual("", run.Error);
    }

    [Fact]
    public async Task Version_TellsVersionAndRuntime()
    {
        foreach (var argument in new[] { "version", "--version" })
        {
            var run = await CommandRun.RunAsync([argument]);
            Assert.True(run.ExitCode == 0, run.Both);
            Assert.Matches(@"\d+\.\d+\.\d+", run.Output);
            Assert.Contains(".NET", run.Output);
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task Help_FitsOneScreen(string argument)
    {
        var run = await CommandRun.RunAsync([argument]);
        Assert.True(run.ExitCode == 0, run.Both);
        Assert.All<string>(["check", "demo", "version", "config"], word => Assert.Contains(word, run.Output));
        Assert.InRange(run.Output.Split('\n').Length, 5, 45);
    }

    [Fact]
    public async Task Demo_AnswersAndPrintsFourCurlLines()
    {
        var port = FreePort.Next();
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(AiproxyBinary.Require()) { ArgumentList = { "demo", "--listen", $"127.0.0.1:{port}" }, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        var log = new ProcessLog();
        process.OutputDataReceived += (_, line) => log.Add(line.Data);
        process.Start();
        try
        {
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            foreach (var path in new[] { "/v1/messages", "/v1/chat/completions", "/v1/responses", "generateContent" })
                await log.WaitAsync(line => line.Contains("curl", StringComparison.Ordinal) && line.Contains(path, StringComparison.Ordinal), Patience, "curl for " + path);
            Assert.Equal(4, log.Lines.Count(line => line.Contains("curl ", StringComparison.Ordinal)));
            // Each line is ready to paste.
            foreach (var line in log.Lines.Where(line => line.Contains("curl ", StringComparison.Ordinal)))
            {
                using var shell = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", line.Trim() }, RedirectStandardOutput = true, RedirectStandardError = true })!;
                var answer = await shell.StandardOutput.ReadToEndAsync().InTimeAsync(Patience, line);
                Assert.True(answer.Length > 20 && !answer.Contains("\"error\":{", StringComparison.Ordinal), $"{line}\n{answer}");
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task PublicBindWithoutKeys_IsRefused()
    {
        using var folder = new TempFolder();
        var open = Good.Replace("127.0.0.1:18999", "0.0.0.0:18999", StringComparison.Ordinal);
        Assert.Equal(78, (await CommandRun.RunAsync(["-config", folder.Write("config.yaml", open)])).ExitCode);
        Assert.Equal(78, (await CommandRun.RunAsync(["check", "-config", folder.Write("config.yaml", "bind: 0.0.0.0\n" + Good.Replace("127.0.0.1:18999", ":18999", StringComparison.Ordinal))])).ExitCode);
        Assert.Equal(0, (await CommandRun.RunAsync(["check", "-config", folder.Write("config.yaml", "api-key: sk-fake\n" + open)])).ExitCode);
        Assert.Equal(0, (await CommandRun.RunAsync(["check", "-config", folder.Write("config.yaml", "allow_unauthenticated: true\n" + open)])).ExitCode);
    }

    [Fact]
    public async Task PortInUse_Exits1()
    {
        AiproxyBinary.Require();
        await using var holder = new FakeUpstream(FakeAnswer.Json("{}"));
        using var folder = new TempFolder();
        var port = new Uri(holder.Url).Port;
        var run = await CommandRun.RunAsync(["-config", folder.Write("config.yaml", Good.Replace("18999", port.ToString(), StringComparison.Ordinal))]);
        Assert.True(run.ExitCode == 1, $"{run.ExitCode} {run.Both}");
        Assert.Contains(port.ToString(), run.Both);
    }

    [Theory]
    [InlineData(Signals.Terminate)]
    [InlineData(Signals.Interrupt)]
    public async Task StopSignal_LetsARunningStreamEndAndExits0(int signal)
    {
        var transcript = Dialects.Anthropic.Text("One two three four");
        var gate = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Script(async answer =>
        {
            await answer.StreamHeadAsync();
            foreach (var frame in transcript.Beginning) await answer.ChunkAsync(frame);
            await answer.GateAsync(gate.Task);
            foreach (var frame in transcript.Frames.Skip(transcript.Beginning.Length)) await answer.ChunkAsync(frame);
            await answer.EndAsync();
        }));
        await using var open = await rig.OpenAsync(stream: true);
        await open.ReadUntilAsync(transcript.Beginning[^1], Patience);
        rig.Proxy.Signal(signal);
        await Task.Delay(500);
        Assert.False(rig.Proxy.HasExited, "it did not wait for the stream");
        using (var fresh = ProxyProcess.NewClient(rig.Proxy.Port))
            await Assert.ThrowsAsync<HttpRequestException>(() => fresh.GetAsync("/v1/models"));
        gate.SetResult();
        await open.ReadToEndAsync(Patience);
        Assert.Equal(transcript.All, open.Text);
        Assert.Equal(0, await rig.Proxy.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task SecondSignal_EndsAtOnce()
    {
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.StallAfter(Dialects.Anthropic.Text("One two three").Beginning));
        await using var open = await rig.OpenAsync(stream: true);
        await open.ReadUntilAsync("One", Patience);
        rig.Proxy.Signal(Signals.Terminate);
        await Task.Delay(300);
        Assert.False(rig.Proxy.HasExited);
        var start = Stopwatch.GetTimestamp();
        rig.Proxy.Signal(Signals.Terminate);
        await rig.Proxy.WaitForExitAsync(TimeSpan.FromSeconds(3));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task ShutdownTimeout_EndsWhatNeverEnds()
    {
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.StallAfter(Dialects.Anthropic.Text("One two three").Beginning), "shutdown_timeout: 1s\n");
        await using var open = await rig.OpenAsync(stream: true);
        await open.ReadUntilAsync("One", Patience);
        var start = Stopwatch.GetTimestamp();
        rig.Proxy.Signal(Signals.Terminate);
        await rig.Proxy.WaitForExitAsync(Patience);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.8, 5);
    }

    [Fact]
    public async Task DrainDelay_Says503BeforeTheListenerCloses()
    {
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Json(Dialects.Anthropic.Whole("a")), "drain_delay: 2s\n");
        rig.Proxy.Signal(Signals.Terminate);
        await Eventually.TrueAsync(async () => (await rig.Proxy.GetAsync("/health")).Status == 503, TimeSpan.FromSeconds(2), () => "/health never said 503");
        (await rig.SendAsync(false)).AssertStatus(200);
        Assert.Equal(0, await rig.Proxy.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task IdleProcess_StopsQuickly()
    {
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Json(Dialects.Anthropic.Whole("a")));
        (await rig.SendAsync(false)).AssertStatus(200);
        var start = Stopwatch.GetTimestamp();
        rig.Proxy.Signal(Signals.Terminate);
        Assert.Equal(0, await rig.Proxy.WaitForExitAsync(Patience));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }
}
