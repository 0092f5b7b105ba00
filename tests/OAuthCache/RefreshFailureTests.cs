using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class RefreshFailureTests : IDisposable
{
    private readonly OAuthRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Permanent_IsDead_AndNotAskedAgainUntilTheFileChanges()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.RefreshToken = "rt-fake-elsewhere";
        SignInFailure failure = await _rig.FailAsync(signIn);
        Assert.Equal((SignInFailureKind.Dead, null), (failure.Kind, failure.RetryAt));
        Assert.Contains(signIn.Path, failure.Message);
        Assert.Contains("invalid_grant", failure.Message);
        Assert.Contains("aiproxy login claudecode", failure.Message);
        _rig.Clock.Advance(TimeSpan.FromDays(1));
        await _rig.FailAsync(signIn);
        await signIn.RefusedAsync(1, CancellationToken.None);
        Assert.Equal(1, _rig.Endpoint.Calls);

        // Another refresh token: worth asking.
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Refresh, "rt-fake-elsewhere"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(2, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Permanent_AnEditThatKeepsTheToken_DoesNotAskAgain_NorDoesACopyOfTheFile()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.RefreshToken = "rt-fake-elsewhere";
        await _rig.FailAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat + "\n");
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(SignInFailureKind.Dead, (await _rig.FailAsync(signIn)).Kind);
        SignIn copy = _rig.Cache.Open(_rig.Options("claudecode", _rig.Write("copy.json", Sample.ClaudeFlat)));
        Assert.Equal(SignInFailureKind.Dead, (await _rig.FailAsync(copy)).Kind);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Permanent_ButAnotherProcessWon_IsAdopted()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Does(_ =>
        {
            File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-cli").Replace("T01:00:00Z", "T09:00:00Z"));
            return Task.FromResult(FakeTokenEndpoint.Make(400, """{"error":"invalid_grant"}"""));
        });
        Assert.Equal("at-fake-cli", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Permanent_AdoptedTokenHasExpiredToo_IsRefreshedAtOnce()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.RefreshToken = "rt-fake-cli";
        _rig.Endpoint.Does(_ =>
        {
            File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace(Sample.Refresh, "rt-fake-cli"));
            return Task.FromResult(FakeTokenEndpoint.Make(400, """{"error":"invalid_grant"}"""));
        });
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(2, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task MissingSecret_SaysWhichSetting_AndComesBackWithIt()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.AntigravityFlat));
        _rig.Endpoint.Rotates = false;
        _rig.Endpoint.Answers(401, """{"error":"invalid_client"}""");
        SignInFailure failure = await _rig.FailAsync(signIn);
        Assert.Equal(SignInFailureKind.Dead, failure.Kind);
        Assert.Contains("oauth.client_secret", failure.Message);
        await _rig.FailAsync(signIn);
        Assert.Equal(1, _rig.Endpoint.Calls);
        _rig.Open(nameof(Sample.AntigravityFlat), options => options with { ClientSecret = "secret-fake" });
        await _rig.GetAsync(signIn);
        Assert.Contains("client_secret=secret-fake", _rig.Endpoint.Bodies[^1]);
    }

    [Fact]
    public async Task MissingSecret_ComesBackWhenItIsPutIntoTheFile()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.AntigravityFlat));
        _rig.Endpoint.Rotates = false;
        _rig.Endpoint.Answers(401, """{"error":"invalid_client"}""");
        await _rig.FailAsync(signIn);
        File.WriteAllText(signIn.Path, Sample.AntigravityFlat.Replace("\"email\"", "\"client_secret\": \"secret-fake\", \"email\""));
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        await _rig.GetAsync(signIn);
        Assert.Contains("client_secret=secret-fake", _rig.Endpoint.Bodies[^1]);
    }

    [Theory]
    [InlineData("1", 5)]
    [InlineData("0", 5)]
    [InlineData("60", 60)]
    [InlineData("86400", 300)]
    [InlineData("99999999999999999999999", 300)]
    [InlineData("Thu, 01 Jan 2026 01:01:00 GMT", 60)]
    [InlineData("Wed, 01 Jan 2020 01:01:00 GMT", 5)]
    [InlineData(null, 5)]
    public async Task RateLimit_WaitsWhatIsAsked_Between5SecondsAnd5Minutes(string? retryAfter, int seconds)
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Answers(429, "{}", retryAfter is null ? [] : [("retry-after", retryAfter)]);
        SignInFailure failure = await _rig.FailAsync(signIn);
        Assert.Equal((SignInFailureKind.RateLimited, _rig.Clock.Now + TimeSpan.FromSeconds(seconds)), (failure.Kind, failure.RetryAt));
        _rig.Cache.KeepOnly([]);
        _rig.Clock.Advance(TimeSpan.FromSeconds(seconds - 0.1));
        Assert.Equal(SignInState.Waiting, signIn.Status.State);
        await _rig.FailAsync(signIn);
        Assert.Equal(1, _rig.Endpoint.Calls);
        _rig.Clock.Advance(TimeSpan.FromSeconds(0.1));
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task RateLimit_TokenStillHolds_IsUsedMeanwhile()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Answers(429, "{}", ("retry-after", "100"));
        _rig.Clock.AdvanceTo(Sample.Expiry - TimeSpan.FromMinutes(5));
        for (int i = 0; i < 5; i++) Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(1, _rig.Endpoint.Calls);
        // The background comes back to it by itself.
        _rig.Clock.Advance(TimeSpan.FromSeconds(100));
        await signIn.WhenQuiet();
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
    }

    [Fact]
    public async Task Transient_BacksOff_AndNeverDies()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Cache.KeepOnly([]);
        foreach (int seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60, 60 })
        {
            _rig.Endpoint.Answers(503, "<html>");
            SignInFailure failure = await _rig.FailAsync(signIn);
            Assert.Equal((SignInFailureKind.Unavailable, _rig.Clock.Now + TimeSpan.FromSeconds(seconds)), (failure.Kind, failure.RetryAt));
            await _rig.FailAsync(signIn);
            _rig.Clock.Advance(TimeSpan.FromSeconds(seconds));
        }

        Assert.Equal(9, _rig.Endpoint.Calls);
        await _rig.GetAsync(signIn);
        // And counts from one again.
        _rig.Expire();
        _rig.Endpoint.Answers(503, "");
        Assert.Equal(_rig.Clock.Now + TimeSpan.FromSeconds(1), (await _rig.FailAsync(signIn)).RetryAt);
    }

    [Fact]
    public async Task ClockSetBack_DoesNotProlongTheWait()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Answers(503, "");
        await _rig.FailAsync(signIn);
        Halt halt = new(SignInFailureKind.Unavailable, "", _rig.Clock.Now, _rig.Clock.Now + TimeSpan.FromSeconds(60));
        Assert.False(halt.IsOver(_rig.Clock.Now));
        Assert.True(halt.IsOver(_rig.Clock.Now - TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task UnknownRefusal_ThreeTries_ThenDeadForTenMinutes()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Cache.KeepOnly([]);
        for (int i = 0; i < 4; i++) _rig.Endpoint.Answers(400, """{"error":"something_new"}""");
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
        _rig.Clock.Advance(TimeSpan.FromSeconds(2));
        SignInFailure dead = await _rig.FailAsync(signIn);
        Assert.Equal((SignInFailureKind.Dead, _rig.Clock.Now + TimeSpan.FromMinutes(10)), (dead.Kind, dead.RetryAt));
        _rig.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(SignInFailureKind.Dead, (await _rig.FailAsync(signIn)).Kind);
        Assert.Equal(4, _rig.Endpoint.Calls);
        _rig.Clock.Advance(TimeSpan.FromMinutes(10));
        await _rig.GetAsync(signIn);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LostAnswer_AsksOnceMoreAtOnce(bool rotated)
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.LosesAnAnswer(rotated);
        SignInAnswer answer = await signIn.GetAsync(CancellationToken.None);
        Assert.Equal(2, _rig.Endpoint.Calls);
        Assert.Equal(rotated ? null : "at-fake-1", answer.Credential?.AccessToken);
        if (rotated) Assert.Equal(SignInFailureKind.Dead, answer.Failure!.Kind);
    }

    [Fact]
    public async Task LostAnswer_Twice_IsTransient()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.LosesAnAnswer(rotates: false).LosesAnAnswer(rotates: false);
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task LostAnswer_OfATypeThatDoesNotRotate_IsNotAskedTwice()
    {
        _rig.Endpoint.Rotates = false;
        SignIn signIn = await ExpiredAsync(nameof(Sample.GeminiNested));
        _rig.Endpoint.LosesAnAnswer(rotates: false);
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task Timeout_AfterTheBodyWasSent_AsksOnceMore()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Hangs();
        Task<SignInAnswer> waiting = signIn.GetAsync(CancellationToken.None).AsTask();
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("at-fake-1", (await waiting).Credential!.AccessToken);
        Assert.Equal(2, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task NoAccessToken_ButANewRefreshToken_IsKept()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Does(_ =>
        {
            _rig.Endpoint.RefreshToken = "rt-fake-odd";
            return Task.FromResult(FakeTokenEndpoint.Make(200, """{"refresh_token":"rt-fake-odd"}"""));
        });
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
        Assert.Contains("rt-fake-odd", File.ReadAllText(signIn.Path));
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await _rig.GetAsync(signIn);
    }

    [Fact]
    public async Task KiroTokenThatLooksCut_IsSaidSo()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.KiroSocial));
        _rig.Endpoint.RefreshToken = "rt-fake-elsewhere";
        Assert.Contains("truncated", (await _rig.FailAsync(signIn)).Message);
        Assert.Equal(1, _rig.Endpoint.Calls);
    }

    [Fact]
    public async Task FileDeleted_TokenServesToItsEnd_ThenUnreadable_ThenBack()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        await _rig.GetAsync(signIn);
        File.Delete(signIn.Path);
        _rig.Clock.AdvanceTo(Sample.Expiry - TimeSpan.FromSeconds(1));
        Assert.Equal(Sample.Access, (await _rig.GetAsync(signIn)).AccessToken);
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        SignInAnswer answer = await _rig.PumpAsync(signIn.GetAsync(CancellationToken.None).AsTask());
        Assert.Equal(SignInFailureKind.Unreadable, answer.Failure!.Kind);
        Assert.Equal(0, _rig.Endpoint.Calls);
        Assert.False(File.Exists(signIn.Path));
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat);
        _rig.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
    }

    [Fact]
    public async Task FileOfAnotherAccount_WhileRunning_IsTakenAtTheRefresh()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        File.WriteAllText(signIn.Path, Sample.ClaudeFlat.Replace("me@", "you@").Replace(Sample.Access, "at-fake-you").Replace("T01:00:00Z", "T09:00:00Z"));
        Credential credential = await _rig.GetAsync(signIn);
        Assert.Equal(("at-fake-you", "you@example.com", 0), (credential.AccessToken, credential.Email, _rig.Endpoint.Calls));
        Assert.Equal(1, _rig.Count(SignInEventKind.AccountChanged));
    }

    [Fact]
    public async Task HandlerThatThrowsAnything_AnswersAll()
    {
        SignIn signIn = await ExpiredAsync(nameof(Sample.ClaudeFlat));
        _rig.Endpoint.Fails(new NotSupportedException("rt-fake")).Fails(new NotSupportedException("rt-fake"));
        Assert.Equal(SignInFailureKind.Unavailable, (await _rig.FailAsync(signIn)).Kind);
    }

    private async Task<SignIn> ExpiredAsync(string name)
    {
        SignIn signIn = _rig.Open(name);
        await signIn.LoadAsync(CancellationToken.None);
        _rig.Expire();
        return signIn;
    }
}
