using System.Buffers.Text;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Reads the middle of a JWT. No signature is checked: it is our own token, and nothing is granted for what it says.</summary>
public static class JwtClaims
{
    /// <summary>A JSON object that the caller disposes; null: not a JWT. Never throws.</summary>
    public static JsonDocument? Read(string? token)
    {
        if (token is null) return null;
        int first = token.IndexOf('.');
        int second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        if (second < 0) return null;
        try
        {
            ReadOnlySpan<char> payload = token.AsSpan(first + 1, second - first - 1).TrimEnd('=');
            var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            if (claims.RootElement.ValueKind == JsonValueKind.Object) return claims;
            claims.Dispose();
            return null;
        }
        catch (Exception failure) when (failure is FormatException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The <c>exp</c> claim, unix seconds on the wire.</summary>
    public static DateTimeOffset? Expiry(string? token)
    {
        using JsonDocument? claims = Read(token);
        return claims is not null && claims.RootElement.TryGetProperty("exp", out JsonElement exp) && exp.ValueKind == JsonValueKind.Number
            && exp.TryGetDouble(out double seconds) ? TimeText.FromNumber(seconds) : null;
    }

    public static string? Email(string? token)
    {
        using JsonDocument? claims = Read(token);
        return claims is null ? null : Text(claims.RootElement, "email");
    }

    /// <summary>As <see cref="JsonMember.Text(JsonElement, string)"/>, but broken text counts as missing.</summary>
    internal static string? Text(JsonElement holder, string name)
    {
        try
        {
            return JsonMember.Text(holder, name);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
