namespace Aiproxy.OAuthCache;

/// <summary>AWS sign-in (builder ID, or an organisation's IAM Identity Center), with a device code or through the browser: SSO OIDC, which is RFC 8628 in camelCase.</summary>
public sealed class LoginKiro(LoginHttp http, LoginScreen screen, LoginBrowser browser, TimeSpan? limit)
{
    private const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
    private static readonly TimeSpan LongestDevice = TimeSpan.FromMinutes(30);

    public async Task<LoginStep<LoginGrant>> SignInAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        LoginKiroFacts facts = request.Facts.Kiro!;
        var place = new Place(facts, request.Region ?? facts.UsualRegion, request.StartUrl ?? facts.BuilderIdStart);
        LoginStep<LoginKiroTokens> signedIn = request.Way == LoginWay.Device
            ? await DeviceAsync(place, cancellationToken).ConfigureAwait(false)
            : await BrowserAsync(place, request.Way == LoginWay.Paste, cancellationToken).ConfigureAwait(false);
        if (signedIn.Value is not { } tokens) return signedIn.Problem!;
        return await new LoginKiroAccount(http, screen).DescribeAsync(request, tokens, cancellationToken).ConfigureAwait(false);
    }

    private async Task<LoginStep<LoginKiroTokens>> DeviceAsync(Place place, CancellationToken cancellationToken)
    {
        LoginReply registered = await RegisterAsync(place, DeviceGrant, null, cancellationToken).ConfigureAwait(false);
        if (Client.Of(registered) is not { } client) return registered.Refusal("registering with AWS");
        LoginReply asked = await http.PostJsonAsync(
            place.Url("/device_authorization"), cancellationToken, ("clientId", client.Id), ("clientSecret", client.Secret), ("startUrl", place.StartUrl)).ConfigureAwait(false);
        if (!asked.IsFine || asked.Text("deviceCode") is not { } device || asked.Text("userCode") is not { } userCode
            || Page(asked.Text("verificationUriComplete") ?? asked.Text("verificationUri")) is not { } page)
            return asked.Refusal("asking for a device code");

        screen.Say("Open this page, in any browser, and see that it shows the code:");
        screen.Say("");
        screen.Say(page.AbsoluteUri);
        screen.Say("code: " + LoginText.Plain(userCode));
        screen.Say("");
        screen.Open(page);

        var told = TimeSpan.FromSeconds(Math.Clamp(asked.Number("expiresIn") ?? 600, 1, (long)LongestDevice.TotalSeconds));
        var polling = new LoginPolling(LoginTime.Interval(asked.Number("interval")), limit is { } own && own < told ? own : told, "nobody confirmed the code in time");
        LoginStep<LoginReply> polled = await polling.RunAsync(
            token => http.PostJsonAsync(
                place.Url("/token"), token, ("clientId", client.Id), ("clientSecret", client.Secret), ("deviceCode", device), ("grantType", DeviceGrant)),
            Judge, http.Clock, cancellationToken).ConfigureAwait(false);
        return polled.Value is { } reply ? Tokens(reply, place, client) : polled.Problem!;
    }

    private async Task<LoginStep<LoginKiroTokens>> BrowserAsync(Place place, bool isPaste, CancellationToken cancellationToken)
    {
        var pkce = Pkce.New();
        Client? client = null;
        LoginStep<LoginCode> asked = await browser.AskAsync(
            place.Facts.OidcRedirect, null, isPaste,
            async (redirectUri, state, token) =>
            {
                LoginReply registered = await RegisterAsync(place, "authorization_code", redirectUri, token).ConfigureAwait(false);
                client = Client.Of(registered);
                if (client is null) return registered.Refusal("registering with AWS");
                return LoginQuery.Add(
                    place.Url("/authorize"), ("response_type", "code"), ("client_id", client.Id), ("redirect_uri", redirectUri), ("scopes", string.Join(' ', place.Facts.Scopes)),
                    ("state", state), ("code_challenge", pkce.Challenge), ("code_challenge_method", "S256"));
            },
            cancellationToken).ConfigureAwait(false);
        if (asked.Value is not { } code) return asked.Problem!;
        LoginReply reply = await http.PostJsonAsync(
            place.Url("/token"), cancellationToken,
            ("clientId", client!.Id), ("clientSecret", client.Secret), ("grantType", "authorization_code"), ("code", code.Code), ("codeVerifier", pkce.Verifier),
            ("redirectUri", code.RedirectUri)).ConfigureAwait(false);
        return Tokens(reply, place, client);
    }

    private Task<LoginReply> RegisterAsync(Place place, string grant, string? redirectUri, CancellationToken cancellationToken) =>
        http.PostJsonAsync(place.Url("/client/register"), null, writer =>
        {
            writer.WriteString("clientName", "aiproxy");
            writer.WriteString("clientType", "public");
            writer.WriteStartArray("scopes");
            foreach (string scope in place.Facts.Scopes) writer.WriteStringValue(scope);
            writer.WriteEndArray();
            writer.WriteStartArray("grantTypes");
            writer.WriteStringValue(grant);
            writer.WriteStringValue("refresh_token");
            writer.WriteEndArray();
            if (redirectUri is not null)
            {
                writer.WriteStartArray("redirectUris");
                writer.WriteStringValue(redirectUri);
                writer.WriteEndArray();
            }
            writer.WriteString("issuerUrl", place.StartUrl);
        }, cancellationToken);

    private static LoginPoll Judge(LoginReply reply)
    {
        if (reply.IsFine) return LoginPoll.Done;
        return reply.Error switch
        {
            "authorization_pending" or "AuthorizationPendingException" => LoginPoll.Wait,
            "slow_down" or "SlowDownException" => LoginPoll.SlowDown,
            "expired_token" or "ExpiredTokenException" => LoginPoll.Failed(new LoginProblem("the code expired before anybody confirmed it")),
            "access_denied" or "AccessDeniedException" => LoginPoll.Failed(new LoginProblem("the sign-in was refused: access_denied")),
            _ => LoginPoll.Failed(reply.Refusal("the device sign-in")),
        };
    }

    private LoginStep<LoginKiroTokens> Tokens(LoginReply reply, Place place, Client client)
    {
        if (!reply.IsFine || reply.Text("accessToken") is not { } access || reply.Text("refreshToken") is not { } refresh) return reply.Refusal("getting tokens");
        bool isBuilderId = place.StartUrl == place.Facts.BuilderIdStart;
        return new LoginKiroTokens(isBuilderId ? "builder-id" : "idc", isBuilderId ? "BuilderId" : "Enterprise", access, refresh, LoginTime.Expiry(http.Clock, reply.Number("expiresIn")))
        {
            ClientId = client.Id,
            ClientSecret = client.Secret,
            Region = place.Region,
            StartUrl = place.StartUrl,
        };
    }

    /// <summary>A page that may be shown: a browser opens other things than pages too.</summary>
    private static Uri? Page(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? page) && (page.Scheme == Uri.UriSchemeHttps || (page.Scheme == Uri.UriSchemeHttp && page.IsLoopback)) ? page : null;

    private sealed record Place(LoginKiroFacts Facts, string Region, string StartUrl)
    {
        public Uri Url(string path) => Facts.OidcUrl(Region, path);
    }

    private sealed record Client(string Id, string Secret)
    {
        public static Client? Of(LoginReply reply) =>
            reply.IsFine && reply.Text("clientId") is { } id && reply.Text("clientSecret") is { } secret ? new Client(id, secret) : null;
    }
}

/// <summary>Tokens of kiro, and what their refresh needs.</summary>
/// <param name="Method">As in the auth file.</param>
public sealed record LoginKiroTokens(string Method, string Provider, string AccessToken, string RefreshToken, DateTimeOffset ExpiresAt)
{
    public string? ProfileArn { get; init; }

    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }

    public string? Region { get; init; }

    public string? StartUrl { get; init; }

    public override string ToString() => Method;
}
