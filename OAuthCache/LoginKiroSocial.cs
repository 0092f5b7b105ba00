namespace Aiproxy.OAuthCache;

/// <summary>Kiro sign-in with a Google or GitHub account.</summary>
public sealed class LoginKiroSocial(LoginHttp http, LoginBrowser browser)
{
    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        LoginKiroFacts facts = request.Facts.Kiro!;
        var pkce = Pkce.New();
        LoginStep<LoginCode> asked = await browser.AskAsync(
            request.Facts.Redirect, null, request.Way == LoginWay.Paste,
            (redirectUri, state, _) => Task.FromResult<LoginStep<Uri>>(LoginQuery.Add(
                facts.SocialUrl("/login"), ("idp", request.SocialProvider!), ("redirect_uri", redirectUri), ("code_challenge", pkce.Challenge), ("code_challenge_method", "S256"),
                ("state", state), ("prompt", "select_account"))),
            cancellationToken).ConfigureAwait(false);
        if (asked.Value is not { } code) return asked.Problem!;
        // snake_case here, camelCase in the answer.
        LoginReply reply = await http.PostJsonAsync(
            facts.SocialUrl("/oauth/token"), cancellationToken, ("code", code.Code), ("code_verifier", pkce.Verifier), ("redirect_uri", code.RedirectUri)).ConfigureAwait(false);
        if (!reply.IsFine || reply.Text("accessToken") is not { } access || reply.Text("refreshToken") is not { } refresh) return reply.Refusal("getting tokens");
        var tokens = new LoginKiroTokens("social", request.SocialProvider!, access, refresh, LoginTime.Expiry(http.Clock, reply.Number("expiresIn"))) { ProfileArn = reply.Text("profileArn") };
        return await new LoginKiroAccount(http, null).DescribeAsync(request, tokens, cancellationToken).ConfigureAwait(false);
    }
}
