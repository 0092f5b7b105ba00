using System.Text.Json;

namespace Aiproxy.Upstreams;

/// <summary>Reads what providers tell of an account. Their members vary: what is not there or of another kind is passed over.</summary>
public static class AccountJson
{
    private const int MostBytes = 8 * 1024 * 1024;

    /// <summary>Sends <paramref name="message"/>, disposed here, and reads the answer, disposed by the caller.</summary>
    /// <exception cref="HttpRequestException">Refused (with the status), too long, or no JSON.</exception>
    public static async ValueTask<JsonDocument> AskAsync(HttpRequestMessage message, ProviderCall call, CancellationToken cancellationToken)
    {
        using (message)
        {
            using HttpResponseMessage response = await call(message, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw new HttpRequestException($"HTTP {(int)response.StatusCode}", null, response.StatusCode);
            await response.Content.LoadIntoBufferAsync(MostBytes, cancellationToken).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return JsonDocument.Parse(body);
            }
            catch (JsonException)
            {
                throw new HttpRequestException("the answer is no JSON");
            }
        }
    }

    /// <summary>The strings <paramref name="member"/> of the objects in the array <paramref name="array"/>.</summary>
    public static IReadOnlyList<string> Strings(JsonElement root, string array, string member)
    {
        var found = new List<string>();
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(array, out JsonElement items) || items.ValueKind != JsonValueKind.Array) return found;
        foreach (JsonElement item in items.EnumerateArray())
            if (String(item, member) is { } text) found.Add(text);
        return found;
    }

    /// <summary>null: not there, not a string, or empty.</summary>
    public static string? String(JsonElement item, string member) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    /// <summary>null: not there or not a number.</summary>
    public static double? Number(JsonElement item, string member) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
