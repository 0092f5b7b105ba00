using System.Runtime.InteropServices;
using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed partial class SignalsTests
{
    private const int Hup = 1;
    private const int Term = 15;

    [Theory]
    [InlineData(PosixSignal.SIGTERM, PosixSignal.SIGTERM, 143)]
    [InlineData(PosixSignal.SIGTERM, PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGINT, PosixSignal.SIGINT, 130)]
    public void SecondStop_ExitsAtOnce(PosixSignal first, PosixSignal second, int code)
    {
        var told = new List<string>();
        using var signals = new Signals(() => told.Add("stop"), () => told.Add("reload"), exit => told.Add($"exit {exit}"));
        signals.Receive(PosixSignal.SIGHUP);
        signals.Receive(first);
        signals.Receive(PosixSignal.SIGHUP);
        signals.Receive(second);
        Assert.Equal(["reload", "stop", "reload", $"exit {code}"], told);
    }

    [Fact]
    public async Task RealSignals_ReachTheCallbacksAndKillNobody()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals");
        var reloaded = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        var exited = new TaskCompletionSource<int>();
        using var signals = new Signals(stopped.SetResult, reloaded.SetResult, exited.SetResult);
        signals.Register();
        Kill(Environment.ProcessId, Hup);
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Kill(Environment.ProcessId, Term);
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Kill(Environment.ProcessId, Term);
        Assert.Equal(143, await exited.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
