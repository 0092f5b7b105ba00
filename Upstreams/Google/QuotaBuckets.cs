using System.Text.Json;

namespace Aiproxy.Upstreams.Google;

/// <summary>Reads what Code Assist tells of quotas, in each of its three forms. Members vary: what is not there is passed over.</summary>
public static class QuotaBuckets
{
    /// <summary><c>retrieveUserQuota</c>: one a model.</summary>
    public static List<QuotaWindow> OfModels(JsonElement root, DateTimeOffset now)
    {
        var windows = new List<QuotaWindow>();
        foreach (JsonElement bucket in Items(root, "buckets"))
            if (AccountJson.String(bucket, "modelId") is { } model) windows.Add(Window(model, bucket, now, isUsedUp: false));
        return windows;
    }

    /// <summary><c>retrieveUserQuotaSummary</c>: groups of models, several windows each.</summary>
    public static List<QuotaWindow> OfGroups(JsonElement root, DateTimeOffset now)
    {
        var windows = new List<QuotaWindow>();
        foreach (JsonElement group in Items(root, "groups"))
        {
            foreach (JsonElement bucket in Items(group, "buckets"))
            {
                string?[] words = [AccountJson.String(group, "displayName"), AccountJson.String(bucket, "window") ?? AccountJson.String(bucket, "bucketId")];
                string name = string.Join(' ', words.OfType<string>());
                if (name.Length > 0) windows.Add(Window(name, bucket, now, isUsedUp: false));
            }
        }
        return windows;
    }

    /// <summary><c>fetchAvailableModels</c>: one a model; what it does not tell to be left is used up.</summary>
    public static List<QuotaWindow> OfList(JsonElement root, DateTimeOffset now)
    {
        var windows = new List<QuotaWindow>();
        if (!Has(root, "models", JsonValueKind.Object, out JsonElement models)) return windows;
        foreach (JsonProperty model in models.EnumerateObject())
            if (Has(model.Value, "quotaInfo", JsonValueKind.Object, out JsonElement quota)) windows.Add(Window(model.Name, quota, now, isUsedUp: true));
        return windows;
    }

    /// <summary>The names in <c>fetchAvailableModels</c>.</summary>
    public static List<string> Models(JsonElement root) =>
        Has(root, "models", JsonValueKind.Object, out JsonElement models) ? [.. models.EnumerateObject().Select(static model => model.Name)] : [];

    private static QuotaWindow Window(string name, JsonElement item, DateTimeOffset now, bool isUsedUp)
    {
        double? left = AccountJson.Number(item, "remainingFraction") ?? (isUsedUp ? 0 : null);
        DateTimeOffset? resets = AccountJson.String(item, "resetTime") is { } told ? RetryHint.Time(told, now) : null;
        return new QuotaWindow(name, left is { } fraction ? Math.Round((1 - Math.Clamp(fraction, 0, 1)) * 100, 2) : null, resets);
    }

    private static IEnumerable<JsonElement> Items(JsonElement item, string member) => Has(item, member, JsonValueKind.Array, out JsonElement list) ? list.EnumerateArray() : [];

    private static bool Has(JsonElement item, string member, JsonValueKind kind, out JsonElement value)
    {
        value = default;
        return item.ValueKind == JsonValueKind.Object && item.TryGetProperty(member, out value) && value.ValueKind == kind;
    }
}
