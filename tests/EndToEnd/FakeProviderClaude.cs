using static Aiproxy.Tests.EndToEnd.FakeProviderReplies;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>claude.ai, platform.claude.com and the account calls of api.anthropic.com.</summary>
public sealed class FakeProviderClaude(FakeProvider provider)
{
    /// <summary>Where the provider's own page shows <c>code#state</c>.</summary>
    public const string PasteRedirect = "https://platform.claude.com/oauth/code/callback";

    private const string Scope = "user:inference user:profile";

    public FakeAnswer? Answer(FakeProviderCall call) => (call.Request.Method, call.Path) switch
    {
        ("GET", "/oauth/authorize" or "/cai/oauth/authorize") => Authorize(call),
        ("POST", "/v1/oauth/token") => Token(call),
        ("GET", "/v1/models") => Signed(call, _ => """{"data":[{"type":"model","id":"claude-sonnet-4-6","display_name":"Claude Sonnet 4.6","created_at":"2026-01-01T00:00:00Z"}],"has_more":false}"""),
        ("GET", "/api/oauth/profile") => Signed(call, Profile),
        ("GET", "/api/oauth/usage") => Signed(call, _ => """{"five_hour":{"utilization":17.0,"resets_at":"2026-08-01T15:00:00.000000+00:00"},"seven_day":{"utilization":42.0,"resets_at":null},"seven_day_opus":null}"""),
        _ => null,
    };

    private static string ClientId => FakeProvider.ClientId("claudecode");

    private FakeAnswer Authorize(FakeProviderCall call)
    {
        var fault = Fault(call, "client_id", ClientId, IsRedirect, wantsPkce: true, ("response_type", "code"), ("code", "true"));
        if (fault is null && Scope.Split(' ').Except(call.Query.GetValueOrDefault("scope", "").Split(' ')).Any()) fault = "scope";
        if (fault is not null) return Page(400, fault);
        var redirect = call.Query["redirect_uri"];
        return Consent(provider, call, redirect, new FakeProviderCode("claudecode", "", ClientId, redirect, call.Query["code_challenge"], call.Query["state"], provider.Account));
    }

    private static bool IsRedirect(string redirect) => redirect == PasteRedirect || IsLoopback(redirect, "localhost", "/callback");

    private FakeAnswer Token(FakeProviderCall call)
    {
        if (!call.IsJson) return Invalid();
        if (call.Json("client_id") != ClientId) return OAuthError(401, "invalid_client");
        switch (call.Json("grant_type"))
        {
            case "authorization_code":
                if (call.Json("state") is not { Length: > 0 } state) return Invalid();
                if (provider.Ledger.TakeCode(call.Json("code")) is not { } code || code.State != state || !Fits(code, call.Json("redirect_uri"), ClientId, call.Json("code_verifier")))
                    return OAuthError(400, "invalid_grant", "Invalid 'code' in request.");
                return Tokens(provider.Ledger.Issue(new FakeProviderGrant { Type = "claudecode", Account = code.Account, ClientId = ClientId }, provider.Lifetime));
            case "refresh_token":
                var grant = provider.Ledger.Refresh("claudecode", call.Json("refresh_token"), provider.Rotating.Contains("claudecode"), provider.Lifetime, out _);
                return grant is not null ? Tokens(grant) : OAuthError(400, "invalid_grant", "Refresh token not found or invalid");
            default:
                return Invalid();
        }
    }

    private FakeAnswer Tokens(FakeProviderGrant grant) => FakeAnswer.Json(
        $$"""{"token_type":"Bearer","access_token":"{{grant.AccessToken}}","refresh_token":"{{grant.RefreshToken}}","expires_in":{{(int)provider.Lifetime.TotalSeconds}},"scope":"{{Scope}}","organization":{"uuid":"fake-organization","name":"Fake & Co"},"account":{"uuid":{{JsonLook.Quote(grant.Account.AccountId)}},"email_address":{{JsonLook.Quote(grant.Account.Email)}} } }""");

    private static FakeAnswer Invalid() => FakeAnswer.Json(400, """{"type":"error","error":{"type":"invalid_request_error","message":"Invalid request format"}}""");

    private static string Profile(FakeProviderGrant grant) =>
        $$"""{"account":{"uuid":{{JsonLook.Quote(grant.Account.AccountId)}},"email":{{JsonLook.Quote(grant.Account.Email)}} },"organization":{"uuid":"fake-organization","name":"Fake & Co"} }""";

    private FakeAnswer Signed(FakeProviderCall call, Func<FakeProviderGrant, string> body)
    {
        var beta = call.Request.Header("anthropic-beta") ?? "";
        if (!beta.Split(',').Select(flag => flag.Trim()).Contains("oauth-2025-04-20"))
            return Unauthorized("""{"type":"error","error":{"type":"authentication_error","message":"OAuth authentication is currently not supported."}}""");
        if (call.Request.Header("x-api-key") is not null || provider.Ledger.ByAccessToken(call.Bearer) is not { Type: "claudecode" } grant)
            return Unauthorized("""{"type":"error","error":{"type":"authentication_error","message":"Invalid bearer token"}}""");
        return FakeAnswer.Json(body(grant));
    }
}
