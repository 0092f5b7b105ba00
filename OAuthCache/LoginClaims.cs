using System.Buffers.Text;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>What a token says of itself. The signature is not looked at: it came from its issuer over TLS.</summary>
public static class LoginClaims
{
    /// <summary>Payload of a JWT; undefined where the text is none.</summary>
    public static JsonElement Read(string? token)
    {
        if (token?.Split('.') is not [_, { Length: > 0 } payload, _]) return default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : default;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return default;
        }
    }

    /// <summary>The string at a path of members; null where there is none.</summary>
    public static string? Text(JsonElement claims, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            if (claims.ValueKind != JsonValueKind.Object || !claims.TryGetProperty(name, out claims)) return null;
        }
        return claims.ValueKind == JsonValueKind.String && claims.GetString() is { Length: > 0 } text ? text : null;
    }

    /// <summary>Claim <c>exp</c>.</summary>
    public static DateTimeOffset? Expiry(JsonElement claims) =>
        claims.ValueKind == JsonValueKind.Object && claims.TryGetProperty("exp", out JsonElement exp) && exp.ValueKind == JsonValueKind.Number && exp.TryGetInt64(out long seconds)
            && seconds is > 0 and < 253402300800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
