using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What the providers have in common: the authorize page, PKCE, OAuth's error bodies.</summary>
public static class FakeProviderReplies
{
    /// <summary><c>{"error":…,"error_description":…}</c>.</summary>
    public static FakeAnswer OAuthError(int status, string error, string description = "") =>
        FakeAnswer.Json(status, $$"""{"error":{{JsonLook.Quote(error)}},"error_description":{{JsonLook.Quote(description)}}}""");

    /// <summary>A page that shows the user what is wrong with the authorize URL.</summary>
    public static FakeAnswer Page(int status, string text) => FakeAnswer.Whole(status, "text/plain", Encoding.UTF8.GetBytes(text));

    public static FakeAnswer Unauthorized(string body = """{"error":{"message":"Unauthorized"}}""") => FakeAnswer.Json(401, body);

    /// <summary>The user's answer on the authorize page: a redirect with a code, or with <c>access_denied</c>.</summary>
    public static FakeAnswer Consent(FakeProvider provider, FakeProviderCall call, string redirectUri, FakeProviderCode code)
    {
        var state = Uri.EscapeDataString(code.State);
        var result = provider.Denies
            ? $"error=access_denied&error_description=The%20user%20said%20%3Cno%3E&state={state}"
            : $"code={Uri.EscapeDataString(provider.Ledger.AddCode(code))}&state={state}";
        return FakeAnswer.Whole(302, "text/plain", [], ("Location", redirectUri + (redirectUri.Contains('?') ? "&" : "?") + result));
    }

    /// <summary>null: all in order; else what is wrong with an authorize query.</summary>
    public static string? Fault(FakeProviderCall call, string clientName, string clientId, Func<string, bool> isRedirect, bool wantsPkce, params (string Name, string Value)[] exact)
    {
        var query = call.Query;
        if (query.GetValueOrDefault(clientName) != clientId) return $"unknown {clientName} '{query.GetValueOrDefault(clientName)}'";
        if (!isRedirect(query.GetValueOrDefault("redirect_uri", ""))) return $"redirect_uri '{query.GetValueOrDefault("redirect_uri")}' is not registered";
        if (query.GetValueOrDefault("state", "").Length < 32) return "state is missing or short";
        var challenge = query.GetValueOrDefault("code_challenge", "");
        if ((wantsPkce || challenge.Length > 0) && (challenge.Length != 43 || query.GetValueOrDefault("code_challenge_method") != "S256")) return "code_challenge is not S256";
        foreach (var (name, value) in exact)
            if (query.GetValueOrDefault(name) != value) return $"{name} is '{query.GetValueOrDefault(name)}' instead of '{value}'";
        return null;
    }

    public static bool IsLoopback(string redirect, string host, string path, params int[] ports) =>
        Uri.TryCreate(redirect, UriKind.Absolute, out var uri) && uri.Scheme == "http" && uri.Host == host && uri.AbsolutePath == path && uri.Query.Length == 0
        && (ports.Length == 0 || ports.Contains(uri.Port));

    /// <summary>The code belongs to this exchange: redirect, client and verifier are those of the authorize call.</summary>
    public static bool Fits(FakeProviderCode code, string? redirectUri, string? clientId, string? verifier)
    {
        if (code.RedirectUri != redirectUri || code.ClientId != clientId) return false;
        return code.Challenge.Length == 0 || (verifier is { Length: >= 43 and <= 128 } && Challenge(verifier) == code.Challenge);
    }

    public static string Challenge(string verifier) => Base64Url(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    public static string NewVerifier() => Base64Url(RandomNumberGenerator.GetBytes(48));

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
