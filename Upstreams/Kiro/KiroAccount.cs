using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Kiro;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>Models and credits of a Kiro account.</summary>
public sealed class KiroAccount : IProviderAccount
{
    // A list of models has a few dozen entries; 50 a page.
    private const int MostPages = 10;

    public IReadOnlyList<string> UsualModels { get; } = new KiroModels().Ids;

    public async ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        string? next = null;
        for (int page = 0; page < MostPages; page++)
        {
            string query = "/ListAvailableModels?origin=" + KiroFacts.Origin + "&maxResults=50" + Profile(config, credential) + (next is null ? "" : "&nextToken=" + Uri.EscapeDataString(next));
            using JsonDocument list = await AccountJson.AskAsync(new HttpRequestMessage(HttpMethod.Get, Host(config, credential) + query), call, cancellationToken).ConfigureAwait(false);
            names.AddRange(AccountJson.Strings(list.RootElement, "models", "modelId"));
            names.AddRange(AccountJson.Strings(list.RootElement, "availableModels", "modelId"));
            next = AccountJson.String(list.RootElement, "nextToken");
            if (next is null) break;
        }
        return [.. names.Distinct(StringComparer.Ordinal)];
    }

    // Answers carry no headers about the account.
    public AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now) => null;

    public async ValueTask<AccountQuota?> QuotaAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken)
    {
        string query = "/getUsageLimits?origin=" + KiroFacts.Origin + "&resourceType=AGENTIC_REQUEST" + Profile(config, credential);
        using JsonDocument usage = await AccountJson.AskAsync(new HttpRequestMessage(HttpMethod.Get, Host(config, credential) + query), call, cancellationToken).ConfigureAwait(false);
        JsonElement root = usage.RootElement;
        if (root.ValueKind != JsonValueKind.Object) return null;
        DateTimeOffset? reset = Time(AccountJson.Number(root, "nextDateReset"));
        var windows = new List<QuotaWindow>();
        if (root.TryGetProperty("usageBreakdownList", out JsonElement parts) && parts.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement part in parts.EnumerateArray())
            {
                double? used = AccountJson.Number(part, "currentUsageWithPrecision") ?? AccountJson.Number(part, "currentUsage");
                double? limit = AccountJson.Number(part, "usageLimitWithPrecision") ?? AccountJson.Number(part, "usageLimit");
                double? percent = used is not null && limit is > 0 ? used / limit * 100 : null;
                windows.Add(new QuotaWindow(AccountJson.String(part, "resourceType") ?? "credits", percent, Time(AccountJson.Number(part, "nextDateReset")) ?? reset));
            }
        }
        string? plan = root.TryGetProperty("subscriptionInfo", out JsonElement subscription) ? AccountJson.String(subscription, "subscriptionTitle") : null;
        return new AccountQuota(now, plan, windows);
    }

    private static string Host(UpstreamConfig config, UpstreamCredential credential)
    {
        if (config.BaseUrls.Count > 0) return config.BaseUrls[0].AbsoluteUri.TrimEnd('/');
        KiroSignIn? kiro = credential.SignIn?.Kiro;
        string? told = config.ApiRegion ?? kiro?.ApiRegion;
        string region = told is not null && KiroFacts.IsRegion(told) ? told : KiroFacts.RegionOf(config.ProfileArn ?? kiro?.ProfileArn) ?? KiroFacts.UsualRegion;
        return KiroFacts.HostOf(region).AbsoluteUri.TrimEnd('/');
    }

    private static string Profile(UpstreamConfig config, UpstreamCredential credential) =>
        credential.SignIn?.Kiro is not { Method: KiroMethod.BuilderId } && (credential.Profile ?? config.ProfileArn ?? credential.SignIn?.Kiro?.ProfileArn) is { } arn
            ? "&profileArn=" + Uri.EscapeDataString(arn)
            : "";

    // "unix seconds, float"
    private static DateTimeOffset? Time(double? seconds) => seconds is > 0 and < 1e11 ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds.Value * 1000)) : null;
}
