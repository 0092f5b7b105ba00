using System.Collections.Concurrent;
using static Aiproxy.Tests.EndToEnd.FakeProviderReplies;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Google's accounts, and the account calls of Code Assist; for both types that use them.</summary>
public sealed class FakeProviderGoogle(FakeProvider provider, string type)
{
    /// <summary>Where Google's own page shows the code of a geminicli sign-in.</summary>
    public const string PasteRedirect = "https://codeassist.google.com/authcode";

    private readonly ConcurrentDictionary<string, int> _onboarding = new();

    public FakeAnswer? Answer(FakeProviderCall call) => (call.Request.Method, call.Path) switch
    {
        ("GET", "/o/oauth2/v2/auth") => Authorize(call),
        ("POST", "/token") => Token(call),
        ("GET", "/oauth2/v2/userinfo") => Signed(call, grant => $$"""{"id":"1","email":{{JsonLook.Quote(grant.Account.Email)}},"verified_email":true}"""),
        ("POST", "/v1internal:loadCodeAssist") => Signed(call, Load),
        ("POST", "/v1internal:onboardUser") => Signed(call, grant => Onboard(call, grant)),
        ("GET", "/v1internal/operations/fake-onboarding") => Signed(call, Operation),
        ("POST", "/v1internal:retrieveUserQuota") => Signed(call, _ => """{"buckets":[{"modelId":"gemini-2.5-pro","tokenType":"REQUESTS","remainingFraction":0.83,"resetTime":"2026-08-02T07:00:00Z"}]}"""),
        ("POST", "/v1internal:fetchAvailableModels") when type == "antigravity" => Signed(call, _ => """{"models":{"claude-sonnet-4-6":{"displayName":"Claude Sonnet 4.6","maxTokens":200000,"maxOutputTokens":64000,"quotaInfo":{"remainingFraction":0.6,"resetTime":"2026-08-01T15:00:00Z"}}}}"""),
        _ => null,
    };

    private string ClientId => FakeProvider.ClientId(type);

    private FakeAnswer Authorize(FakeProviderCall call)
    {
        var paste = call.Query.GetValueOrDefault("redirect_uri") == PasteRedirect;
        var fault = Fault(call, "client_id", ClientId, IsRedirect, wantsPkce: paste, ("response_type", "code"), ("access_type", "offline"), ("prompt", "consent"));
        string[] scopes = type == "geminicli" ? ["cloud-platform", "userinfo.email", "userinfo.profile"] : ["cloud-platform", "userinfo.email", "userinfo.profile", "cclog", "experimentsandconfigs"];
        if (fault is null && !call.Query.GetValueOrDefault("scope", "").Split(' ').SequenceEqual(scopes.Select(scope => "https://www.googleapis.com/auth/" + scope))) fault = "scope";
        if (fault is not null) return Page(400, fault);
        var redirect = call.Query["redirect_uri"];
        return Consent(provider, call, redirect, new FakeProviderCode(type, "", ClientId, redirect, call.Query.GetValueOrDefault("code_challenge", ""), call.Query["state"], provider.Account));
    }

    private bool IsRedirect(string redirect) => type == "geminicli"
        ? redirect == PasteRedirect || IsLoopback(redirect, "127.0.0.1", "/oauth2callback")
        : IsLoopback(redirect, "localhost", "/oauth-callback", 51121);

