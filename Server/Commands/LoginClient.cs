using System.Text.Json;
using Aiproxy.OAuthCache;

namespace Aiproxy.Server.Commands;

/// <summary>An OAuth client: an id, its secret, or both, as one source names them.</summary>
public sealed record LoginClient(string? Id, string? Secret)
{
    private const int LongestFileBytes = 1024 * 1024;

    /// <summary>The first id that a source names, and the first secret that goes with it: one client's secret is of no use to another.</summary>
    /// <param name="sources">Most telling first.</param>
    /// <param name="usualId">Where none names an id.</param>
    public static LoginClient Choose(IEnumerable<LoginClient> sources, string? usualId)
    {
        LoginClient[] all = [.. sources];
        string? id = all.Select(source => source.Id).FirstOrDefault(named => named is not null) ?? usualId;
        // A secret without an id belongs to the id that is chosen.
        string? secret = all.FirstOrDefault(source => source.Secret is not null && (source.Id ?? id) == id)?.Secret;
        return new LoginClient(id, secret);
    }

    /// <summary>From an auth file of any layout that carries a client, or from the file that Google's console hands out.</summary>
    public static LoginStep<LoginClient> FromFile(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LongestFileBytes) return new LoginProblem($"{path} is larger than 1 MB");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
            JsonElement root = document.RootElement;
            foreach (JsonElement holder in (JsonElement[])[root, Member(root, "token"), Member(root, "installed"), Member(root, "web")])
            {
                if (JwtClaims.Text(holder, "client_id") is { } id) return new LoginClient(id, JwtClaims.Text(holder, "client_secret"));
            }
            return new LoginProblem($"{path} names no client_id");
        }
        catch (JsonException)
        {
            return new LoginProblem($"{path} is not JSON");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new LoginProblem($"{path} cannot be read: {e.Message}");
        }
    }

    public override string ToString() => nameof(LoginClient);

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member) ? member : default;
}
