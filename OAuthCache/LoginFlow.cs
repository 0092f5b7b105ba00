namespace Aiproxy.OAuthCache;

/// <summary>One sign-in from the first line on the screen to tokens. Writes nothing.</summary>
/// <param name="limit">How long the user has; null: 5 minutes in a browser, with a device code as long as the provider says.</param>
public sealed class LoginFlow(LoginHttp http, LoginScreen screen, TimeSpan? limit)
{
    private static readonly TimeSpan BrowserLimit = TimeSpan.FromMinutes(5);

    private readonly LoginBrowser _browser = new(screen, http.Clock, limit ?? BrowserLimit);

    /// <exception cref="OperationCanceledException">The token's; nothing else is thrown for what a provider or a user does.</exception>
    public Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken) => request.Facts.Provider.Type switch
    {
        "codex" when request.Way == LoginWay.Device => new LoginCodexDevice(http, screen, limit).SignInAsync(request, cancellationToken),
        "codex" => new LoginCodex(http, _browser).SignInAsync(request, cancellationToken),
        "claudecode" => new LoginClaude(http, _browser).SignInAsync(request, cancellationToken),
        "kiro" when request.SocialProvider is not null => new LoginKiroSocial(http, _browser).SignInAsync(request, cancellationToken),
        "kiro" => new LoginKiro(http, screen, _browser, limit).SignInAsync(request, cancellationToken),
        _ => new LoginGoogle(http, _browser).SignInAsync(request, cancellationToken),
    };
}
