namespace Aiproxy.OAuthCache;

/// <summary>ChatGPT sign-in with a code that is typed elsewhere: OpenAI's own protocol, not that of RFC 8628.</summary>
public sealed class LoginCodexDevice(LoginHttp http, LoginScreen screen, TimeSpan? limit)
{
    /// <summary>The provider's own.</summary>
    private static readonly TimeSpan UsualLimit = TimeSpan.FromMinutes(15);

    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        LoginCodexDeviceFacts facts = request.Facts.CodexDevice!;
        LoginReply asked = await http.PostJsonAsync(facts.CodeUrl, cancellationToken, ("client_id", request.ClientId)).ConfigureAwait(false);
        if (asked.Status == 404) return new LoginProblem("sign-in with a device code is not enabled for this account or workspace: allow it in ChatGPT's security settings, or leave --device out");
        if (!asked.IsFine || asked.Text("device_auth_id") is not { } device || (asked.Text("user_code") ?? asked.Text("usercode")) is not { } userCode)
            return asked.Refusal("asking for a device code");

        screen.Say("Open this page, in any browser, and type the code:");
        screen.Say("");
        screen.Say(facts.Page.AbsoluteUri);
        screen.Say("code: " + LoginText.Plain(userCode));
        screen.Say("");
        screen.Open(facts.Page);

        var polling = new LoginPolling(LoginTime.Interval(asked.Number("interval")), limit ?? UsualLimit, "nobody typed the code in time");
        LoginStep<LoginReply> polled = await polling.RunAsync(
            token => http.PostJsonAsync(facts.TokenUrl, token, ("device_auth_id", device), ("user_code", userCode)), Judge, http.Clock, cancellationToken).ConfigureAwait(false);
        if (polled.Value is not { } reply) return polled.Problem!;
        // The server made the verifier; it is of use only together with the code.
        if (reply.Text("authorization_code") is not { } code || reply.Text("code_verifier") is not { } verifier) return reply.Refusal("the device sign-in");
        return await LoginCodex.ExchangeAsync(http, request, code, facts.Redirect.AbsoluteUri, verifier, cancellationToken).ConfigureAwait(false);
    }

    private static LoginPoll Judge(LoginReply reply) => reply.Status switch
    {
        403 or 404 => LoginPoll.Wait,
        _ when reply.IsFine => LoginPoll.Done,
        _ => LoginPoll.Failed(reply.Refusal("the device sign-in")),
    };
}
