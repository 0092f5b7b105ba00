using System.Collections.Concurrent;
using System.Text.Json;
using static Aiproxy.Tests.EndToEnd.FakeProviderReplies;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>AWS SSO OIDC, Kiro's social sign-in, an organisation's identity provider, and the account calls of CodeWhisperer.</summary>
public sealed class FakeProviderKiro(FakeProvider provider)
{
    private const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

    private readonly ConcurrentDictionary<string, (string Secret, string Issuer, string? Redirect)> _clients = new();
    private readonly ConcurrentDictionary<string, (string ClientId, int Polls)> _devices = new();

    public FakeAnswer? Answer(FakeProviderCall call) => (call.Request.Method, call.Path) switch
    {
        ("POST", "/client/register") => Register(call),
        ("POST", "/device_authorization") => DeviceAuthorization(call),
        ("GET", "/authorize") => Authorize(call),
        ("POST", "/token") => OidcToken(call),
        ("GET", "/login") => Login(call),
        ("POST", "/oauth/token") => SocialExchange(call),
        ("POST", "/refreshToken") => SocialRefresh(call),
        ("POST", "/external/token") => ExternalToken(call),
        ("GET", "/getUsageLimits") => Signed(call, grant => $$"""{"daysUntilReset":10,"nextDateReset":1790000000.0,"usageBreakdownList":[{"resourceType":"AGENTIC_REQUEST","currentUsage":3,"usageLimit":50}],"subscriptionInfo":{"subscriptionTitle":{{JsonLook.Quote(grant.Account.Plan)}},"type":"Q_DEVELOPER_STANDALONE"},"userInfo":{"email":{{JsonLook.Quote(grant.Account.Email)}},"userId":"fake-user"} }"""),
        ("GET", "/ListAvailableModels") => Signed(call, _ => """{"models":[{"modelId":"claude-sonnet-4.5","modelName":"Claude Sonnet 4.5","tokenLimits":{"maxInputTokens":200000,"maxOutputTokens":64000}}],"defaultModel":{"modelId":"auto"}}"""),
        ("POST", "/") when call.Request.Header("X-Amz-Target") == "AmazonCodeWhispererService.ListAvailableProfiles" => Signed(call, _ => Profiles()),
        _ => null,
    };

    private FakeAnswer Register(FakeProviderCall call)
    {
        if (!call.IsJson || call.Json("clientType") != "public" || call.Json("clientName") is not { Length: > 0 }) return Invalid("clientName, clientType");
        if (JsonLook.At(call.Request.Text, "scopes") is not { ValueKind: JsonValueKind.Array } scopes || scopes.GetArrayLength() != 5) return Invalid("scopes");
        var grants = JsonLook.At(call.Request.Text, "grantTypes") is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray().Select(grant => grant.GetString()).ToArray() : [];
        var redirect = JsonLook.Text(call.Request.Text, "redirectUris", 0);
        if (!grants.Contains("refresh_token") || !grants.Contains(redirect is null ? DeviceGrant : "authorization_code")) return Invalid("grantTypes");
        var id = $"fake-registered-{provider.Ledger.NextSerial()}";
        _clients[id] = ($"FAKE-secret-{id}", call.Json("issuerUrl") ?? "", redirect);
        return FakeAnswer.Json($$"""{"clientId":"{{id}}","clientSecret":"{{_clients[id].Secret}}","clientIdIssuedAt":1780000000,"clientSecretExpiresAt":1790000000}""");
    }

    private bool IsClient(FakeProviderCall call) => call.Json("clientId") is { } id && _clients.TryGetValue(id, out var client) && call.Json("clientSecret") == client.Secret;

    private FakeAnswer DeviceAuthorization(FakeProviderCall call)
    {
        if (!IsClient(call)) return OAuthError(401, "invalid_client");
        if (call.Json("startUrl") != _clients[call.Json("clientId")!].Issuer) return Invalid("startUrl");
        var code = $"fake-device-{provider.Ledger.NextSerial()}";
        _devices[code] = (call.Json("clientId")!, 0);
        return FakeAnswer.Json($$"""{"deviceCode":"{{code}}","userCode":"FAKE-CODE","verificationUri":"https://device.sso.us-east-1.amazonaws.com/","verificationUriComplete":"https://device.sso.us-east-1.amazonaws.com/?user_code=FAKE-CODE","expiresIn":{{provider.Device.ExpiresIn}},"interval":{{provider.Device.Interval}}}""");
    }

