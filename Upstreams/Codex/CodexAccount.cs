using System.Globalization;
using System.Text.Json;
using Aiproxy.Config;

namespace Aiproxy.Upstreams.Codex;

/// <summary>Models and windows of a ChatGPT account.</summary>
public sealed class CodexAccount : IProviderAccount
{
    public IReadOnlyList<string> UsualModels => CodexFacts.Models;

    public async ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, Host(config) + "/models?client_version=" + CodexFacts.ClientVersion);
        using JsonDocument list = await AccountJson.AskAsync(message, call, cancellationToken).ConfigureAwait(false);
        var names = new List<string>();
        if (list.RootElement.ValueKind != JsonValueKind.Object || !list.RootElement.TryGetProperty("models", out JsonElement models) || models.ValueKind != JsonValueKind.Array) return names;
        foreach (JsonElement model in models.EnumerateArray())
            if (AccountJson.String(model, "slug") is { } slug && AccountJson.String(model, "visibility") is not "hide") names.Add(slug);
        return names;
    }

    public AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now)
    {
        var windows = new List<QuotaWindow>();
        foreach (string window in (ReadOnlySpan<string>)["primary", "secondary"])
        {
            double? used = Number(headers, $"x-codex-{window}-used-percent");
            DateTimeOffset? resets = Number(headers, $"x-codex-{window}-reset-at") is { } at ? Time(at) : null;
            resets ??= Number(headers, $"x-codex-{window}-reset-after-seconds") is { } after and >= 0 and < 1e8 ? now.AddSeconds(after) : null;
            if (used is not null || resets is not null) windows.Add(new QuotaWindow(Named(window, Number(headers, $"x-codex-{window}-window-minutes") * 60), used, resets));
        }
        return windows.Count == 0 ? null : new AccountQuota(now, null, windows);
    }

    public async ValueTask<AccountQuota?> QuotaAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // The usage stands beside the back end's own path.
        string host = Host(config);
        string root = host.EndsWith("/codex", StringComparison.Ordinal) ? host[..^"/codex".Length] : host;
        using JsonDocument usage = await AccountJson.AskAsync(new HttpRequestMessage(HttpMethod.Get, root + "/wham/usage"), call, cancellationToken).ConfigureAwait(false);
        var windows = new List<QuotaWindow>();
        if (usage.RootElement.ValueKind == JsonValueKind.Object && usage.RootElement.TryGetProperty("rate_limit", out JsonElement limit) && limit.ValueKind == JsonValueKind.Object)
        {
            foreach (string window in (ReadOnlySpan<string>)["primary", "secondary"])
            {
                if (!limit.TryGetProperty(window + "_window", out JsonElement told) || told.ValueKind != JsonValueKind.Object) continue;
                windows.Add(new QuotaWindow(
                    Named(window, AccountJson.Number(told, "limit_window_seconds")), AccountJson.Number(told, "used_percent"),
                    AccountJson.Number(told, "reset_at") is { } at ? Time(at) : null));
            }
        }
        return new AccountQuota(now, AccountJson.String(usage.RootElement, "plan_type"), windows);
    }

    private static string Host(UpstreamConfig config) => (config.BaseUrls.Count > 0 ? config.BaseUrls[0] : CodexFacts.Host).AbsoluteUri.TrimEnd('/');

    // "300 = 5 h, 10080 = week"
    private static string Named(string window, double? seconds) => seconds switch
    {
        18000 => "5h",
        604800 => "7d",
        _ => window,
    };

    private static DateTimeOffset? Time(double seconds) => seconds is > 0 and < 1e11 ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;

    private static double? Number(IReadOnlyList<KeyValuePair<string, string>> headers, string name)
    {
        foreach ((string key, string value) in headers)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase) && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)) return number;
        return null;
    }
}
