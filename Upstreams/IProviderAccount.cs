using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>What a provider tells of an account: the models it may use, and how much is left. Never asked on a request's way.</summary>
public interface IProviderAccount
{
    /// <summary>Names as requests use them; null: the provider has no such list, <see cref="UsualModels"/> stands for it.</summary>
    /// <exception cref="HttpRequestException">No answer, or none that can be read.</exception>
    ValueTask<IReadOnlyList<string>?> ModelsAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken);

    /// <summary>Taken until a list was read. May age.</summary>
    IReadOnlyList<string> UsualModels { get; }

    /// <summary>Limits told with an answer; null: none were.</summary>
    AccountQuota? QuotaOf(IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now);

    /// <summary>null: the provider has no such call.</summary>
    /// <exception cref="HttpRequestException">No answer, or none that can be read.</exception>
    ValueTask<AccountQuota?> QuotaAsync(
        UpstreamConfig config, UpstreamCredential credential, ProviderCall call, DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>How much of an account is used, as its provider last told.</summary>
/// <param name="Plan">The provider's word; null: not told.</param>
public sealed record AccountQuota(DateTimeOffset At, string? Plan, IReadOnlyList<QuotaWindow> Windows);

/// <param name="Name">The provider's word, such as <c>5h</c> or a model's name.</param>
/// <param name="UsedPercent">0 to 100, above where a provider lets an account go on; null: not told.</param>
/// <param name="ResetsAt">null: not told.</param>
public sealed record QuotaWindow(string Name, double? UsedPercent, DateTimeOffset? ResetsAt);
