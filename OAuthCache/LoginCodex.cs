using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>ChatGPT sign-in through the browser.</summary>
public sealed class LoginCodex(LoginHttp http, LoginBrowser browser)
{
    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        var pkce = Pkce.New();
        LoginStep<LoginCode> asked = await browser.AskAsync(
            request.Facts.Redirect, request.Facts.PasteRedirect, request.Way == LoginWay.Paste,
            (redirectUri, state, _) => Task.FromResult<LoginStep<Uri>>(request.Facts.Authorize(request.ClientId, redirectUri, state, pkce)), cancellationToken).ConfigureAwait(false);
        if (asked.Value is not { } code) return asked.Problem!;
        return await ExchangeAsync(http, request, code.Code, code.RedirectUri, pkce.Verifier, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Code to tokens, and what they say of the account; the device sign-in ends here too.</summary>
    public static async Task<LoginStep<LoginGrant>> ExchangeAsync(
        LoginHttp http, LoginRequest request, string code, string redirectUri, string verifier, CancellationToken cancellationToken)
    {
        LoginReply reply = await http.PostFormAsync(
            request.Facts.TokenUrl!, cancellationToken,
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectUri), ("client_id", request.ClientId), ("code_verifier", verifier)).ConfigureAwait(false);
        if (!reply.IsFine || reply.Text("access_token") is not { } access || reply.Text("refresh_token") is not { } refresh) return reply.Refusal("getting tokens");

        AuthFile account = CodexClaims.Fill(new AuthFile { Layout = AuthLayout.CodexFlat, AccessToken = access, IdToken = reply.Text("id_token") });
        DateTimeOffset expiry = JwtClaims.Expiry(access) ?? LoginTime.Expiry(http.Clock, reply.Number("expires_in"));
        var file = new JsonObject
        {
            ["type"] = request.Facts.FileType,
            ["email"] = account.Email ?? "",
            ["account_id"] = account.AccountId ?? "",
            ["id_token"] = reply.Text("id_token") ?? "",
            ["access_token"] = access,
            ["refresh_token"] = refresh,
            ["last_refresh"] = LoginTime.Text(http.Clock.GetUtcNow()),
            ["expired"] = LoginTime.Text(expiry),
        };
        if (request.ClientId != request.Facts.Provider.ClientId) file["client_id"] = request.ClientId;
        return new LoginGrant { Facts = request.Facts, Email = account.Email, Plan = account.Plan, ExpiresAt = expiry, File = file };
    }
}
