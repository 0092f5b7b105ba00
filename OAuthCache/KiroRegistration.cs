using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>The client that the Kiro IDE registered for itself, kept in a file of its own beside the tokens. Lives about 90 days.</summary>
public sealed record KiroRegistration(string ClientId, string ClientSecret, DateTimeOffset? ExpiresAt)
{
    /// <summary>Looks in each folder. null: in none of them, or the hash is no hash.</summary>
    /// <param name="hash">From the auth file: it must not lead to another folder.</param>
    public static KiroRegistration? Find(string hash, IEnumerable<string> folders, FileSteps steps)
    {
        if (!IsHash(hash)) return null;
        foreach (string folder in folders)
        {
            try
            {
                if (Read(steps.Read(System.IO.Path.Combine(folder, hash + ".json"))) is { } registration) return registration;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Not here; the next folder may have it.
            }
        }

        return null;
    }

    public static bool IsHash(string text) => text.Length is >= 8 and <= 64 && text.All(letter => letter is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    /// <summary>Hides everything.</summary>
    public override string ToString() => "a registered client";

    private static KiroRegistration? Read(byte[] bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(AuthFileReader.WithoutMark(bytes), JsonSplice.DocumentOptions);
            JsonElement root = document.RootElement;
            DateTimeOffset? expiry = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("expiresAt", out JsonElement time) ? TimeText.Read(time) : null;
            return JsonMember.Text(root, "clientId") is { } id && JsonMember.Text(root, "clientSecret") is { } secret ? new KiroRegistration(id, secret, expiry) : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
