using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Tells what a token endpoint's answer means for the sign-in.</summary>
public static class RefreshJudge
{
    private static readonly string[] TokenCodes =
    [
        "invalid_grant", "refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated", "unauthorized_client",
        "InvalidGrantException", "ExpiredTokenException", "UnauthorizedException", "UnauthorizedClientException",
    ];

    private static readonly string[] ClientCodes = ["invalid_client", "deleted_client", "InvalidClientException"];

    public static RefreshOutcome Judge(string type, KiroMethod? kiro, RefreshRequest request, RefreshReply reply, DateTimeOffset now)
    {
        if (reply.Problem is { } problem) return new RefreshOutcome(reply.WasSent ? RefreshOutcomeKind.Lost : RefreshOutcomeKind.Transient, null, problem);
        if (reply.Status is >= 200 and < 300) return Success(reply, now);
        string status = $"the token endpoint answered {reply.Status}";
        if (reply.Status == 429) return new RefreshOutcome(RefreshOutcomeKind.RateLimited, null, status, reply.Wait);
        if (reply.Status is < 400 or >= 500 or 408 or 425) return new RefreshOutcome(RefreshOutcomeKind.Transient, null, status);

        (HashSet<string> codes, bool isJson, bool lacksSecret) = Codes(reply);
        if (codes.FirstOrDefault(code => ClientCodes.Contains(code)) is { } clientCode) return Client(type, request, status, clientCode);
        if (lacksSecret && !request.HasClientSecret) return Client(type, request, status, "client_secret is missing");
        if (codes.FirstOrDefault(code => TokenCodes.Contains(code)) is { } tokenCode)
        {
            string detail = codes.Contains("invalid_rapt") ? "invalid_rapt: the organisation asks for a new sign-in" : tokenCode;
            return new RefreshOutcome(RefreshOutcomeKind.Permanent, null, $"{status} ({detail})");
        }

        bool isRefused = (type, reply.Status) switch
        {
            ("codex" or "claudecode", 401) => true,
            ("claudecode", 404) => codes.Contains("not_found_error"),
            ("kiro", 401) => kiro == KiroMethod.Social,
            // A page of a firewall is no refusal.
            ("kiro", 403) => kiro == KiroMethod.Social && (isJson || reply.Body.Length == 0),
            _ => false,
        };
        if (isRefused) return new RefreshOutcome(RefreshOutcomeKind.Permanent, null, status);
        return isJson
            ? new RefreshOutcome(RefreshOutcomeKind.Unknown, null, status)
            : new RefreshOutcome(RefreshOutcomeKind.Transient, null, status + " with something that is not JSON");
    }

    private static RefreshOutcome Success(RefreshReply reply, DateTimeOffset now)
    {
        if (TokenGrant.Read(reply.Body, now) is not { } grant)
        {
            return new RefreshOutcome(RefreshOutcomeKind.Transient, null, $"the token endpoint answered {reply.Status} with something that is no token answer");
        }

        return grant.AccessToken is not null
            ? new RefreshOutcome(RefreshOutcomeKind.Granted, grant, "")
            : new RefreshOutcome(RefreshOutcomeKind.Transient, grant, $"the token endpoint answered {reply.Status} without an access token");
    }

    /// <summary>Names the setting that mends it.</summary>
    private static RefreshOutcome Client(string type, RefreshRequest request, string status, string code)
    {
        string mend = type switch
        {
            "geminicli" or "antigravity" when !request.HasClientSecret =>
                "the client secret is missing: set oauth.client_secret of the upstream (and oauth.client_id, if it is not the provider's own client), or client_secret in the file",
            "geminicli" or "antigravity" => "client id and secret do not fit: check oauth.client_id and oauth.client_secret of the upstream, or client_id and client_secret in the file",
            "kiro" => "the registered client has expired or is unknown (clientId and clientSecret)",
            _ => "the client is refused: check oauth.client_id of the upstream",
        };
        return new RefreshOutcome(RefreshOutcomeKind.Client, null, $"{status} ({code}): {mend}");
    }

    /// <summary>Providers put the code under <c>error</c>, <c>error.code</c>, <c>error.type</c>, <c>code</c>, <c>__type</c> or into a header.</summary>
    private static (HashSet<string> Codes, bool IsJson, bool LacksSecret) Codes(RefreshReply reply)
    {
        var codes = new HashSet<string>(StringComparer.Ordinal);
        if (reply.AmazonError is { } header) codes.Add(Tail(header));
        try
        {
            using JsonDocument document = JsonDocument.Parse(reply.Body, JsonSplice.DocumentOptions);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return (codes, false, false);
            JsonElement error = JsonMember.Object(root, "error") ?? default;
            foreach ((JsonElement holder, string name) in new[]
            {
                (root, "error"), (root, "error_subtype"), (root, "code"), (root, "__type"), (root, "type"), (root, "reason"),
                (error, "code"), (error, "type"), (error, "status"),
            })
            {
                if (JsonMember.Text(holder, name) is { } code) codes.Add(Tail(code));
            }

            string words = string.Join(' ', JsonMember.Text(root, "error_description"), JsonMember.Text(root, "message"), JsonMember.Text(error, "message"));
            return (codes, true, words.Contains("client_secret is missing", StringComparison.OrdinalIgnoreCase));
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return (codes, false, false);
        }
    }

    /// <summary>Of <c>com.amazonaws.ssooidc#InvalidGrantException:http://...</c> the name.</summary>
    private static string Tail(string code)
    {
        int colon = code.IndexOf(':');
        if (colon >= 0) code = code[..colon];
        return code[(code.LastIndexOf('#') + 1)..];
    }
}
