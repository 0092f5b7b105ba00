using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Puts new tokens into the bytes of an auth file: which members, and in which units.</summary>
public static class AuthFileEdit
{
    /// <summary>The file with the grant in it; the same bytes when its layout has no place for any of it.</summary>
    /// <param name="file">Reading of just these bytes.</param>
    public static byte[] Apply(ReadOnlyMemory<byte> bytes, AuthFile file, TokenGrant grant)
    {
        ReadOnlyMemory<byte> json = AuthFileReader.WithoutMark(bytes);
        using JsonDocument document = JsonDocument.Parse(json, JsonSplice.DocumentOptions);
        JsonElement own = Own(document.RootElement, file);
        List<JsonEdit> edits = Edits(file, own, grant);
        return edits.Count == 0 ? bytes.ToArray() : JsonSplice.Apply(json.Span, edits);
    }

    /// <summary>The file with another project id; null: its layout has no place for one.</summary>
    public static byte[]? ApplyProject(ReadOnlyMemory<byte> bytes, AuthFile file, string projectId) =>
        file.Layout.HasProject
            ? JsonSplice.Apply(AuthFileReader.WithoutMark(bytes).Span, [JsonEdit.Text([.. file.Root, "project_id"], projectId)])
            : null;

    private static JsonElement Own(JsonElement root, AuthFile file)
    {
        foreach (string step in file.Root) root = root[int.Parse(step, CultureInfo.InvariantCulture)];
        return root;
    }

    private static List<JsonEdit> Edits(AuthFile file, JsonElement own, TokenGrant grant)
    {
        AuthLayout layout = file.Layout;
        string[] root = [.. file.Root];
        string[] holder = [.. root, .. layout.Holder];
        JsonElement tokens = AuthFields.Holder(layout, own);
        var edits = new List<JsonEdit>();
        if (grant.AccessToken is { } access && layout.HoldsAccessToken)
        {
            edits.Add(JsonEdit.Text([.. holder, layout.Access], access));
            AddExpiry(edits, layout, own, tokens, root, holder, grant);
        }

        if (grant.RefreshToken is { } refresh && refresh != file.RefreshToken) edits.Add(JsonEdit.Text([.. holder, layout.Refresh], refresh));
        if (grant.IdToken is { } idToken && (layout.Type == "codex" || layout.WritesGoogleExtras)) edits.Add(JsonEdit.Text([.. holder, "id_token"], idToken));
        if (layout.WritesGoogleExtras) AddGoogleExtras(edits, root, grant);
        if (layout == AuthLayout.ClaudeOfficial && grant.Scope is { } scope) edits.Add(JsonEdit.Json([.. holder, "scopes"], ScopeList(tokens, scope)));
        if (layout.WritesLastRefresh)
        {
            JsonElement? last = own.TryGetProperty("last_refresh", out JsonElement old) ? old : null;
            edits.Add(JsonEdit.Json([.. root, "last_refresh"], TimeText.Like(last, ExpiryUnit.Rfc3339, grant.ReceivedAt)));
        }

        if (layout.WritesAccount) AddAccount(edits, file, root, grant);
        if (layout.ProfileArn is { } name && grant.ProfileArn is { } arn) edits.Add(JsonEdit.Text([.. root, name], arn));
        return edits;
    }

    private static void AddExpiry(List<JsonEdit> edits, AuthLayout layout, JsonElement own, JsonElement tokens, string[] root, string[] holder, TokenGrant grant)
    {
        if (layout.ExpiryNames.Count > 0)
        {
            (string Name, JsonElement Value)? member = AuthFields.ExpiryMember(layout, tokens);
            string time = TimeText.Like(member?.Value, layout.Unit, grant.ExpiresAt);
            edits.Add(JsonEdit.Json([.. holder, member?.Name ?? layout.ExpiryNames[0]], time));
        }

        if (layout.ExpiryCopy is { } copy && own.TryGetProperty(copy, out JsonElement repeated))
        {
            edits.Add(JsonEdit.Json([.. root, copy], TimeText.Like(repeated, layout.Unit, grant.ExpiresAt), isAdded: false));
        }

        if (!layout.WritesLifetime) return;
        long seconds = (long)(grant.ExpiresAt - grant.ReceivedAt).TotalSeconds;
        edits.Add(JsonEdit.Json([.. root, "expires_in"], seconds.ToString(CultureInfo.InvariantCulture)));
        JsonElement? made = own.TryGetProperty("timestamp", out JsonElement old) ? old : null;
        edits.Add(JsonEdit.Json([.. root, "timestamp"], TimeText.Like(made, ExpiryUnit.Milliseconds, grant.ReceivedAt)));
    }

    private static void AddGoogleExtras(List<JsonEdit> edits, string[] root, TokenGrant grant)
    {
        if (grant.Scope is { } scope) edits.Add(JsonEdit.Text([.. root, "scope"], scope));
        if (grant.TokenType is { } tokenType) edits.Add(JsonEdit.Text([.. root, "token_type"], tokenType));
    }

    private static void AddAccount(List<JsonEdit> edits, AuthFile file, string[] root, TokenGrant grant)
    {
        AuthFile renewed = file.With(grant);
        (string Name, string? Value)[] members = file.Layout == AuthLayout.CodexFlat
            ? [("account_id", renewed.AccountId), ("email", renewed.Email)]
            : [("account_uuid", grant.AccountUuid), ("email", grant.Email), ("organization_uuid", grant.OrganizationUuid), ("organization_name", grant.OrganizationName)];
        foreach ((string name, string? value) in members)
        {
            if (value is not null) edits.Add(JsonEdit.Text([.. root, name], value));
        }
    }

    /// <summary>What the file has, and behind it what is new: Claude Code takes itself for signed out when scopes go missing.</summary>
    private static string ScopeList(JsonElement tokens, string scope)
    {
        string[] old = JsonMember.Words(tokens, "scopes")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        string[] added = [.. scope.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Except(old)];
        return added.Length == 0 && tokens.TryGetProperty("scopes", out JsonElement list)
            ? list.GetRawText()
            : "[" + string.Join(", ", old.Concat(added).Select(word => Encoding.UTF8.GetString(JsonEdit.Quote(word)))) + "]";
    }
}
