using System.Net.Http;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginBrowserTests
{
    private static readonly LoginRedirect Here = new("127.0.0.1", "/callback", []);

    private readonly FakeClock _clock = new();
    private readonly FakeScreen _screen = new();

    [Fact]
    public async Task Callback_GivesTheCodeAndWhatTheExchangeRepeats()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false);
        string state = await ReturnAsync("code=fake-code&state={0}");
        LoginCode code = (await asking).Value!;
        Assert.Equal(("fake-code", state), (code.Code, code.State));
        Assert.Equal(_screen.Page!.Query, "?redirect=" + Uri.EscapeDataString(code.RedirectUri) + "&state=" + state);
        Assert.Contains(_screen.Page.AbsoluteUri, _screen.Lines);
    }

    [Fact]
    public async Task PasteBesideTheListener_Wins()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false);
        await _screen.Opened;
        _screen.Type("no code");
        _screen.Type("");
        _screen.Type("fake-code#wrong-state");
        _screen.Type($"http://127.0.0.1:1/callback?code=pasted&state={State()}");
        Assert.Equal("pasted", (await asking).Value!.Code);
        Assert.Contains(_screen.Lines, line => line.Contains("neither a code"));
        Assert.Contains(_screen.Lines, line => line.Contains("another sign-in"));
    }

    [Fact]
    public async Task EndOfTheInput_EndsNothingBesideAListener()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false);
        await _screen.Opened;
        _screen.Type(null);
        await ReturnAsync("code=later&state={0}");
        Assert.Equal("later", (await asking).Value!.Code);
    }

    [Fact]
    public async Task EndOfTheInput_EndsAPaste()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: true);
        await _screen.Opened;
        _screen.Type(null);
        Assert.Contains("nothing was pasted", (await asking).Problem!.Line);
    }

    [Theory]
    [InlineData(null, "http://127.0.0.1:49153/callback")]
    [InlineData("https://fake.example.com/code", "https://fake.example.com/code")]
    public async Task Paste_UsesTheProvidersOwnPageWhereThereIsOne(string? pasteRedirect, string redirectUri)
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: true, pasteRedirect);
        await _screen.Opened;
        _screen.Type("plain-code");
        LoginCode code = (await asking).Value!;
        Assert.Equal(("plain-code", redirectUri), (code.Code, code.RedirectUri));
    }

    [Fact]
    public async Task RefusedSignIn_IsToldOnce()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false);
        await ReturnAsync("error=access_denied&error_description=missing_codex_entitlement&state={0}");
        Assert.Equal("the sign-in was refused: access_denied: missing_codex_entitlement", (await asking).Problem!.Line);
    }

    [Fact]
    public async Task Nobody_IsWaitedForUntilTheLimit()
    {
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false);
        await _screen.Opened;
        _clock.Advance(TimeSpan.FromSeconds(299));
        Assert.False(asking.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("nobody signed in within 5 minutes", (await asking).Problem!.Line);
    }

    [Fact]
    public async Task Cancellation_EndsIt()
    {
        using var cancel = new CancellationTokenSource();
        Task<LoginStep<LoginCode>> asking = AskAsync(isPaste: false, cancellationToken: cancel.Token);
        await _screen.Opened;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task PageThatCannotBeMade_EndsIt()
    {
        LoginStep<LoginCode> asked = await new LoginBrowser(_screen.Screen, _clock, TimeSpan.FromMinutes(5)).AskAsync(
            Here, null, false, (_, _, _) => Task.FromResult<LoginStep<Uri>>(new LoginProblem("no")), CancellationToken.None);
        Assert.Equal("no", asked.Problem!.Line);
    }

    private Task<LoginStep<LoginCode>> AskAsync(bool isPaste, string? pasteRedirect = null, CancellationToken cancellationToken = default) =>
        new LoginBrowser(_screen.Screen, _clock, TimeSpan.FromMinutes(5)).AskAsync(
            Here, pasteRedirect, isPaste,
            (redirectUri, state, _) => Task.FromResult<LoginStep<Uri>>(LoginQuery.Add(new Uri("https://fake.example.com/authorize"), ("redirect", redirectUri), ("state", state))),
            cancellationToken);

    private string State() => LoginQuery.Read(_screen.Page!.Query[1..])["state"];

    private async Task<string> ReturnAsync(string query)
    {
        await _screen.Opened;
        string redirect = LoginQuery.Read(_screen.Page!.Query[1..])["redirect"];
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using HttpResponseMessage page = await browser.GetAsync(redirect + "?" + string.Format(query, State()));
        Assert.True(page.IsSuccessStatusCode);
        return State();
    }
}
