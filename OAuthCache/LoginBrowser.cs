namespace Aiproxy.OAuthCache;

/// <summary>Gets an authorization code through a browser: it comes back to a port of ours, or the user pastes what it shows.</summary>
/// <param name="limit">How long the user has.</param>
public sealed class LoginBrowser(LoginScreen screen, TimeProvider clock, TimeSpan limit)
{
    /// <summary>Stands in the address of a page that never loads, where the provider takes any port.</summary>
    private const int PastePort = 49153;

    /// <param name="pasteRedirect">As in <see cref="LoginFacts.PasteRedirect"/>.</param>
    /// <param name="isPaste">Opens no port.</param>
    /// <param name="authorize">The page to open, for a redirect URI and a state.</param>
    public async Task<LoginStep<LoginCode>> AskAsync(
        LoginRedirect redirect, string? pasteRedirect, bool isPaste, Func<string, string, CancellationToken, Task<LoginStep<Uri>>> authorize, CancellationToken cancellationToken)
    {
        string state = Pkce.NewState();
        if (isPaste)
        {
            string redirectUri = pasteRedirect ?? redirect.At(redirect.Ports.Count > 0 ? redirect.Ports[0] : PastePort);
            return await AskAsync(null, redirectUri, state, pasteRedirect is not null, authorize, cancellationToken).ConfigureAwait(false);
        }
        LoginStep<LoginListener> opened = LoginListener.Open(redirect, state, clock);
        if (opened.Value is not { } listener) return opened.Problem!;
        await using (listener.ConfigureAwait(false))
        {
            return await AskAsync(listener, listener.RedirectUri, state, false, authorize, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<LoginStep<LoginCode>> AskAsync(
        LoginListener? listener, string redirectUri, string state, bool showsCode, Func<string, string, CancellationToken, Task<LoginStep<Uri>>> authorize, CancellationToken cancellationToken)
    {
        LoginStep<Uri> page = await authorize(redirectUri, state, cancellationToken).ConfigureAwait(false);
        if (page.Value is not { } url) return page.Problem!;
        screen.Say("Sign in on this page:");
        screen.Say("");
        screen.Say(url.AbsoluteUri);
        screen.Say("");
        screen.Say(listener is not null ? "Waiting for the browser. If it runs on another machine: paste the address of the page that does not load."
            : showsCode ? "Then paste the code that the page shows."
            : "The browser ends on a page that does not load: paste the address of that page.");
        screen.Open(url);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<LoginStep<LoginCallback>> pasted = PasteAsync(state, listener is null, over.Token);
        Task time = Task.Delay(limit, clock, over.Token);
        Task<LoginCallback>? heard = listener?.Answer;
        Task first = await Task.WhenAny(heard is null ? [pasted, time] : [heard, pasted, time]).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (first == time) return new LoginProblem($"nobody signed in within {Words(limit)}");
        LoginStep<LoginCallback> answer = first == heard ? await heard.ConfigureAwait(false) : await pasted.ConfigureAwait(false);
        if (answer.Value is not { } callback) return answer.Problem!;
        return callback.Code is { } code ? new LoginCode(code, state, redirectUri) : callback.Refusal();
    }

    /// <summary>Ends with a callback that may be ours; beside a listener the end of the input ends nothing.</summary>
    private async Task<LoginStep<LoginCallback>> PasteAsync(string state, bool isOnly, CancellationToken cancellationToken)
    {
        while (true)
        {
            string? line = await screen.ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (line is null && isOnly) return new LoginProblem("nothing was pasted: the input ended");
            if (line is null) await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken).ConfigureAwait(false);
            if (string.IsNullOrWhiteSpace(line)) continue;
            LoginCallback? callback = LoginCallback.FromPaste(line);
            if (callback is null) screen.Say("That is neither a code nor the address of the last page; try again.");
            else if (callback.State is { } given && !Pkce.IsSame(state, given)) screen.Say("That belongs to another sign-in (its state differs); try again.");
            else return callback;
        }
    }

    private static string Words(TimeSpan time) => time.TotalSeconds < 120 ? $"{time.TotalSeconds:0.#} s" : $"{time.TotalMinutes:0.#} minutes";
}

/// <summary>A code and what its exchange must repeat.</summary>
/// <param name="State">Ours; what was given back was the same.</param>
public sealed record LoginCode(string Code, string State, string RedirectUri)
{
    public override string ToString() => nameof(LoginCode);
}
