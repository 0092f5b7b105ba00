using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class SignInTests : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly OAuthRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task ValidToken_NobodyIsAsked()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        Assert.Equal(SignInState.Unread, signIn.Status.State);
        Credential credential = await _rig.GetAsync(signIn);
        Assert.Equal((Sample.Access, 1, "ClaudeOfficial.json", "max"), (credential.AccessToken, credential.Generation, credential.Id, credential.Plan));
        Assert.Same(credential, await _rig.GetAsync(signIn));
        Assert.Equal(0, _rig.Endpoint.Calls);
        Assert.Equal(SignInState.Ok, signIn.Status.State);
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public async Task ExpiredToken_IsRefreshedAndWritten(string name)
    {
        _rig.Write("0123456789abcdef0123456789abcdef01234567.json", """{"clientId":"i","clientSecret":"s"}""");
        _rig.Endpoint.Rotates = Sample.Of(name).Type is not ("geminicli" or "antigravity");
        SignIn signIn = _rig.Open(name);
        _rig.Expire();
        // One sample has fractions of a second.
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Credential credential = await _rig.GetAsync(signIn);
        Assert.Equal(("at-fake-1", 2, _rig.Clock.Now + TimeSpan.FromHours(1)), (credential.AccessToken, credential.Generation, credential.ExpiresAt!.Value));
        AuthFile written = AuthFileReader.Read(signIn.Type, File.ReadAllBytes(signIn.Path)).File!;
        Assert.Equal(("at-fake-1", _rig.Endpoint.RefreshToken), (written.AccessToken, written.RefreshToken));
        Assert.False(signIn.Status.IsNotSaved);
        Assert.Equal(_rig.Clock.Now, signIn.Status.LastRefresh);
    }

    [Fact]
    public async Task GoogleUser_FirstUseRefreshes_FileStays()
    {
        _rig.Endpoint.Rotates = false;
        string path = _rig.Write("adc.json", Sample.GoogleUser);
        SignIn signIn = _rig.Cache.Open(_rig.Options("geminicli", path));
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(Sample.GoogleUser, File.ReadAllText(path));
        Assert.False(signIn.Status.IsNotSaved);
    }

    [Fact]
    public async Task InMargin_OldTokenAtOnce_RefreshBehindIt()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        _rig.Clock.AdvanceTo(Sample.Expiry - Minute);
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
        Assert.Equal(SignInState.Refreshing, signIn.Status.State);
        gate.SetResult();
        await signIn.WhenQuiet();
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Background_RefreshesAheadOfTheMargin_WhileUsedLately()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        await _rig.GetAsync(signIn);
        _rig.Clock.AdvanceTo(Sample.Expiry - TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.Equal(0, _rig.Endpoint.Calls);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await signIn.WhenQuiet();
        Assert.Equal(1, _rig.Endpoint.Calls);
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);

        // Unused for a day: its tokens are left alone.
        for (int hour = 0; hour < 24 * 12; hour++)
        {
            _rig.Clock.Advance(5 * Minute);
            await signIn.WhenQuiet();
        }

        int calls = _rig.Endpoint.Calls;
        Assert.InRange(calls, 24, 30);
        _rig.Clock.Advance(TimeSpan.FromHours(5));
        Assert.Equal(calls, _rig.Endpoint.Calls);
        await _rig.GetAsync(signIn);
        Assert.Equal(calls + 1, _rig.Endpoint.Calls);
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.5, 30)]
    [InlineData(0.99, 59)]
    public async Task Background_ComesUpToAMinuteEarlier_Once(double jitter, int seconds)
    {
        _rig.Jitter = jitter;
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        await _rig.GetAsync(signIn);
        DateTimeOffset due = Sample.Expiry - TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(seconds);
        _rig.Clock.AdvanceTo(due - TimeSpan.FromSeconds(1));
        Assert.Equal(0, _rig.Endpoint.Calls);
        int fired = _rig.Clock.Fired;
        _rig.Clock.AdvanceTo(due + TimeSpan.FromSeconds(1));
        await signIn.WhenQuiet();
        Assert.Equal(1, _rig.Endpoint.Calls);
        Assert.InRange(_rig.Clock.Fired - fired, 1, 3);
    }

    [Fact]
    public async Task AbsurdMargin_OfALongLife_IsBounded()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat), options => options with { RefreshMargin = TimeSpan.MaxValue });
        await _rig.GetAsync(signIn);
        await signIn.WhenQuiet();
        await _rig.GetAsync(signIn);
        _rig.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Background_NotForLazy_NotForFilesThatNobodyNames()
    {
        SignIn lazy = _rig.Open(nameof(Sample.ClaudeOfficial), options => options with { Lazy = true });
        SignIn dropped = _rig.Open(nameof(Sample.ClaudeFlat));
        await _rig.GetAsync(lazy);
        await _rig.GetAsync(dropped);
        _rig.Cache.KeepOnly([lazy]);
        _rig.Clock.AdvanceTo(Sample.Expiry + Minute);
        Assert.Equal(0, _rig.Endpoint.Calls);
        Assert.Same(dropped, _rig.Open(nameof(Sample.ClaudeFlat)));
        _rig.Clock.Advance(5 * Minute);
        await dropped.WhenQuiet();
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task ClockJump_IsSeenByTheNextRequest()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial), options => options with { Lazy = false });
        await _rig.GetAsync(signIn);
        _rig.Cache.KeepOnly([]);
        _rig.Clock.Advance(TimeSpan.FromDays(3));
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
    }

    [Fact]
    public async Task ShortLife_DoesNotRefreshWithoutEnd()
    {
        _rig.Endpoint.Lifetime = "300";
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        _rig.Expire();
        for (int second = 0; second < 140; second++)
        {
            await _rig.GetAsync(signIn);
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task SameFile_SameSignIn_ThroughLinksAndWithNewOptions()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        File.CreateSymbolicLink(_rig.At("link.json"), "ClaudeOfficial.json");
        Directory.CreateSymbolicLink(_rig.At("folder"), _rig.Folder);
        Assert.Same(signIn, _rig.Cache.Open(_rig.Options("claudecode", _rig.At("link.json"))));
        Assert.Same(signIn, _rig.Cache.Open(_rig.Options("claudecode", System.IO.Path.Combine(_rig.At("folder"), "link.json")) with { RefreshMargin = TimeSpan.FromMinutes(70) }));
        await _rig.GetAsync(signIn);
        await signIn.WhenQuiet();
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task TwinsWithOneRefreshToken_AreToldOfOnce()
    {
        SignIn first = _rig.Cache.Open(_rig.Options("claudecode", _rig.Write("a.json", Sample.ClaudeFlat)));
        SignIn second = _rig.Cache.Open(_rig.Options("claudecode", _rig.Write("b.json", Sample.ClaudeFlat)));
        await _rig.GetAsync(first);
        Assert.DoesNotContain(_rig.Events, e => e.Message.Contains("same refresh token"));
        await _rig.GetAsync(second);
        await _rig.GetAsync(second);
        Assert.Single(_rig.Events, e => e.Message.Contains("same refresh token"));
    }

    [Fact]
    public async Task ChangedByAnotherProgram_IsSeenAtUseWithinSeconds_AndAsksNobody()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential old = await _rig.GetAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-other").Replace(Sample.Refresh, "rt-fake-other"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(old.AccessToken, (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(0, signIn.CountAdoptions());
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Credential other = await _rig.GetAsync(signIn);
        Assert.Equal(("at-fake-other", 1, 0), (other.AccessToken, signIn.CountAdoptions(), _rig.Endpoint.Calls));
        Assert.NotEqual(old.Generation, other.Generation);
    }

    [Fact]
    public async Task ChangedWhileARefreshRuns_TheOldTokenServesAndTheNewOnesWin()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        await _rig.GetAsync(signIn);
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        _rig.Clock.AdvanceTo(Sample.Expiry - TimeSpan.FromMinutes(10));
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        string other = Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-other").Replace(Sample.Refresh, "rt-fake-other");
        File.WriteAllText(signIn.Path, other);
        _rig.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        gate.SetResult();
        await signIn.WhenQuiet();
        Assert.Equal("at-fake-other", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(other, File.ReadAllText(signIn.Path));
    }

    [Fact]
    public async Task OwnRefresh_IsNoForeignChange()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        await _rig.GetAsync(signIn);
        Assert.Equal((0, 0), (signIn.CountAdoptions(), _rig.Count(SignInEventKind.Adopted)));
    }

    [Fact]
    public async Task HalfWritten_IsReadAgain()
    {
        string path = _rig.Write("a.json", Sample.ClaudeFlat[..50]);
        SignIn signIn = _rig.Cache.Open(_rig.Options("claudecode", path));
        Task<SignInAnswer> answer = signIn.GetAsync(CancellationToken.None).AsTask();
        _rig.Clock.Advance(TimeSpan.FromMilliseconds(700));
        Assert.False(answer.IsCompleted);
        File.WriteAllText(path, Sample.ClaudeFlat);
        _rig.Clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(Sample.Access, (await answer).Credential!.AccessToken);
    }

    [Fact]
    public async Task HalfWritten_ForGood_IsUnreadableAfterASecond_AndReadWhenMended()
    {
        string path = _rig.Write("a.json", "");
        SignIn signIn = _rig.Cache.Open(_rig.Options("claudecode", path));
        SignInAnswer answer = await _rig.PumpAsync(signIn.GetAsync(CancellationToken.None).AsTask());
        Assert.Equal(SignInFailureKind.Unreadable, answer.Failure!.Kind);
        Assert.Equal(SignInState.Unreadable, signIn.Status.State);
        File.WriteAllText(path, Sample.ClaudeFlat);
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(SignInState.Ok, signIn.Status.State);
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task Missing_NamesFileAndLogin()
    {
        SignIn signIn = _rig.Cache.Open(_rig.Options("codex", _rig.At("none.json")));
        SignInFailure failure = await _rig.FailAsync(signIn);
        Assert.Equal(SignInFailureKind.Unreadable, failure.Kind);
        Assert.Contains(_rig.At("none.json"), failure.Message);
        Assert.Contains("aiproxy login codex", failure.Message);
        _rig.Write("none.json", Sample.CodexOfficial);
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.NotNull(await _rig.GetAsync(signIn));
    }

    [Fact]
    public async Task Load_FillsTheStatus_AndAsksNobody()
    {
        SignIn signIn = _rig.Open(nameof(Sample.CodexOfficial));
        _rig.Expire();
        await signIn.LoadAsync(CancellationToken.None);
        SignInStatus status = signIn.Status;
        Assert.Equal((SignInState.Expired, "me@example.com", "plus", 0), (status.State, status.Email, status.Plan, _rig.Endpoint.Calls));
        Assert.Null(status.LastUsed);
    }

    [Fact]
    public async Task DisabledByTheFile_IsNotUsed_UntilEdited()
    {
        string path = _rig.Write("k.json", Sample.KiroGo.Replace("\"machine_id\"", "\"disabled\":true,\"machine_id\""));
        SignIn signIn = _rig.Cache.Open(_rig.Options("kiro", path));
        Assert.Equal(SignInFailureKind.Disabled, (await _rig.FailAsync(signIn)).Kind);
        File.WriteAllText(path, Sample.KiroGo);
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task Disable_HoldsUntilTheFileChanges_TouchingIsNoChange()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        await _rig.GetAsync(signIn);
        signIn.Disable($"verify the account {Sample.Access}", new Uri("https://verify.example/"));
        SignInFailure failure = await _rig.FailAsync(signIn);
        Assert.Equal((SignInFailureKind.Disabled, null), (failure.Kind, failure.RetryAt));
        Assert.DoesNotContain(Sample.Access, failure.Message);
        Assert.Equal((SignInState.Disabled, new Uri("https://verify.example/")), (signIn.Status.State, signIn.Status.Link));
        File.SetLastWriteTimeUtc(signIn.Path, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        await _rig.FailAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat + " ");
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
    }

    [Fact]
    public async Task Disable_DuringARefresh_Holds_AndTheNewTokensAreKept()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        Task<SignInAnswer> waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        signIn.Disable("verify the account", null);
        gate.SetResult();
        Assert.Equal(SignInFailureKind.Disabled, (await waiting).Failure!.Kind);
        Assert.Contains("at-fake-1", File.ReadAllText(signIn.Path));
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(SignInFailureKind.Disabled, (await _rig.FailAsync(signIn)).Kind);
    }

    [Fact]
    public async Task Project_IsKept_InFileAndMemory()
    {
        SignIn flat = _rig.Open(nameof(Sample.AntigravityFlat));
        await _rig.GetAsync(flat);
        Assert.True(await flat.SaveProjectAsync("p-7", CancellationToken.None));
        Assert.Equal(Sample.AntigravityFlat.Replace("p-1", "p-7"), File.ReadAllText(flat.Path));
        Assert.Equal(("p-7", 1), ((await _rig.GetAsync(flat)).ProjectId, (await _rig.GetAsync(flat)).Generation));

        SignIn official = _rig.Open(nameof(Sample.AntigravityOfficial));
        await _rig.GetAsync(official);
        Assert.False(await official.SaveProjectAsync("p-7", CancellationToken.None));
        Assert.Equal(Sample.AntigravityOfficial, File.ReadAllText(official.Path));
        Assert.Equal("p-7", (await _rig.GetAsync(official)).ProjectId);
        _rig.Endpoint.Rotates = false;
        _rig.Expire();
        Assert.Equal("p-7", (await _rig.GetAsync(official)).ProjectId);
    }

    [Fact]
    public async Task Close_WaitsForTheRefreshAndItsWrite()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        Task<SignInAnswer> waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        Task closing = _rig.Cache.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        gate.SetResult();
        await closing;
        Assert.Equal("at-fake-1", (await waiting).Credential!.AccessToken);
        Assert.Contains("at-fake-1", File.ReadAllText(signIn.Path));
        _rig.Expire();
        _rig.Expire();
        Assert.NotNull((await signIn.GetAsync(CancellationToken.None)).Failure);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Close_DoesNotWaitForEver()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        _rig.Endpoint.Gate = new TaskCompletionSource().Task;
        // The lost answer's second try would take another 30 s.
        _ = signIn.GetAsync(CancellationToken.None).AsTask();
        Task closing = _rig.Cache.DisposeAsync().AsTask();
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        await closing;
        Assert.Contains(_rig.Events, e => e.Message.Contains("did not end"));
    }
}
