using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Reads the members of a layout.</summary>
public static class AuthFields
{
    /// <summary>A codex token whose expiry cannot be read is taken to be good for this long after the last refresh.</summary>
    private static readonly TimeSpan CodexLife = TimeSpan.FromDays(8);

    /// <param name="own">The sign-in's own object.</param>
    /// <param name="root">Steps from the file's root to it.</param>
    /// <remarks>Throws <see cref="FormatException"/> with a message for people, and <see cref="InvalidOperationException"/> for text that is no Unicode.</remarks>
    public static AuthFile Read(AuthLayout layout, JsonElement own, IReadOnlyList<string> root)
    {
        JsonElement holder = Holder(layout, own);
        string? idToken = JsonMember.Text(holder, "id_token") ?? JsonMember.Text(own, "id_token");
        var file = new AuthFile
        {
            Layout = layout,
            Root = root,
            AccessToken = JsonMember.Token(holder, layout.Access) ?? "",
            RefreshToken = JsonMember.Token(holder, layout.Refresh),
            IdToken = idToken,
            ExpiresAt = Expiry(layout, holder),
            ClientId = Client(own, holder, "client_id", "clientId"),
            ClientSecret = Client(own, holder, "client_secret", "clientSecret"),
            Email = JsonMember.Text(own, "email"),
            Plan = JsonMember.Text(own, "plan") ?? JsonMember.Text(holder, "subscriptionType"),
            IsDisabled = JsonMember.IsTrue(own, "disabled"),
        };
        return layout.Type switch
        {
            "codex" => Codex(file, own, holder),
            "geminicli" or "antigravity" => Google(file, own, holder),
            "kiro" => KiroFields.Fill(file, own),
            _ => file,
        };
    }

    /// <summary>The object with the tokens.</summary>
    public static JsonElement Holder(AuthLayout layout, JsonElement own)
    {
        foreach (string step in layout.Holder) own = JsonMember.Object(own, step) ?? default;
        return own;
    }

    /// <summary>The member that holds the expiry, readable or not; null: none does.</summary>
    public static (string Name, JsonElement Value)? ExpiryMember(AuthLayout layout, JsonElement holder)
    {
        foreach (string name in layout.ExpiryNames)
        {
            if (holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out JsonElement value)) return (name, value);
        }

        return null;
    }

    private static DateTimeOffset? Expiry(AuthLayout layout, JsonElement holder) =>
        ExpiryMember(layout, holder) is { } member && TimeText.Read(member.Value) is { } time ? time : layout.WritesLifetime ? FromLifetime(holder) : null;

    private static DateTimeOffset? FromLifetime(JsonElement holder) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty("timestamp", out JsonElement made) && TimeText.Read(made) is { } time
        && JsonMember.Number(holder, "expires_in") is { } seconds and > 0 and < 1e9 ? time + TimeSpan.FromSeconds(seconds) : null;

    private static AuthFile Codex(AuthFile file, JsonElement own, JsonElement holder)
    {
        DateTimeOffset? lastRefresh = own.TryGetProperty("last_refresh", out JsonElement last) ? TimeText.Read(last) : null;
        return CodexClaims.Fill(file with
        {
            AccountId = JsonMember.Text(holder, "account_id") ?? JsonMember.Text(own, "account_id"),
            ExpiresAt = JwtClaims.Expiry(file.AccessToken) ?? file.ExpiresAt ?? lastRefresh + CodexLife,
        });
    }

    private static AuthFile Google(AuthFile file, JsonElement own, JsonElement holder) => file with
    {
        Email = file.Email ?? JwtClaims.Email(file.IdToken),
        ProjectId = Project(JsonMember.Text(own, "project_id") ?? JsonMember.Text(holder, "project_id")),
        BaseUrl = JsonMember.Text(own, "base_url"),
        UserAgent = JsonMember.Text(own, "user_agent"),
    };

    /// <summary>The member may list several ids separated by commas, or say ALL.</summary>
    private static string? Project(string? text)
    {
        string? first = text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();
        return first is null || first.Equals("ALL", StringComparison.OrdinalIgnoreCase) ? null : first;
    }

    private static string? Client(JsonElement own, JsonElement holder, string name, string camelName) =>
        JsonMember.Text(holder, name, camelName) ?? JsonMember.Text(own, name, camelName);
}
