using System.Collections.Concurrent;
using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>Asks providers how much of an account is left: in the background, when somebody looks, and never often. Answers of requests tell it for free.</summary>
public sealed class AccountQuotas(ProviderCalls calls, UpstreamTable types, CredentialSource credentials, TimeProvider clock)
{
    // "at most every 5 min, on demand only": the calls themselves are limited at some providers.
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _asked = new(StringComparer.Ordinal);

    /// <summary>Does not wait. Sign-ins that nobody has used yet are not asked for: that would refresh tokens for nothing.</summary>
    public void Refresh(UpstreamConfig upstream)
    {
        if (types.Find(upstream.ApiType) is not { Wire.Account: not null } type) return;
        for (int index = 0; index < upstream.AuthFiles.Count; index++)
        {
            if (credentials.Statuses(upstream)[index].Status.LastUsed is null) continue;
            DateTimeOffset now = clock.GetUtcNow();
            DateTimeOffset asked = _asked.AddOrUpdate(upstream.AuthFiles[index], now, (_, before) => now - before >= Between || before > now ? now : before);
            if (asked == now) _ = AskAsync(upstream, type, index);
        }
    }

    private async Task AskAsync(UpstreamConfig upstream, IUpstreamType type, int index)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            HeldCredential held = await credentials.GetAsync(upstream, type, index, patience.Token).ConfigureAwait(false);
            if (held.Credential is { } credential)
                await credentials.ResetAsync(upstream, type, index, credential, calls.For(upstream, type, credential, index), clock, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Asked again when somebody looks.
        }
    }
}
