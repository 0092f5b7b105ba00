using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Quotas of a Code Assist account, one a model. It tells no list of models.</summary>
/// <param name="project">As <see cref="GeminiCliWire"/> finds it for requests.</param>
public sealed class GeminiCliAccount(Func<UpstreamConfig, UpstreamCredential, ProviderCall, CancellationToken, ValueTask<ProjectFinding>> project) : IProviderAccount
{
    public IReadOnlyList<string> UsualModels => GoogleFacts.GeminiCliModels;

    public ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken) => new((IReadOnlyList<string>?)null);

    public AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now) => null;

    public async ValueTask<AccountQuota?> QuotaAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ProjectFinding found = await project(config, credential, call, cancellationToken).ConfigureAwait(false);
        if (found.Project is null) throw new HttpRequestException(found.Failure?.Error?.Message ?? "the account has no project");
        Uri host = config.BaseUrls.Count > 0 ? config.BaseUrls[0] : GoogleFacts.Production;
        using JsonDocument quota = await AccountJson.AskAsync(CodeAssist.Post(host, "retrieveUserQuota", OfProject(found.Project)), call, cancellationToken).ConfigureAwait(false);
        return new AccountQuota(now, found.Plan, QuotaBuckets.OfModels(quota.RootElement, now));
    }

    /// <summary><c>{"project":"…"}</c>; without one an empty object.</summary>
    public static string OfProject(string? project) => project is null ? "{}" : "{\"project\":" + Encoding.UTF8.GetString(RawJson.Encode(project)) + "}";
}
