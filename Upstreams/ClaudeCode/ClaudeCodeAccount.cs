using System.Text.Json;
using Aiproxy.Config;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>Models and windows of a Claude subscription.</summary>
public sealed class ClaudeCodeAccount : IProviderAccount
{
    public IReadOnlyList<string> UsualModels => ClaudeCodeFacts.Models;

    public async ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken)
    {
        using JsonDocument list = await AskAsync(config, "/v1/models?limit=1000", call, cancellationToken).ConfigureAwait(false);
        return AccountJson.Strings(list.RootElement, "data", "id");
    }

    public AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now)
    {
        ClaudeCodeLimits limits = ClaudeCodeLimits.Read(headers, now);
        return limits.Windows.Count == 0 ? null : new AccountQuota(now, null, limits.Windows);
    }

    public async ValueTask<AccountQuota?> QuotaAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using JsonDocument usage = await AskAsync(config, "/api/oauth/usage", call, cancellationToken).ConfigureAwait(false);
        if (usage.RootElement.ValueKind != JsonValueKind.Object) return null;
        var windows = new List<QuotaWindow>();
        foreach (JsonProperty window in usage.RootElement.EnumerateObject())
        {
            if (window.Value.ValueKind != JsonValueKind.Object || !window.Value.TryGetProperty("utilization", out JsonElement used)) continue;
            double? percent = used.ValueKind == JsonValueKind.Number ? used.GetDouble() : null;
            DateTimeOffset? resets = window.Value.TryGetProperty("resets_at", out JsonElement at) && at.ValueKind == JsonValueKind.String ? RetryHint.Time(at.GetString(), now) : null;
            if (percent is not null || resets is not null) windows.Add(new QuotaWindow(window.Name, percent, resets));
        }
        return new AccountQuota(now, null, windows);
    }

    private static ValueTask<JsonDocument> AskAsync(UpstreamConfig config, string path, ProviderCall call, CancellationToken cancellationToken)
    {
        Uri host = config.BaseUrls.Count > 0 ? config.BaseUrls[0] : ClaudeCodeFacts.Host;
        var message = new HttpRequestMessage(HttpMethod.Get, host.AbsoluteUri.TrimEnd('/') + path);
        message.Headers.TryAddWithoutValidation("anthropic-version", ProviderPaths.AnthropicVersion);
        message.Headers.TryAddWithoutValidation("anthropic-beta", ClaudeCodeFacts.OAuthBeta);
        return AccountJson.AskAsync(message, call, cancellationToken);
    }
}
