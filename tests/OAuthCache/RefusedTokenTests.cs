using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>An upstream answered 401.</summary>
public sealed class RefusedTokenTests : IDisposable
{
    private readonly OAuthRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task OlderGeneration_JustGetsTheCurrent()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential old = await _rig.GetAsync(signIn);
        Credential renewed = await Refused(signIn, old);
        Assert.Equal("at-fake-1", renewed.AccessToken);
        Assert.Same(renewed, await Refused(signIn, old));
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task HundredRefusals_OneRefresh()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential old = await _rig.GetAsync(signIn);
        var gate = new TaskCompletionSource();
        _rig.Endpoint.Gate = gate.Task;
        Task<Credential>[] all = [.. Enumerable.Range(0, 100).Select(_ => Refused(signIn, old))];
        gate.SetResult();
        Assert.All(await Task.WhenAll(all), credential => Assert.Equal("at-fake-1", credential.AccessToken));
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task ChangedFile_IsAdoptedWithoutAsking()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential old = await _rig.GetAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-cli"));
        Assert.Equal(("at-fake-cli", 2), ((await Refused(signIn, old)).AccessToken, (await _rig.GetAsync(signIn)).Generation));
        Assert.Equal(0, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task OtherAccountInTheFile_IsTold()
    {
        SignIn signIn = _rig.Open(nameof(Sample.CodexFlat));
        Credential old = await _rig.GetAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.CodexFlat.Replace("acc-1", "acc-2").Replace(Sample.CodexAccess, Sample.Jwt("""{"exp":1767229999}""")));
        Assert.Equal("acc-2", (await Refused(signIn, old)).AccountId);
        Assert.Equal(1, _rig.Count(SignInEventKind.AccountChanged));
    }

    [Fact]
    public async Task SetupToken_IsDeadAtOnce_UntilTheFileChanges()
    {
        string path = _rig.Write("a.json", """{"access_token":"at-fake-setup"}""");
        SignIn signIn = _rig.Cache.Open(_rig.Options("claudecode", path));
        Credential old = await _rig.GetAsync(signIn);
        SignInFailure failure = (await signIn.RefusedAsync(old.Generation, CancellationToken.None)).Failure!;
        Assert.Equal((SignInFailureKind.Dead, null), (failure.Kind, failure.RetryAt));
        Assert.Contains("aiproxy login claudecode", failure.Message);
        Assert.Equal(SignInState.Dead, signIn.Status.State);
        _rig.Clock.Advance(TimeSpan.FromDays(2));
        await _rig.FailAsync(signIn);
        File.WriteAllText(path, """{"access_token":"at-fake-setup-2"}""");
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("at-fake-setup-2", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal((0, 1), (_rig.Endpoint.Calls, _rig.Count(SignInEventKind.Revived)));
    }

    [Fact]
    public async Task YoungToken_IsDeadForFiveMinutes_ThenOneTrial()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential renewed = await Refused(signIn, await _rig.GetAsync(signIn));
        _rig.Clock.Advance(TimeSpan.FromSeconds(59));
        SignInFailure failure = (await signIn.RefusedAsync(renewed.Generation, CancellationToken.None)).Failure!;
        Assert.Equal((SignInFailureKind.Dead, _rig.Clock.Now + TimeSpan.FromMinutes(5)), (failure.Kind, failure.RetryAt));
        _rig.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        await _rig.FailAsync(signIn);
        Assert.Equal(1, _rig.Endpoint.Calls);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Credential trial = await _rig.GetAsync(signIn);
        Assert.Equal("at-fake-2", trial.AccessToken);
        Assert.Equal(SignInFailureKind.Dead, (await signIn.RefusedAsync(trial.Generation, CancellationToken.None)).Failure!.Kind);
        Assert.Equal(2, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task OlderToken_IsRefreshedAgain()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential renewed = await Refused(signIn, await _rig.GetAsync(signIn));
        _rig.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("at-fake-2", (await Refused(signIn, renewed)).AccessToken);
    }

    [Fact]
    public async Task DuringABackoff_TheFileIsReadButNobodyAsked()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        Credential old = await _rig.GetAsync(signIn);
        _rig.Endpoint.Answers(429, "{}", ("retry-after", "100"));
        Assert.Equal(SignInFailureKind.RateLimited, (await signIn.RefusedAsync(old.Generation, CancellationToken.None)).Failure!.Kind);
        Assert.Equal(SignInFailureKind.RateLimited, (await signIn.RefusedAsync(old.Generation, CancellationToken.None)).Failure!.Kind);
        Assert.Equal(1, _rig.Endpoint.Calls);
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-cli"));
        Assert.Equal("at-fake-cli", (await Refused(signIn, old)).AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    private static async Task<Credential> Refused(SignIn signIn, Credential credential)
    {
        SignInAnswer answer = await signIn.RefusedAsync(credential.Generation, CancellationToken.None);
        Assert.True(answer.Credential is not null, answer.Failure?.Message);
        return answer.Credential;
    }
}
