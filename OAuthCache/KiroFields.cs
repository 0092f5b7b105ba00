using System.Globalization;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Reads the members of kiro's auth files: camelCase of the IDE and kiro.rs, snake_case of CLIProxyAPI.</summary>
public static class KiroFields
{
    private const string BuilderStartUrl = "https://view.awsapps.com/start";

    /// <summary>A list of kiro.rs: the first by <c>priority</c> that is not disabled.</summary>
    public static AuthReading ReadList(string type, JsonElement list)
    {
        (JsonElement Own, int Index)[] entries =
            [.. list.EnumerateArray().Select((own, index) => (own, index)).Where(entry => entry.own.ValueKind == JsonValueKind.Object && IsCamelCase("kiro", entry.own))];
        if (entries.Length == 0) return new AuthReading(null, $"holds a list without sign-ins in a known format; sign in with: aiproxy login {type}");
        if (type != "kiro") return new AuthReading(null, $"holds sign-ins for kiro ({AuthLayout.KiroList.Name}), but its upstream has api_type {type}");
        (JsonElement own, int index) = entries
            .OrderBy(entry => JsonMember.IsTrue(entry.Own, "disabled"))
            .ThenBy(entry => JsonMember.Number(entry.Own, "priority") ?? 0)
            .First();
        AuthFile file = AuthFields.Read(AuthLayout.KiroList, own, [index.ToString(CultureInfo.InvariantCulture)]);
        return new AuthReading(file with { Unused = entries.Length - 1 }, null);
    }

    /// <summary>Of the official file both tokens are there; kiro.rs is content with a refresh token.</summary>
    public static bool IsCamelCase(string type, JsonElement own) =>
        own.TryGetProperty("refreshToken", out JsonElement refresh) && refresh.ValueKind == JsonValueKind.String && (type == "kiro" || own.TryGetProperty("accessToken", out _))
        || (type == "kiro" && JsonMember.Text(own, "accessToken") is not null);

    public static AuthLayout FlatLayout(JsonElement own) =>
        JsonMember.Text(own, "access_token") is null && JsonMember.Text(own, "refresh_token") is null && JsonMember.Text(own, "api_key") is not null ? AuthLayout.KiroKey
        : IsCamelCase("kiro", own) ? AuthLayout.KiroOfficial
        : AuthLayout.KiroFlat;

    public static AuthFile Fill(AuthFile file, JsonElement own)
    {
        KiroMethod method = Method(file, own);
        return file with
        {
            // A key is never refreshed, whatever stands beside it.
            RefreshToken = method == KiroMethod.ApiKey ? null : file.RefreshToken,
            Kiro = new KiroSource
            {
                Method = method,
                ProfileArn = JsonMember.Text(own, "profileArn", "profile_arn"),
                ApiRegion = JsonMember.Text(own, "apiRegion", "api_region"),
                Region = JsonMember.Text(own, "authRegion", "auth_region") ?? JsonMember.Text(own, "region") ?? "us-east-1",
                ClientIdHash = JsonMember.Text(own, "clientIdHash", "client_id_hash"),
                TokenEndpoint = JsonMember.Text(own, "tokenEndpoint", "token_endpoint"),
                Scope = JsonMember.Words(own, "scopes") ?? JsonMember.Words(own, "scope"),
                MachineId = JsonMember.Text(own, "machineId", "machine_id"),
            },
        };
    }

    private static KiroMethod Method(AuthFile file, JsonElement own)
    {
        if (file.Layout == AuthLayout.KiroKey || file.AccessToken.StartsWith("ksk_", StringComparison.Ordinal)) return KiroMethod.ApiKey;
        string? provider = JsonMember.Text(own, "provider");
        string named = (JsonMember.Text(own, "authMethod", "auth_method") ?? "").Replace("-", "").Replace("_", "").ToLowerInvariant();
        switch (named)
        {
            case "social" or "google" or "github": return KiroMethod.Social;
            case "builderid": return KiroMethod.BuilderId;
            case "idc" or "iam" or "identitycenter" or "enterprise": return Organisation(own, provider);
            case "externalidp": return KiroMethod.ExternalIdp;
        }

        bool hasClient = JsonMember.Text(own, "clientIdHash", "client_id_hash") is not null || file is { ClientId: not null, ClientSecret: not null };
        if (hasClient) return Organisation(own, provider);
        return JsonMember.Text(own, "tokenEndpoint", "token_endpoint") is not null ? KiroMethod.ExternalIdp : KiroMethod.Social;
    }

    /// <summary>The official file calls both IdC.</summary>
    private static KiroMethod Organisation(JsonElement own, string? provider) =>
        string.Equals(provider, "BuilderId", StringComparison.OrdinalIgnoreCase)
        || JsonMember.Text(own, "startUrl", "start_url")?.TrimEnd('/').Equals(BuilderStartUrl, StringComparison.OrdinalIgnoreCase) == true
            ? KiroMethod.BuilderId
            : KiroMethod.IdentityCenter;
}
