using System.Collections.Concurrent;
using static Aiproxy.Tests.EndToEnd.FakeProviderReplies;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>auth.openai.com and the account calls of chatgpt.com.</summary>
public sealed class FakeProviderCodex(FakeProvider provider)
{
    private readonly ConcurrentDictionary<string, (string UserCode, int Polls)> _devices = new();

    public FakeAnswer? Answer(FakeProviderCall call) => (call.Request.Method, call.Path) switch
    {
        ("GET", "/oauth/authorize") => Authorize(call),
        ("POST", "/oauth/token") => Token(call),
        ("POST", "/api/accounts/deviceauth/usercode") => UserCode(call),
        ("POST", "/api/accounts/deviceauth/token") => DeviceToken(call),
        ("GET", "/backend-api/codex/models") => Signed(call, """{"models":[{"slug":"gpt-5.5","display_name":"GPT-5.5","visibility":"list","supported_in_api":true,"priority":1,"context_window":272000}]}"""),
        ("GET", "/backend-api/wham/usage") => Signed(call, """{"plan_type":"plus","rate_limit":{"allowed":true,"limit_reached":false,"primary_window":{"used_percent":12,"limit_window_seconds":18000,"reset_after_seconds":900,"reset_at":1790000000},"secondary_window":null}}"""),
        _ => null,
    };

    private static string ClientId => FakeProvider.ClientId("codex");

    private FakeAnswer Authorize(FakeProviderCall call)
    {
        var fault = Fault(call, "client_id", ClientId, IsRedirect, wantsPkce: true, ("response_type", "code"), ("id_token_add_organizations", "true"), ("codex_cli_simplified_flow", "true"));
        if (fault is null && !call.Query.GetValueOrDefault("scope", "").Split(' ').Order().SequenceEqual(["email", "offline_access", "openid", "profile"])) fault = "scope";
        if (fault is null && call.Query.GetValueOrDefault("originator", "").Length == 0) fault = "originator is missing";
        if (fault is not null) return Page(400, fault);
        var redirect = call.Query["redirect_uri"];
        return Consent(provider, call, redirect, new FakeProviderCode("codex", "", ClientId, redirect, call.Query["code_challenge"], call.Query["state"], provider.Account));
    }

    private static bool IsRedirect(string redirect) => IsLoopback(redirect, "localhost", "/auth/callback", 1455, 1457);

    private FakeAnswer Token(FakeProviderCall call)
    {
        if (!call.IsForm && !call.IsJson) return Error(400, "invalid_request", "unsupported content type");
        if (call.Field("client_id") != ClientId) return Error(401, "invalid_client", "unknown client");
        switch (call.Field("grant_type"))
        {
            case "authorization_code":
                if (!call.IsForm) return Error(400, "invalid_request", "the code exchange is form-encoded");
                if (provider.Ledger.TakeCode(call.Field("code")) is not { } code || !Fits(code, call.Field("redirect_uri"), ClientId, call.Field("code_verifier")))
                    return Error(400, "invalid_grant", "the code is not valid");
                return Tokens(provider.Ledger.Issue(new FakeProviderGrant { Type = "codex", Account = code.Account, ClientId = ClientId }, provider.Lifetime));
            case "refresh_token":
                var grant = provider.Ledger.Refresh("codex", call.Field("refresh_token"), provider.Rotating.Contains("codex"), provider.Lifetime, out var why);
                return grant is not null ? Tokens(grant) : why switch
                {
                    "reused" => Error(401, "refresh_token_reused", "Your refresh token has already been used."),
                    "revoked" => Error(401, "refresh_token_invalidated", "Your refresh token was invalidated."),
                    _ => Error(401, "refresh_token_expired", "Your refresh token has expired."),
                };
            default:
                return Error(400, "unsupported_grant_type", "grant_type");
        }
    }

    private FakeAnswer Tokens(FakeProviderGrant grant)
    {
        var refresh = $",\"refresh_token\":{JsonLook.Quote(grant.RefreshToken)}";
        return FakeAnswer.Json($$"""{"id_token":"{{grant.IdToken}}","access_token":"{{grant.AccessToken}}"{{refresh}},"token_type":"Bearer","expires_in":{{(int)provider.Lifetime.TotalSeconds}}}""");
    }

    private FakeAnswer UserCode(FakeProviderCall call)
    {
        if (provider.Device.IsOff) return FakeAnswer.Json(404, """{"detail":"Not Found"}""");
        if (!call.IsJson || call.Json("client_id") != ClientId) return Error(400, "invalid_request", "client_id");
        var id = $"fake-device-{provider.Ledger.NextSerial()}";
        _devices[id] = ($"FAKE-{provider.Ledger.NextSerial()}", 0);
        return FakeAnswer.Json($$"""{"device_auth_id":"{{id}}","user_code":"{{_devices[id].UserCode}}","interval":"{{provider.Device.Interval}}","expires_at":"2099-01-01T00:00:00Z"}""");
    }

    private FakeAnswer DeviceToken(FakeProviderCall call)
    {
        if (call.Json("device_auth_id") is not { } id || !_devices.TryGetValue(id, out var device) || call.Json("user_code") != device.UserCode)
            return Error(400, "invalid_request", "unknown device");
        _devices[id] = device with { Polls = device.Polls + 1 };
        var waits = device.Polls < provider.Device.Pending || provider.Device.Outcome == "never";
        if (waits) return FakeAnswer.Json(device.Polls % 2 == 0 ? 403 : 404, """{"detail":"pending"}""");
        if (provider.Device.Outcome != "approve") return Error(400, "access_denied", "The user refused.");
        var verifier = NewVerifier();
        var code = new FakeProviderCode("codex", "", ClientId, provider.Issuer("codex") + "/deviceauth/callback", Challenge(verifier), "", provider.Account);
        return FakeAnswer.Json($$"""{"authorization_code":"{{provider.Ledger.AddCode(code)}}","code_challenge":"{{code.Challenge}}","code_verifier":"{{verifier}}"}""");
    }

    private FakeAnswer Signed(FakeProviderCall call, string body)
    {
        if (provider.Ledger.ByAccessToken(call.Bearer) is not { Type: "codex" } grant) return Unauthorized("""{"detail":"Unauthorized"}""");
        return call.Request.Header("ChatGPT-Account-ID") == grant.Account.AccountId ? FakeAnswer.Json(body) : Unauthorized("""{"detail":"account"}""");
    }

    private static FakeAnswer Error(int status, string code, string message) =>
        FakeAnswer.Json(status, $$"""{"error":{"message":{{JsonLook.Quote(message)}},"type":"invalid_request_error","param":null,"code":"{{code}}"} }""");
}
