using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>claude.ai sign-in.</summary>
public sealed class LoginClaude(LoginHttp http, LoginBrowser browser)
{
    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        var pkce = Pkce.New();
        LoginStep<LoginCode> asked = await browser.AskAsync(
            request.Facts.Redirect, request.Facts.PasteRedirect, request.Way == LoginWay.Paste,
            (redirectUri, state, _) => Task.FromResult<LoginStep<Uri>>(request.Facts.Authorize(request.ClientId, redirectUri, state, pkce)), cancellationToken).ConfigureAwait(false);
        if (asked.Value is not { } code) return asked.Problem!;

        // JSON, and the state once more: this token endpoint asks for both.
        LoginReply reply = await http.PostJsonAsync(
            request.Facts.TokenUrl!, cancellationToken,
            ("grant_type", "authorization_code"), ("code", code.Code), ("redirect_uri", code.RedirectUri), ("client_id", request.ClientId),
            ("code_verifier", pkce.Verifier), ("state", code.State)).ConfigureAwait(false);
        if (!reply.IsFine || reply.Text("access_token") is not { } access || reply.Text("refresh_token") is not { } refresh) return reply.Refusal("getting tokens");

        string? email = reply.Text("account", "email_address");
        string? organization = reply.Text("organization", "name");
        DateTimeOffset expiry = LoginTime.Expiry(http.Clock, reply.Number("expires_in"));
        var file = new JsonObject
        {
            ["type"] = request.Facts.FileType,
            ["email"] = email ?? "",
            ["access_token"] = access,
            ["refresh_token"] = refresh,
            ["id_token"] = "",
            ["last_refresh"] = LoginTime.Text(http.Clock.GetUtcNow()),
            ["expired"] = LoginTime.Text(expiry),
            ["account_uuid"] = reply.Text("account", "uuid") ?? "",
            ["organization_uuid"] = reply.Text("organization", "uuid") ?? "",
            ["organization_name"] = organization ?? "",
        };
        if (request.ClientId != request.Facts.Provider.ClientId) file["client_id"] = request.ClientId;
        return new LoginGrant { Facts = request.Facts, Email = email, Plan = organization, ExpiresAt = expiry, File = file };
    }
}
