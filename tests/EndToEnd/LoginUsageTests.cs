namespace Aiproxy.Tests.EndToEnd;

/// <summary>The words of <c>login</c>: which go together, and what is said of those that do not.</summary>
public sealed class LoginUsageTests
{
    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("claudecode --device")]
    [InlineData("geminicli --device")]
    [InlineData("codex --device --paste")]
    [InlineData("codex --provider google")]
    [InlineData("codex --region us-east-1")]
    [InlineData("kiro --provider facebook")]
    [InlineData("kiro --provider google --device")]
    [InlineData("kiro --start-url http://fake.example.com/start")]
    [InlineData("kiro --region evil.example.com/1")]
    [InlineData("geminicli --project 123456")]
    [InlineData("codex --upstream x")]
    [InlineData("codex --timeout 0")]
    [InlineData("codex --issuer http://evil.example.com")]
    [InlineData("codex --nonsense")]
    [InlineData("codex extra")]
    public async Task WrongUsage_Exits2(string arguments)
    {
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        await run.AssertEndAsync(2);
        Assert.NotEqual("", run.Error);
    }

    [Theory]
    [InlineData("codex", "", 2, "several upstreams")]
    [InlineData("codex", "c", 2, "no upstream c")]
    [InlineData("codex", "e", 2, "api_type echo")]
    [InlineData("kiro", "", 2, "no upstream of api_type kiro")]
    public async Task ConfigurationThatDoesNotFit_IsToldSo(string type, string upstream, int code, string words)
    {
        using var home = new TempFolder();
        var config = home.Write("config.yaml", "upstreams:\n  - {name: a, api_type: codex, auth_files: a.json}\n  - {name: b, api_type: codex, auth_files: b.json}\n  - {name: e, api_type: echo}\n");
        await using var run = LoginRun.Start(home, [type, "-c", config, .. upstream.Length > 0 ? (string[])["--upstream", upstream] : []]);
        await run.AssertEndAsync(code);
        Assert.Contains(words, run.TheError());
        await using var broken = LoginRun.Start(home, [type, "-c", home.Write("broken.yaml", "upstreams: 7\n")]);
        await broken.AssertEndAsync(78);
    }

    [Fact]
    public async Task Help_TellsTheOptionsAndHidesTheTestsOwn()
    {
        var run = await CommandRun.RunAsync(["login", "--help"]);
        Assert.Equal(0, run.ExitCode);
        Assert.All<string>(["--device", "--paste", "-o", "--region", "--start-url", "--provider", "kiro"], word => Assert.Contains(word, run.Output));
        Assert.DoesNotContain("--issuer", run.Output);
        Assert.InRange(run.Output.Split('\n').Length, 10, 50);
    }
}
