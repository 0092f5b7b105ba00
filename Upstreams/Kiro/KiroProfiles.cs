using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>Finds the profile of an organisation's sign-in whose file names none: asked once a sign-in, for all who wait, and remembered for the process's life.</summary>
public sealed class KiroProfiles(TimeProvider clock)
{
    private const int MostRemembered = 256;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, Lazy<Task<ProfileAnswer>>> _known = new(StringComparer.Ordinal);

    public async ValueTask<ProfileAnswer> FindAsync(Credential signIn, UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken)
    {
        // Another account in the same file has other profiles.
        string key = signIn.Id + "\n" + signIn.Email + "\n" + signIn.AccountId;
        if (_known.Count > MostRemembered) _known.Clear();
        Lazy<Task<ProfileAnswer>> asked = _known.GetOrAdd(key, _ => new Lazy<Task<ProfileAnswer>>(() => AskAllAsync(target, call)));
        ProfileAnswer answer = await asked.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (answer.Arn is null) _known.TryRemove(new KeyValuePair<string, Lazy<Task<ProfileAnswer>>>(key, asked));
        return answer;
    }

    private async Task<ProfileAnswer> AskAllAsync(UpstreamTarget target, ProviderCall call)
    {
        IEnumerable<Uri> hosts = target.Config.BaseUrls.Count > 0 ? [target.Config.BaseUrls[0]] : KiroFacts.Regions.Select(KiroFacts.HostOf);
        HttpStatusCode? refused = null;
        bool wasReached = false;
        foreach (Uri host in hosts)
        {
            try
            {
                if (await AskAsync(host, call).ConfigureAwait(false) is { } arn) return new ProfileAnswer(arn, null);
                wasReached = true;
            }
            catch (Exception fault) when (Faults.IsTransport(fault))
            {
                refused ??= (fault as HttpRequestException)?.StatusCode;
            }
        }
        return new ProfileAnswer(null, Failure(refused, wasReached));
    }

    private async Task<string?> AskAsync(Uri host, ProviderCall call)
    {
        // Not tied to the client that happened to be first.
        using var patience = new CancellationTokenSource(Patience, clock);
        var message = new HttpRequestMessage(HttpMethod.Post, host)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"maxResults":10}""")) { Headers = { { "Content-Type", "application/x-amz-json-1.0" } } },
        };
        message.Headers.TryAddWithoutValidation("X-Amz-Target", KiroFacts.ProfilesTarget);
        using JsonDocument answer = await AccountJson.AskAsync(message, call, patience.Token).ConfigureAwait(false);
        return AccountJson.Strings(answer.RootElement, "profiles", "arn").FirstOrDefault(static arn => KiroFacts.RegionOf(arn) is not null);
    }

    private static Outcome Failure(HttpStatusCode? refused, bool wasReached) => refused switch
    {
        HttpStatusCode.Unauthorized => Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, "the profile list was refused (HTTP 401)")) with { IsStaleToken = true },
        HttpStatusCode.Forbidden => Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, "the profile list was refused (HTTP 403)")),
        null when wasReached => Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, "the sign-in has no profile; set profile_arn")),
        _ => Judgement.Failed(new ProxyError(ErrorKind.BadGateway, "the profile list could not be read")),
    };
}

/// <param name="Failure">null: <paramref name="Arn"/> was found.</param>
public readonly record struct ProfileAnswer(string? Arn, Outcome? Failure);
