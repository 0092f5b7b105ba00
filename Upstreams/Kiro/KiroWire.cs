using System.Collections.Concurrent;
using System.IO.Pipelines;
using Aiproxy.EventStream;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Kiro;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>Finds the region and the profile of a sign-in, and carries the dialect in AWS frames.</summary>
public sealed class KiroWire(TimeProvider clock) : IUpstreamWire
{
    // More sign-ins than anybody has in one file.
    private const int MostRemembered = 256;

    private static readonly TimeSpan RetryWait = TimeSpan.FromSeconds(1);

    private readonly KiroAccount _account = new();
    private readonly KiroProfiles _profiles = new(clock);

    /// <summary>Sign-ins that want the profile where the rules say no, or the other way round.</summary>
    private readonly ConcurrentDictionary<string, bool> _flipped = new(StringComparer.Ordinal);

    public IProviderAccount? Account => _account;

    public async ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken)
    {
        Credential? signIn = target.Credential?.SignIn;
        KiroSignIn? kiro = signIn?.Kiro;
        string? profile = target.Config.ProfileArn ?? kiro?.ProfileArn;
        if (profile is null && signIn is not null && kiro is { Method: KiroMethod.IdentityCenter or KiroMethod.ExternalIdp })
        {
            ProfileAnswer found = await _profiles.FindAsync(signIn, target, call, cancellationToken).ConfigureAwait(false);
            if (found.Failure is { } failure) return new Preparation(target, failure);
            profile = found.Arn;
        }
        string region = Region(target.Config.ApiRegion) ?? Region(kiro?.ApiRegion) ?? KiroFacts.RegionOf(profile) ?? KiroFacts.UsualRegion;
        IReadOnlyList<Uri> hosts = target.Config.BaseUrls.Count > 0 ? target.Config.BaseUrls
            : region == KiroFacts.UsualRegion ? [KiroFacts.HostOf(region), new Uri("https://" + KiroFacts.OlderHost)]
            : [KiroFacts.HostOf(region)];
        return new Preparation(target with { Hosts = hosts, Credential = target.Credential is { } credential ? credential with { Profile = profile } : null });
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body) =>
        SendsProfile(request.Target) ? [KiroRequestWriter.WithProfile(body[0].Span, request.Target.Credential!.Profile!)] : body;

    public void SetHeaders(HttpRequestMessage message, WireRequest request)
    {
        Set(message, "Accept", "*/*");
        // The client's words are not for training.
        Set(message, "x-amzn-codewhisperer-optout", "true");
        Set(message, "x-amzn-kiro-agent-mode", "vibe");
        if (message.RequestUri?.Host == KiroFacts.OlderHost) Set(message, "X-Amz-Target", KiroFacts.GenerateTarget);
    }

    public IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request) => new KiroFrames(new AwsFrameReader(body, AwsMessageRule.EventTypeSuffices));

    public ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request) => body;

    public Outcome? Judge(Refusal refusal) => KiroJudgement.Of(refusal);

    public Mend? MendOf(Refusal refusal, WireRequest request)
    {
        KiroFault fault = KiroJudgement.FaultOf(refusal);
        if (refusal.Status == 404 && fault.Action == KiroAction.FailOver && request.Target.Config.BaseUrls.Count == 0) return new Mend { NextHost = true };
        if (request.Mend is not null) return null;
        if (fault.Action == KiroAction.Retry && !refusal.IsInAnswer) return new Mend { Wait = RetryWait };
        bool mayFlip = fault.Action == KiroAction.CheckSignIn && request.Target.Credential is { Profile: not null, SignIn: { } signIn } && _flipped.Count < MostRemembered && _flipped.TryAdd(signIn.Id, true);
        return mayFlip ? new Mend { Without = "the other choice of profile" } : null;
    }

    // "Builder ID: must be absent (403 otherwise). On 403 AccessDenied flip the choice once and remember."
    private bool SendsProfile(UpstreamTarget target)
    {
        if (target.Credential is not { Profile: not null } credential) return false;
        bool byRule = credential.SignIn?.Kiro?.Method is not KiroMethod.BuilderId;
        return credential.SignIn is { } signIn && _flipped.ContainsKey(signIn.Id) ? !byRule : byRule;
    }

    private static string? Region(string? told) => told is not null && KiroFacts.IsRegion(told) ? told : null;

    private static void Set(HttpRequestMessage message, string name, string value)
    {
        message.Headers.Remove(name);
        message.Headers.TryAddWithoutValidation(name, value);
    }
}
