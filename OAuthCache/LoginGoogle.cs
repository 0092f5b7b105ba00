using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>Google sign-in, for both types that use it.</summary>
public sealed class LoginGoogle(LoginHttp http, LoginBrowser browser)
{
    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        LoginFacts facts = request.Facts;
        var pkce = Pkce.New();
        LoginStep<LoginCode> asked = await browser.AskAsync(
            facts.Redirect, facts.PasteRedirect, request.Way == LoginWay.Paste,
            (redirectUri, state, _) => Task.FromResult<LoginStep<Uri>>(facts.Authorize(request.ClientId, redirectUri, state, pkce)), cancellationToken).ConfigureAwait(false);
        if (asked.Value is not { } code) return asked.Problem!;

        LoginReply reply = await http.PostFormAsync(
            facts.TokenUrl!, cancellationToken,
            ("grant_type", "authorization_code"), ("code", code.Code), ("redirect_uri", code.RedirectUri), ("client_id", request.ClientId),
            ("client_secret", request.ClientSecret ?? ""), ("code_verifier", pkce.Verifier)).ConfigureAwait(false);
        if (!reply.IsFine || reply.Text("access_token") is not { } access) return reply.Refusal("getting tokens");
        if (reply.Text("refresh_token") is not { } refresh)
            return new LoginProblem("Google gave no refresh token: take aiproxy out of the account's connected apps (myaccount.google.com/connections), then sign in again");
        DateTimeOffset now = http.Clock.GetUtcNow();
        DateTimeOffset expiry = LoginTime.Expiry(http.Clock, reply.Number("expires_in"));

        LoginReply user = await http.GetAsync(facts.UserInfoUrl!, access, cancellationToken).ConfigureAwait(false);
        string? email = (user.IsFine ? user.Text("email") : null) ?? JwtClaims.Email(reply.Text("id_token"));
        LoginStep<LoginProject> found = await new LoginGoogleProject(http, facts.Project!, request.Project).FindAsync(access, cancellationToken).ConfigureAwait(false);
        if (found.Value is not { } project) return found.Problem!;

        return new LoginGrant
        {
            Facts = facts,
            Email = email,
            Plan = project.Plan,
            ExpiresAt = expiry,
            File = facts.Provider.Type == "geminicli"
                ? GeminiFile(request, email, project.Id, access, refresh, expiry)
                : AntigravityFile(request, email, project.Id, access, refresh, now, expiry),
        };
    }

    private static JsonObject GeminiFile(LoginRequest request, string? email, string project, string access, string refresh, DateTimeOffset expiry) => new()
    {
        ["type"] = request.Facts.FileType,
        ["email"] = email ?? "",
        ["project_id"] = project,
        ["auto"] = false,
        ["checked"] = true,
        ["token"] = new JsonObject
        {
            ["access_token"] = access,
            ["refresh_token"] = refresh,
            ["token_type"] = "Bearer",
            ["expiry"] = LoginTime.Text(expiry),
            // A refresh token works only with the client that it was issued to.
            ["client_id"] = request.ClientId,
            ["client_secret"] = request.ClientSecret,
            ["token_uri"] = request.Facts.TokenUrl!.AbsoluteUri,
            ["scopes"] = new JsonArray([.. request.Facts.Scopes.Select(scope => (JsonNode)scope)]),
            ["universe_domain"] = "googleapis.com",
        },
    };

    private static JsonObject AntigravityFile(
        LoginRequest request, string? email, string project, string access, string refresh, DateTimeOffset now, DateTimeOffset expiry) => new()
    {
        ["type"] = request.Facts.FileType,
        ["access_token"] = access,
        ["refresh_token"] = refresh,
        ["expires_in"] = (long)(expiry - now).TotalSeconds,
        ["timestamp"] = now.ToUnixTimeMilliseconds(),
        ["expired"] = LoginTime.Text(expiry),
        ["email"] = email ?? "",
        ["project_id"] = project,
        ["client_id"] = request.ClientId,
        ["client_secret"] = request.ClientSecret,
    };
}