    private FakeAnswer Token(FakeProviderCall call)
    {
        if (!call.IsForm) return OAuthError(400, "invalid_request", "Could not determine client ID from request.");
        if (call.Field("client_id") != ClientId) return OAuthError(401, "invalid_client", "The OAuth client was not found.");
        if (call.Field("client_secret") is not { Length: > 0 } secret) return OAuthError(400, "invalid_request", "client_secret is missing.");
        if (secret != FakeProvider.ClientSecret(type)) return OAuthError(401, "invalid_client", "The provided client secret is invalid.");
        switch (call.Field("grant_type"))
        {
            case "authorization_code":
                if (provider.Ledger.TakeCode(call.Field("code")) is not { } code || !Fits(code, call.Field("redirect_uri"), ClientId, call.Field("code_verifier")))
                    return OAuthError(400, "invalid_grant", "Malformed auth code.");
                return Tokens(provider.Ledger.Issue(new FakeProviderGrant { Type = type, Account = code.Account, ClientId = ClientId, ClientSecret = secret }, provider.Lifetime), withRefresh: true);
            case "refresh_token":
                var rotates = provider.Rotating.Contains(type);
                var grant = provider.Ledger.Refresh(type, call.Field("refresh_token"), rotates, provider.Lifetime, out _);
                return grant is not null ? Tokens(grant, rotates) : OAuthError(400, "invalid_grant", "Token has been expired or revoked.");
            default:
                return OAuthError(400, "unsupported_grant_type", "Invalid grant_type");
        }
    }

    private FakeAnswer Tokens(FakeProviderGrant grant, bool withRefresh)
    {
        var refresh = withRefresh ? $",\"refresh_token\":\"{grant.RefreshToken}\"" : "";
        return FakeAnswer.Json($$"""{"access_token":"{{grant.AccessToken}}","expires_in":{{(int)provider.Lifetime.TotalSeconds}}{{refresh}},"scope":"https://www.googleapis.com/auth/cloud-platform","token_type":"Bearer","id_token":"{{grant.IdToken}}"}""");
    }

    private string Load(FakeProviderGrant grant)
    {
        var project = provider.Project;
        if (project.ValidationUrl is { } url) return $$"""{"ineligibleTiers":[{"reasonCode":"VALIDATION_REQUIRED","reasonMessage":"Verify your account","tierId":"free-tier","validationUrl":{{JsonLook.Quote(url)}}}]}""";
        if (project.Ineligible is { } reason) return $$"""{"ineligibleTiers":[{"reasonCode":{{JsonLook.Quote(reason)}},"reasonMessage":"This account is not eligible","tierId":"free-tier","tierName":"Free"}]}""";
        var tier = $$"""{"id":{{JsonLook.Quote(project.Tier)}},"name":{{JsonLook.Quote(grant.Account.Plan)}},"isDefault":true}""";
        var known = !project.TellsProject ? "" : project.ProjectAsObject ? $",\"cloudaicompanionProject\":{{\"id\":\"{grant.Account.ProjectId}\"}}" : $",\"cloudaicompanionProject\":\"{grant.Account.ProjectId}\"";
        return project.HasTier ? $$"""{"currentTier":{{tier}}{{known}}}""" : $$"""{"allowedTiers":[{"id":"other-tier"},{{tier}}]}""";
    }

    private string Onboard(FakeProviderCall call, FakeProviderGrant grant)
    {
        if ((call.Json("tierId") ?? call.Json("tier_id")) != provider.Project.Tier) return """{"error":{"code":400,"message":"unknown tier"}}""";
        if (provider.Project.Tier == "free-tier" && JsonLook.At(call.Request.Text, "cloudaicompanionProject") is not null) return """{"error":{"code":400,"message":"Precondition Failed"}}""";
        return Operation(grant);
    }

    private string Operation(FakeProviderGrant grant)
    {
        var polls = _onboarding.AddOrUpdate(grant.Account.Email, 1, (_, before) => before + 1);
        return polls <= provider.Project.Polls
            ? """{"name":"operations/fake-onboarding","done":false}"""
            : $$"""{"name":"operations/fake-onboarding","done":true,"response":{"cloudaicompanionProject":{"id":"{{grant.Account.ProjectId}}","name":"{{grant.Account.ProjectId}}"} } }""";
    }

    private FakeAnswer Signed(FakeProviderCall call, Func<FakeProviderGrant, string> body) => provider.Ledger.ByAccessToken(call.Bearer) is { } grant && grant.Type == type
        ? FakeAnswer.Json(body(grant) is var text && text.StartsWith("""{"error":""", StringComparison.Ordinal) ? 400 : 200, text)
        : Unauthorized("""{"error":{"code":401,"status":"UNAUTHENTICATED","message":"Request had invalid authentication credentials."}}""");
}