    private FakeAnswer Authorize(FakeProviderCall call)
    {
        var id = call.Query.GetValueOrDefault("client_id", "");
        if (!_clients.TryGetValue(id, out var client)) return Page(400, "unknown client_id");
        var fault = Fault(call, "client_id", id, redirect => redirect == client.Redirect && IsLoopback(redirect, "127.0.0.1", "/oauth/callback"), wantsPkce: true, ("response_type", "code"));
        if (fault is null && call.Query.GetValueOrDefault("scopes", "").Split(',', ' ').Length != 5) fault = "scopes";
        if (fault is not null) return Page(400, fault);
        return Consent(provider, call, client.Redirect!, new FakeProviderCode("kiro", Method(id), id, client.Redirect!, call.Query["code_challenge"], call.Query["state"], provider.Account));
    }

    private string Method(string clientId) => _clients[clientId].Issuer == "https://view.awsapps.com/start" ? "builder-id" : "idc";

    private FakeAnswer OidcToken(FakeProviderCall call)
    {
        if (!call.IsJson) return Invalid("the body is JSON");
        var id = call.Json("clientId") ?? "";
        switch (call.Json("grantType"))
        {
            case "refresh_token":
                if (provider.Ledger.ByRefreshToken(call.Json("refreshToken")) is { } known && (known.ClientId != id || known.ClientSecret != call.Json("clientSecret"))) return OAuthError(401, "invalid_client");
                return Refresh(call.Json("refreshToken"), ["builder-id", "idc"], grant => grant is not null ? Tokens(grant) : OAuthError(400, "invalid_grant", "Invalid refresh token provided"));
            case "authorization_code":
                if (!IsClient(call)) return OAuthError(401, "invalid_client");
                if (provider.Ledger.TakeCode(call.Json("code")) is not { } code || !Fits(code, call.Json("redirectUri"), id, call.Json("codeVerifier"))) return OAuthError(400, "invalid_grant");
                return Tokens(Issue(code.Method, id, code.Account));
            case DeviceGrant:
                return IsClient(call) ? PollDevice(call.Json("deviceCode") ?? "", id) : OAuthError(401, "invalid_client");
            default:
                return OAuthError(400, "unsupported_grant_type");
        }
    }

    private FakeAnswer PollDevice(string deviceCode, string clientId)
    {
        if (!_devices.TryGetValue(deviceCode, out var device) || device.ClientId != clientId) return OAuthError(400, "invalid_grant");
        var polls = device.Polls;
        _devices[deviceCode] = device with { Polls = polls + 1 };
        if (polls < provider.Device.Pending || provider.Device.Outcome == "never") return OAuthError(400, "authorization_pending");
        if (polls < provider.Device.Pending + provider.Device.SlowDowns) return OAuthError(400, "slow_down");
        if (provider.Device.Outcome == "deny") return OAuthError(400, "access_denied");
        if (provider.Device.Outcome == "expire") return OAuthError(400, "expired_token");
        return Tokens(Issue(Method(clientId), clientId, provider.Account));
    }

    private FakeProviderGrant Issue(string method, string clientId, FakeProviderAccount account) => provider.Ledger.Issue(
        new FakeProviderGrant { Type = "kiro", Method = method, Account = account, ClientId = clientId, ClientSecret = _clients.TryGetValue(clientId, out var client) ? client.Secret : null }, provider.Lifetime);

