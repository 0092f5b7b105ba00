using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>The process ends while it writes new tokens, by force and by request.</summary>
public sealed class KillTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task KilledAroundTheWriteBack_TheFileIsOldOrNewAndNeverBetween()
    {
        ContractKind kind = ContractKind.Of("codex");
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        int kept = 0;
        for (int round = 0; round < 24; round++)
        {
            FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60), "signin.json");
            var held = new TaskCompletionSource();
            house.Provider.HoldTokens(1, held.Task, kind.Type);
            int before = house.Provider.TokenCalls;
            await using ProxyProcess proxy = await house.StartAsync(kind, signIn.Path);
            Task asking = AskAnywayAsync(house, proxy);
            await Eventually.TrueAsync(() => house.Provider.TokenCalls > before, Patience, () => "no refresh began");
            held.SetResult();
            // From before the answer has come to well behind the rename.
            await Task.Delay(TimeSpan.FromMilliseconds(round * 0.75));
            proxy.Signal(Signals.Death);
            await proxy.WaitForExitAsync(Patience);
            await asking;

            string text = await File.ReadAllTextAsync(signIn.Path);
            using JsonDocument whole = JsonDocument.Parse(text);
            bool isOld = text.Contains(signIn.RefreshToken), isNew = text.Contains(signIn.Grant.RefreshToken) && signIn.Grant.Refreshes > 0;
            Assert.True(isOld ^ isNew, $"round {round}: {(isOld ? "both" : "neither")} of the tokens");
            if (isNew) kept++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"new tokens in {kept} of 24");

        // What the dead ones left beside it goes with the next write.
        FakeSignIn last = house.Write(kind, TimeSpan.FromSeconds(-60), "signin.json");
        await using ProxyProcess survivor = await house.StartAsync(kind, last.Path);
        (await house.AskAsync(survivor)).Reply.AssertStatus(200);
        Assert.Contains(last.Grant.RefreshToken, await File.ReadAllTextAsync(last.Path));
        Assert.DoesNotContain(Directory.GetFiles(house.Folder.Path), static file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StoppedDuringARefresh_TheRequestIsAnsweredAndTheTokensAreInTheFile()
    {
        ContractKind kind = ContractKind.Of("claudecode");
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60));
        var held = new TaskCompletionSource();
        house.Provider.HoldTokens(1, held.Task, kind.Type);
        await using ProxyProcess proxy = await house.StartAsync(kind, signIn.Path);
        Task<(LiveReply Reply, string Token)> asking = house.AskAsync(proxy);
        await Eventually.TrueAsync(() => house.Provider.TokenCalls > 0, Patience, () => "no refresh began");
        proxy.Signal(Signals.Terminate);
        await proxy.WaitForLogAsync(static line => line.Contains("stopping", StringComparison.Ordinal), Patience, "the stop");
        held.SetResult();
        (await asking).Reply.AssertStatus(200);
        Assert.Equal(0, await proxy.WaitForExitAsync(Patience));
        Assert.Contains(signIn.Grant.RefreshToken, await File.ReadAllTextAsync(signIn.Path));
        Assert.Equal(1, signIn.Grant.Refreshes);
    }

    [Fact]
    public async Task KilledInTheMiddleOfStreams_NoneLooksComplete()
    {
        foreach (IDialect dialect in Dialects.List)
        {
            await using Rig rig = await Rig.StartAsync(dialect, FakeAnswer.StallAfter(dialect.Text("One two three four").Beginning));
            await using LiveReply open = await rig.OpenAsync(stream: true);
            await open.ReadUntilAsync("One", Patience);
            rig.Proxy.Signal(Signals.Death);
            await rig.Proxy.WaitForExitAsync(Patience);
            await open.ReadToEndAsync(Patience);
            Assert.False(dialect.LooksComplete(open.Text), open.Text);
            Assert.True(await rig.Upstream.Last.WasCut.InTimeAsync(Patience, "the upstream never saw it"));
        }
    }

    private static async Task AskAnywayAsync(SignInHouse house, ProxyProcess proxy)
    {
        try
        {
            await house.AskAsync(proxy);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // As expected.
        }
    }
}
