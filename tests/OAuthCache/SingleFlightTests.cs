using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class SingleFlightTests : IDisposable
{
    private readonly OAuthRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task HundredRequests_AndASecondProcess_OneRefresh()
    {
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        await using TokenCache here = _rig.NewCache(isThreaded: true);
        await using TokenCache there = _rig.NewCache(isThreaded: true);
        string path = _rig.Write("a.json", Sample.ClaudeFlat);
        SignIn mine = here.Open(_rig.Options("claudecode", path));
        SignIn other = there.Open(_rig.Options("claudecode", path));
        _rig.Expire();

        Task<SignInAnswer>[] first = [.. Enumerable.Range(0, 100).Select(_ => Task.Run(() => mine.GetAsync(CancellationToken.None).AsTask()))];
        await Until(() => _rig.Endpoint.Calls == 1);
        int timers = _rig.Clock.PendingTimers;
        Task<SignInAnswer>[] second = [.. Enumerable.Range(0, 100).Select(_ => Task.Run(() => other.GetAsync(CancellationToken.None).AsTask()))];
        // The second waits for the lock.
        await Until(() => _rig.Clock.PendingTimers > timers);
        gate.SetResult();
        SignInAnswer[] answers = await Task.WhenAll(first);
        SignInAnswer[] others = await _rig.PumpAsync(Task.WhenAll(second));

        Assert.All(answers.Concat(others), answer => Assert.Equal("at-fake-1", answer.Credential!.AccessToken));
        Assert.Equal((1, 0), (_rig.Endpoint.Calls, _rig.Endpoint.Reuses));
        Assert.Equal(1, _rig.Count(SignInEventKind.Adopted));
    }

    [Fact]
    public async Task OneWaiterLeaves_TheRefreshGoesOn()
    {
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        using var leaving = new CancellationTokenSource();
        Task<SignInAnswer> left = signIn.GetAsync(leaving.Token).AsTask();
        Task<SignInAnswer> stays = signIn.GetAsync(CancellationToken.None).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.SetResult();
        Assert.Equal("at-fake-1", (await stays).Credential!.AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task OnlyWaiterLeaves_TheTokenIsStillWritten()
    {
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        using var leaving = new CancellationTokenSource();
        Task<SignInAnswer> left = signIn.GetAsync(leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.SetResult();
        await signIn.WhenQuiet();
        Assert.Contains(_rig.Endpoint.RefreshToken, File.ReadAllText(signIn.Path));
    }

    [Fact]
    public async Task LockHeldFor30Seconds_IsUnavailable_AndNobodyIsAsked()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        using (FileSteps.System.TryLock(signIn.Path + ".lock"))
        {
            SignInAnswer answer = await _rig.PumpAsync(signIn.GetAsync(CancellationToken.None).AsTask(), TimeSpan.FromSeconds(1));
            Assert.Equal(SignInFailureKind.Unavailable, answer.Failure!.Kind);
        }

        Assert.Equal(0, _rig.Endpoint.Calls);
        // Pumped time runs on while the answer is on its way, and the wait may have begun anew, longer.
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task LockHeld_ButItsHolderRefreshed_IsAdopted()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        using IDisposable? held = FileSteps.System.TryLock(signIn.Path + ".lock");
        Task<SignInAnswer> waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-other").Replace("T01:00:00Z", "T09:00:00Z"));
        held!.Dispose();
        Assert.Equal("at-fake-other", (await _rig.PumpAsync(waiting)).Credential!.AccessToken);
        Assert.Equal(0, _rig.Endpoint.Calls);
    }

    [Fact]
    public void Lock_IsExclusive_AndFreeAgainAfterwards()
    {
        string path = _rig.At("x.lock");
        using (IDisposable? first = FileSteps.System.TryLock(path))
        {
            Assert.NotNull(first);
            Assert.Null(FileSteps.System.TryLock(path));
        }

        using IDisposable? again = FileSteps.System.TryLock(path);
        Assert.NotNull(again);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task FolderThatTakesNoLock_LocksInTheDataFolder()
    {
        var tried = new List<string>();
        _rig.With(FileSteps.System with
        {
            TryLock = path =>
            {
                tried.Add(path);
                return path.StartsWith(_rig.At("data"), StringComparison.Ordinal) ? FileSteps.System.TryLock(path) : throw new UnauthorizedAccessException();
            },
        });
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal([signIn.Path + ".lock", Assert.Single(Directory.GetFiles(_rig.At("data/locks")))], tried);
    }

    [Fact]
    public async Task NoLockAnywhere_GoesOnWithAWarning()
    {
        _rig.With(FileSteps.System with { TryLock = _ => throw new IOException("No space left on device") });
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Single(_rig.Events, e => e.Message.Contains("cannot be locked"));
    }

    [Fact]
    public async Task Lazy_GivesTheOwnerTenSeconds()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat), options => options with { Lazy = true });
        await _rig.GetAsync(signIn);
        _rig.Clock.AdvanceTo(Sample.Expiry - TimeSpan.FromSeconds(1));
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Task<SignInAnswer> waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        _rig.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal((false, 0), (waiting.IsCompleted, _rig.Endpoint.Calls));
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-cli").Replace("T01:00:00Z", "T02:00:00Z"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("at-fake-cli", (await waiting).Credential!.AccessToken);
        Assert.Equal(0, _rig.Endpoint.Calls);

        _rig.Clock.AdvanceTo(Sample.Expiry + TimeSpan.FromHours(1));
        waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        _rig.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, _rig.Endpoint.Calls);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal("at-fake-1", (await waiting).Credential!.AccessToken);
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition()) await Task.Yield();
    }
}
