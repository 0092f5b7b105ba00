using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Finds what an upstream's credential says now: a key of the configuration, or the token of a sign-in.</summary>
public sealed class CredentialSource(TokenCache tokens, UpstreamClients clients, UpstreamTable types)
{
    // A client waits meanwhile.
    private static readonly TimeSpan ResetPatience = TimeSpan.FromSeconds(5);

    // Weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, SignIn[]> _signIns = [];
    private readonly ConcurrentDictionary<string, AccountQuota> _quotas = new(StringComparer.Ordinal);

    /// <param name="index">Position among the upstream's credentials, as in its ring.</param>
    public async ValueTask<HeldCredential> GetAsync(UpstreamConfig config, IUpstreamType type, int index, CancellationToken cancellationToken) =>
        SignInOf(config, type, index) is { } signIn ? Held(await signIn.GetAsync(cancellationToken).ConfigureAwait(false)) : Key(config, index);

    /// <summary>After a 401: a newer token, or one refreshed for all who wait.</summary>
    public async ValueTask<HeldCredential> RefusedAsync(UpstreamConfig config, IUpstreamType type, int index, UpstreamCredential refused, CancellationToken cancellationToken) =>
        SignInOf(config, type, index) is { } signIn && refused.SignIn is { } used
            ? Held(await signIn.RefusedAsync(used.Generation, cancellationToken).ConfigureAwait(false))
            : Key(config, index);

    /// <summary>Out of use until its owner acts.</summary>
    public void Disable(UpstreamConfig config, IUpstreamType type, int index, SignInFault fault) => SignInOf(config, type, index)?.Disable(fault.Reason, fault.Link);

    /// <summary>Moves when another program has put other tokens into the sign-in's file; 0 for a key.</summary>
    public long AdoptionsOf(UpstreamConfig config, IUpstreamType type, int index) => SignInOf(config, type, index)?.CountAdoptions() ?? 0;

    /// <summary>Remembers what an answer told of the account's limits.</summary>
    public void Told(UpstreamConfig config, IUpstreamType type, int index, IReadOnlyList<KeyValuePair<string, string>> headers, DateTimeOffset now)
    {
        if (type.Wire?.Account?.QuotaOf(headers, now) is { } quota && SignInOf(config, type, index) is { } signIn) _quotas[signIn.Path] = quota;
    }

    /// <summary>Asks the provider when a limit that it told without a time begins anew; null: it does not say, or not soon enough.</summary>
    public async ValueTask<DateTimeOffset?> ResetAsync(
        UpstreamConfig config, IUpstreamType type, int index, UpstreamCredential credential, ProviderCall call, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (type.Wire?.Account is not { } account) return null;
        using var patience = new CancellationTokenSource(ResetPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await account.QuotaAsync(config, credential, call, clock.GetUtcNow(), either.Token).ConfigureAwait(false) is not { } quota) return null;
            if (SignInOf(config, type, index) is { } signIn) _quotas[signIn.Path] = quota;
            return quota.Windows.Where(static window => window.UsedPercent is not < 100).Max(static window => window.ResetsAt);
        }
        catch (Exception fault) when (Faults.IsTransport(fault))
        {
            return null;
        }
    }

    /// <summary>How the sign-ins of an upstream stand, in the order of its credentials; empty where it has none.</summary>
    public IReadOnlyList<(SignInStatus Status, AccountQuota? Quota)> Statuses(UpstreamConfig config) =>
        types.Find(config.ApiType) is not { } type || config.AuthFiles.Count == 0 ? []
        : [.. Opened(config, type).Select(signIn => (signIn.Status, _quotas.GetValueOrDefault(signIn.Path)))];

    /// <summary>A configuration comes into use: its files are looked at, those of no upstream are left alone from now on.</summary>
    public void Retain(IReadOnlyList<UpstreamConfig> upstreams)
    {
        var inUse = new List<SignIn>();
        foreach (UpstreamConfig upstream in upstreams)
            if (upstream.Enabled && upstream.AuthFiles.Count > 0 && types.Find(upstream.ApiType) is { } type) inUse.AddRange(Opened(upstream, type));
        tokens.KeepOnly(inUse);
        // What cannot be read is told now rather than at the first request.
        foreach (SignIn signIn in inUse) _ = signIn.LoadAsync(CancellationToken.None);
    }

    private SignIn? SignInOf(UpstreamConfig config, IUpstreamType type, int index) => index < config.AuthFiles.Count ? Opened(config, type)[index] : null;

    private SignIn[] Opened(UpstreamConfig config, IUpstreamType type) => _signIns.GetValue(config, given => [.. given.AuthFiles.Select((_, index) => Open(given, type, index))]);

    private SignIn Open(UpstreamConfig config, IUpstreamType type, int index) => tokens.Open(new SignInOptions
    {
        Type = type.Name,
        Path = config.AuthFiles[index],
        TokenUrl = config.OAuth?.TokenUrl,
        ClientId = config.OAuth?.ClientId,
        ClientSecret = config.OAuth?.ClientSecret?.Reveal(),
        RefreshMargin = config.OAuth?.RefreshMargin ?? TimeSpan.FromMinutes(10),
        Lazy = config.OAuth is { RefreshAhead: false },
        WriteBack = config.AuthWriteBack,
        Client = clients.For(config, type, index),
    });

    private static HeldCredential Key(UpstreamConfig config, int index) => new(UpstreamCredential.OfKey(index < config.Tokens.Count ? config.Tokens[index] : null));

    private static HeldCredential Held(SignInAnswer answer) => answer switch
    {
        { Credential: { } credential } => new HeldCredential(new UpstreamCredential(new Secret(credential.AccessToken), credential)),
        { Failure: { } failure } => new HeldCredential(null, OutcomeOf(failure)),
        _ => throw new ArgumentException("neither credential nor failure", nameof(answer)),
    };

    // The sign-in's own words name files and go to the log; the client is told no more than that it is not its key.
    private static Outcome OutcomeOf(SignInFailure failure) => failure.Kind switch
    {
        SignInFailureKind.RateLimited => new Outcome
        {
            Kind = OutcomeKind.Limited,
            Scope = Scope.Credential,
            Error = new ProxyError(ErrorKind.RateLimit, "the provider's sign-in service asks to wait"),
            RetryAt = failure.RetryAt,
        },
        SignInFailureKind.Unavailable => new Outcome
        {
            Kind = OutcomeKind.Failed,
            Scope = Scope.Credential,
            Error = new ProxyError(ErrorKind.BadGateway, "the provider's sign-in service cannot be reached"),
            Counts = true,
        },
        _ => Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, "upstream credential unavailable")) with
        {
            Counts = false,
            SignInFault = new SignInFault(failure.Message),
        },
    };
}

/// <param name="Failure">null: <paramref name="Credential"/> can be used; it is null where the upstream has none.</param>
public readonly record struct HeldCredential(UpstreamCredential? Credential, Outcome? Failure = null);
