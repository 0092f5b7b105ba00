using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>What a token endpoint gave. Immutable.</summary>
public sealed record TokenGrant
{
    /// <summary>Where an answer does not say how long its token lives.</summary>
    private const double UsualSeconds = 3600;

    /// <summary>Ten years: a longer life is a wrong unit, and sums with it would leave the calendar.</summary>
    private const double MostSeconds = 315_360_000;

    /// <summary>null: the answer had none.</summary>
    public string? AccessToken { get; init; }

    /// <summary>null: the old one stays.</summary>
    public string? RefreshToken { get; init; }

    public string? IdToken { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Separated by spaces.</summary>
    public string? Scope { get; init; }

    public string? TokenType { get; init; }

    public string? ProfileArn { get; init; }

    public string? Email { get; init; }

    public string? AccountUuid { get; init; }

    public string? OrganizationUuid { get; init; }

    public string? OrganizationName { get; init; }

    /// <summary>Takes snake_case and kiro's camelCase. null: no JSON object, or tokens that no header could carry.</summary>
    public static TokenGrant? Read(ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, JsonSplice.DocumentOptions);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement, now) : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>This one, completed by an older one that never reached the file.</summary>
    public TokenGrant Over(TokenGrant? older) => older is null ? this : this with
    {
        AccessToken = AccessToken ?? older.AccessToken,
        ExpiresAt = AccessToken is null ? older.ExpiresAt : ExpiresAt,
        RefreshToken = RefreshToken ?? older.RefreshToken,
        IdToken = IdToken ?? older.IdToken,
        Scope = Scope ?? older.Scope,
        TokenType = TokenType ?? older.TokenType,
        ProfileArn = ProfileArn ?? older.ProfileArn,
        Email = Email ?? older.Email,
        AccountUuid = AccountUuid ?? older.AccountUuid,
        OrganizationUuid = OrganizationUuid ?? older.OrganizationUuid,
        OrganizationName = OrganizationName ?? older.OrganizationName,
    };

    /// <summary>Hides everything.</summary>
    public override string ToString() => "a grant";

    private static TokenGrant Read(JsonElement root, DateTimeOffset now)
    {
        string? access = JsonMember.Token(root, "access_token") ?? JsonMember.Token(root, "accessToken");
        JsonElement account = JsonMember.Object(root, "account") ?? default;
        JsonElement organization = JsonMember.Object(root, "organization") ?? default;
        string? idToken = JsonMember.Text(root, "id_token", "idToken");
        return new TokenGrant
        {
            AccessToken = access,
            RefreshToken = JsonMember.Token(root, "refresh_token") ?? JsonMember.Token(root, "refreshToken"),
            IdToken = idToken,
            ReceivedAt = now,
            ExpiresAt = Expiry(root, access, now),
            Scope = JsonMember.Words(root, "scope"),
            TokenType = JsonMember.Text(root, "token_type", "tokenType"),
            ProfileArn = JsonMember.Text(root, "profileArn", "profile_arn"),
            Email = JsonMember.Text(account, "email_address") ?? JwtClaims.Email(idToken),
            AccountUuid = JsonMember.Text(account, "uuid"),
            OrganizationUuid = JsonMember.Text(organization, "uuid"),
            OrganizationName = JsonMember.Text(organization, "name"),
        };
    }

    /// <summary>By our own clock: the claim of a token counts only where the answer says no time, and only when it is ahead of us.</summary>
    private static DateTimeOffset Expiry(JsonElement root, string? access, DateTimeOffset now)
    {
        double? seconds = JsonMember.Number(root, "expires_in") ?? JsonMember.Number(root, "expiresIn");
        if (seconds is > 0 and var told) return now + TimeSpan.FromSeconds(Math.Min(told, MostSeconds));
        return JwtClaims.Expiry(access) is { } claimed && claimed > now ? claimed : now + TimeSpan.FromSeconds(UsualSeconds);
    }
}