    private FakeAnswer Login(FakeProviderCall call)
    {
        var idp = call.Query.GetValueOrDefault("idp", "");
        var fault = idp is "Google" or "Github" ? null : "idp";
        if (!IsLoopback(call.Query.GetValueOrDefault("redirect_uri", ""), "localhost", "/oauth/callback", 3128, 49153, 9876)) fault ??= "redirect_uri";
        if (call.Query.GetValueOrDefault("code_challenge", "").Length != 43 || call.Query.GetValueOrDefault("code_challenge_method") != "S256") fault ??= "code_challenge";
        if (call.Query.GetValueOrDefault("state", "").Length < 32) fault ??= "state";
        if (fault is not null) return Page(400, fault);
        var redirect = call.Query["redirect_uri"];
        return Consent(provider, call, redirect, new FakeProviderCode("kiro", "social", idp, redirect, call.Query["code_challenge"], call.Query["state"], provider.Account));
    }

    private FakeAnswer SocialExchange(FakeProviderCall call)
    {
        if (!call.IsJson || provider.Ledger.TakeCode(call.Json("code")) is not { } code || !Fits(code, call.Json("redirect_uri"), code.ClientId, call.Json("code_verifier")))
            return FakeAnswer.Json(400, """{"message":"Invalid code"}""");
        return Tokens(Issue("social", FakeProvider.ClientId("kiro"), code.Account));
    }

    private FakeAnswer SocialRefresh(FakeProviderCall call) => !call.IsJson
        ? FakeAnswer.Json(400, """{"message":"Invalid request body"}""")
        : Refresh(call.Json("refreshToken"), ["social"], grant => grant is not null ? Tokens(grant) : FakeAnswer.Json(401, """{"message":"Invalid refresh token"}"""));

    private FakeAnswer ExternalToken(FakeProviderCall call)
    {
        if (!call.IsForm || call.Field("grant_type") != "refresh_token" || call.Field("client_id") is not { Length: > 0 } || call.Field("scope") is not { Length: > 0 }) return OAuthError(400, "invalid_request");
        return Refresh(call.Field("refresh_token"), ["external_idp"], grant => grant is null
            ? OAuthError(400, "invalid_grant", "AADSTS700082")
            : FakeAnswer.Json($$"""{"token_type":"Bearer","access_token":"{{grant.AccessToken}}","refresh_token":"{{grant.RefreshToken}}","expires_in":{{(int)provider.Lifetime.TotalSeconds}}}"""));
    }

    private FakeAnswer Refresh(string? refreshToken, string[] methods, Func<FakeProviderGrant?, FakeAnswer> answer)
    {
        // Each kind of sign-in has its own endpoint; another's token is unknown there.
        if (provider.Ledger.ByRefreshToken(refreshToken) is not { } known || !methods.Contains(known.Method)) return answer(null);
        return answer(provider.Ledger.Refresh("kiro", refreshToken, provider.Rotating.Contains("kiro"), provider.Lifetime, out _));
    }

    private FakeAnswer Tokens(FakeProviderGrant grant)
    {
        var profile = grant.Method == "social" ? $",\"profileArn\":\"{grant.Account.ProfileArn}\"" : ",\"tokenType\":\"Bearer\"";
        return FakeAnswer.Json($$"""{"accessToken":"{{grant.AccessToken}}","refreshToken":"{{grant.RefreshToken}}","expiresIn":{{(int)provider.Lifetime.TotalSeconds}}{{profile}}}""");
    }

    private string Profiles() => $$"""{"profiles":[{{string.Join(',', provider.Profiles.Select((arn, i) => $$"""{"arn":"{{arn}}","profileName":"Fake {{i + 1}}"}"""))}}]}""";

    private FakeAnswer Signed(FakeProviderCall call, Func<FakeProviderGrant, string> body)
    {
        if (provider.Ledger.ByAccessToken(call.Bearer) is not { Type: "kiro" } grant)
            return FakeAnswer.Json(403, """{"message":"The bearer token included in the request is invalid.","reason":null}""");
        if (grant.Method == "external_idp" && call.Request.Header("TokenType") != "EXTERNAL_IDP") return FakeAnswer.Json(403, """{"message":"Access denied"}""");
        if (grant.Method == "builder-id" && call.Query.ContainsKey("profileArn")) return FakeAnswer.Json(403, """{"message":"AccessDenied"}""");
        return FakeAnswer.Json(body(grant));
    }

    private static FakeAnswer Invalid(string what) => OAuthError(400, "invalid_request", what);
}
