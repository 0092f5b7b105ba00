using System.Text;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>What a provider wants to hear when a token is refreshed: address, encoding, client. Sources: the provider pages, by type.</summary>
public sealed class RefreshPlan(SignInOptions options, FileSteps steps)
{
    private const string SocialUrl = "https://prod.us-east-1.auth.desktop.kiro.dev/refreshToken";

    /// <summary>Hosts to which the file of an external identity provider may send a refresh token.</summary>
    private static readonly string[] IdentityHosts =
        ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"];

    /// <summary>Exactly one of the two is set; the problem completes "the sign-in ".</summary>
    /// <param name="file">With a refresh token.</param>
    public (RefreshRequest? Request, string? Problem) Make(AuthFile file)
    {
        ProviderFacts facts = ProviderFacts.Of(options.Type)!;
        if (options.TokenUrl is { } configured && !IsSafe(configured)) return (null, "cannot be refreshed: oauth.token_url must be https (http only to a loopback address)");
        if (file.Kiro is { } kiro) return Kiro(file, kiro);
        Uri url = options.TokenUrl ?? facts.TokenUrl!;
        (string? clientId, string? clientSecret) = Client(file, facts.ClientId);
        return options.Type switch
        {
            "codex" => (Json(file, url, clientId, null, [("client_id", clientId), ("grant_type", "refresh_token"), ("refresh_token", file.RefreshToken)]), null),
            "claudecode" => (Json(file, url, clientId, null, [("grant_type", "refresh_token"), ("refresh_token", file.RefreshToken), ("client_id", clientId)]), null),
            _ => (Form(
                file, url, clientId, clientSecret,
                [("client_id", clientId), ("client_secret", clientSecret), ("refresh_token", file.RefreshToken), ("grant_type", "refresh_token")]), null),
        };
    }

    private (RefreshRequest?, string?) Kiro(AuthFile file, KiroSource kiro) => kiro.Method switch
    {
        KiroMethod.Social => (Json(file, options.TokenUrl ?? new Uri(SocialUrl), null, null, [("refreshToken", file.RefreshToken)]), null),
        KiroMethod.ExternalIdp => ExternalIdp(file, kiro),
        _ => IdentityCenter(file, kiro),
    };

    private (RefreshRequest?, string?) IdentityCenter(AuthFile file, KiroSource kiro)
    {
        if (!IsRegion(kiro.Region)) return (null, "names a region that is none; sign in with: aiproxy login kiro");
        if (kiro.ClientIdHash is { } hash && !KiroRegistration.IsHash(hash)) return (null, "has a clientIdHash that is none; sign in with: aiproxy login kiro");
        (string? clientId, string? clientSecret) = Client(file, null);
        if (file.ClientId is null && kiro.ClientIdHash is not null && KiroRegistration.Find(kiro.ClientIdHash, Folders(), steps) is { } registration)
        {
            (clientId, clientSecret) = (registration.ClientId, registration.ClientSecret);
        }

        if (clientId is null || clientSecret is null)
        {
            string missing = kiro.ClientIdHash is null ? "has no clientId and clientSecret" : "goes with a registered client whose file " + kiro.ClientIdHash + ".json is missing";
            return (null, missing + ": put it there, set oauth.client_id and oauth.client_secret, or sign in with: aiproxy login kiro");
        }

        Uri url = options.TokenUrl ?? new Uri($"https://oidc.{kiro.Region}.amazonaws.com/token");
        return (Json(
            file, url, clientId, clientSecret,
            [("clientId", clientId), ("clientSecret", clientSecret), ("refreshToken", file.RefreshToken), ("grantType", "refresh_token")]), null);
    }

    private (RefreshRequest?, string?) ExternalIdp(AuthFile file, KiroSource kiro)
    {
        (string? clientId, _) = Client(file, null);
        if (clientId is null) return (null, "has no clientId: sign in again in the Kiro IDE, or set oauth.client_id");
        if (options.TokenUrl is not { } url)
        {
            if (!Uri.TryCreate(kiro.TokenEndpoint, UriKind.Absolute, out url!)) return (null, "has no usable tokenEndpoint: sign in again in the Kiro IDE, or set oauth.token_url");
            // The file must not be able to send the token elsewhere.
            if (url.Scheme != Uri.UriSchemeHttps || !url.IsDefaultPort || url.UserInfo.Length > 0 || !IdentityHosts.Contains(url.IdnHost, StringComparer.OrdinalIgnoreCase))
            {
                return (null, "names a tokenEndpoint to which no token is sent; if it is right, set oauth.token_url to it");
            }
        }

        string scope = kiro.Scope ?? $"api://{clientId}/codewhisperer:conversations api://{clientId}/codewhisperer:completions offline_access";
        return (Form(
            file, url, clientId, null,
            [("grant_type", "refresh_token"), ("client_id", clientId), ("refresh_token", file.RefreshToken), ("scope", scope)]), null);
    }

    /// <summary>A refresh token works only with the client it was issued to: an id of the file is never paired with the secret of another client.</summary>
    private (string? Id, string? Secret) Client(AuthFile file, string? builtIn)
    {
        string? id = file.ClientId ?? options.ClientId ?? builtIn;
        string? secret = file.ClientSecret ?? (options.ClientId is null || options.ClientId == id ? options.ClientSecret : null);
        return (id, secret);
    }

    private IEnumerable<string> Folders()
    {
        yield return System.IO.Path.GetDirectoryName(options.Path) ?? "";
        yield return System.IO.Path.GetDirectoryName(RealPath.Of(options.Path)) ?? "";
        yield return System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", "sso", "cache");
    }

    private static RefreshRequest Json(AuthFile file, Uri url, string? clientId, string? clientSecret, ReadOnlySpan<(string Name, string? Value)> members)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach ((string name, string? value) in members)
            {
                if (value is not null) writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        return Request(file, url, clientId, clientSecret, body.ToArray(), "application/json");
    }

    private static RefreshRequest Form(AuthFile file, Uri url, string? clientId, string? clientSecret, ReadOnlySpan<(string Name, string? Value)> members)
    {
        var body = new StringBuilder();
        foreach ((string name, string? value) in members)
        {
            if (value is null) continue;
            if (body.Length > 0) body.Append('&');
            body.Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return Request(file, url, clientId, clientSecret, Encoding.ASCII.GetBytes(body.ToString()), "application/x-www-form-urlencoded");
    }

    private static RefreshRequest Request(AuthFile file, Uri url, string? clientId, string? clientSecret, byte[] body, string contentType) => new()
    {
        Url = url,
        Body = body,
        ContentType = contentType,
        HasClientSecret = clientSecret is not null,
        Fingerprint = RefreshRequest.FingerprintOf(url.AbsoluteUri, clientId, clientSecret, file.RefreshToken),
    };

    private static bool IsSafe(Uri url) => url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    /// <summary>Goes into a host name, and comes from a file.</summary>
    private static bool IsRegion(string region) =>
        region.Length <= 32 && region.Split('-') is { Length: >= 3 } parts
        && parts[..^1].All(part => part.Length > 0 && part.All(char.IsAsciiLetterLower)) && parts[^1].Length is 1 or 2 && parts[^1].All(char.IsAsciiDigit);
}
