using System.Net;
using System.Text.Json;
using Aiproxy.Config;

namespace Aiproxy.Upstreams.Google;

/// <summary>Models and quotas of an Antigravity account.</summary>
/// <param name="project">As <see cref="AntigravityWire"/> finds it for requests.</param>
public sealed class AntigravityAccount(Func<UpstreamConfig, UpstreamCredential, ProviderCall, CancellationToken, ValueTask<ProjectFinding>> project) : IProviderAccount
{
    public IReadOnlyList<string> UsualModels => GoogleFacts.AntigravityModels;

    public async ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken)
    {
        ProjectFinding found = await project(config, credential, call, cancellationToken).ConfigureAwait(false);
        using JsonDocument list = await AskAsync(config, credential, "fetchAvailableModels", GeminiCliAccount.OfProject(found.Project), call, cancellationToken).ConfigureAwait(false);
        return QuotaBuckets.Models(list.RootElement);
    }

    public AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now) => null;

    /// <remarks>Three calls tell it; the next is made where one is refused or tells nothing.</remarks>
    public async ValueTask<AccountQuota?> QuotaAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ProjectFinding found = await project(config, credential, call, cancellationToken).ConfigureAwait(false);
        string body = GeminiCliAccount.OfProject(found.Project);
        (string Method, string Body, Func<JsonElement, DateTimeOffset, List<QuotaWindow>> Read)[] ways =
        [
            ("retrieveUserQuotaSummary", "{}", QuotaBuckets.OfGroups), ("retrieveUserQuota", body, QuotaBuckets.OfModels), ("fetchAvailableModels", body, QuotaBuckets.OfList),
        ];
        HttpRequestException? refusal = null;
        foreach ((string method, string question, Func<JsonElement, DateTimeOffset, List<QuotaWindow>> read) in ways)
        {
            try
            {
                using JsonDocument answer = await AskAsync(config, credential, method, question, call, cancellationToken).ConfigureAwait(false);
                if (read(answer.RootElement, now) is { Count: > 0 } windows) return new AccountQuota(now, found.Plan, windows);
            }
            // A token that is not taken here is taken nowhere.
            catch (HttpRequestException refused) when (refused.StatusCode is not HttpStatusCode.Unauthorized)
            {
                refusal = refused;
            }
        }
        return refusal is null ? new AccountQuota(now, found.Plan, []) : throw refusal;
    }

    /// <summary>Host after host, as for requests.</summary>
    private static async ValueTask<JsonDocument> AskAsync(
        UpstreamConfig config, UpstreamCredential credential, string method, string body, ProviderCall call, CancellationToken cancellationToken)
    {
        IReadOnlyList<Uri> hosts = AntigravityWire.Hosts(config, credential);
        for (int host = 0; ; host++)
        {
            try
            {
                return await AccountJson.AskAsync(CodeAssist.Post(hosts[host], method, body), call, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException fault) when (host + 1 < hosts.Count
                && fault.StatusCode is null or HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            {
                // The next one may have it.
            }
        }
    }
}
