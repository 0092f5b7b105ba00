using System.Globalization;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Balancer;

/// <summary>Gathers what went wrong for one request and says what to tell the client. Not thread-safe.</summary>
public sealed class FailureRank
{
    // Beyond it client libraries differ: some ignore the time, some give up, some sleep it through in full.
    private static readonly TimeSpan LongestClientWait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(1);

    private bool isOpenCircuitAmong;
    private bool isLimitAmong;
    private DateTimeOffset? soonest;
    private Outcome? resting;
    private string restingUpstream = "";

    /// <summary>The most telling failure; of equals the first. null: nothing was attempted.</summary>
    public Outcome? Best { get; private set; }

    /// <summary>Whose failure <see cref="Best"/> is.</summary>
    public string? BestUpstream { get; private set; }

    /// <summary>An attempt failed. <paramref name="availableAt"/>: when this upstream may take the request again, where that is known beside the outcome's own time.</summary>
    public void Add(Outcome outcome, string upstream, DateTimeOffset? availableAt = null)
    {
        if (outcome.Kind is OutcomeKind.Success or OutcomeKind.ClientGone) return;
        Soonest(outcome.RetryAt ?? availableAt);
        if (Best is not null && RankOf(outcome) <= RankOf(Best)) return;
        Best = outcome;
        BestUpstream = upstream;
    }

    /// <summary>A candidate was not tried. <paramref name="isLimit"/>: it rests by its provider's word or all its credentials do; else its circuit is open.</summary>
    public void AddBlocked(DateTimeOffset until, bool isLimit)
    {
        Soonest(until);
        if (isLimit) isLimitAmong = true;
        else isOpenCircuitAmong = true;
    }

    /// <summary>A candidate was not tried because its credentials rest. A client that is told "limited" of what does not pass would wait and ask for ever.</summary>
    public void AddResting(CredentialRest rest, string upstream)
    {
        if (rest.IsLimit)
        {
            isLimitAmong = true;
            Soonest(rest.Until);
            return;
        }
        Outcome outcome = OfRest(rest, upstream);
        if (resting is not null && RankOf(outcome) <= RankOf(resting)) return;
        resting = outcome;
        restingUpstream = upstream;
    }

    /// <summary>What <see cref="Tell"/> tells is <see cref="Best"/>, a failure of this very request.</summary>
    public bool TellsBest => Best switch
    {
        null => false,
        // An attempt that could not even be put into words says less than a candidate that may soon be free.
        { Kind: OutcomeKind.CannotSay } => !(isOpenCircuitAmong || isLimitAmong || resting is not null),
        // What will not pass says less than a candidate that is free again at a known time.
        { Error.Kind: ErrorKind.Quota or ErrorKind.UpstreamAuth } => !isLimitAmong || Best.IsFinal,
        _ => true,
    };

    /// <summary>The answer to the client.</summary>
    public ProxyError Tell(DateTimeOffset now)
    {
        if (TellsBest)
        {
            ProxyError error = ForClient(Best!, BestUpstream!);
            // A quota comes back when somebody pays, unless its provider has said when.
            bool isTimeless = error.Kind == ErrorKind.Quota && soonest is null && error.RetryAfter is null;
            return Best!.Kind is OutcomeKind.Limited or OutcomeKind.Busy && !isTimeless ? Wait(error, soonest, now) : error;
        }

        if (isOpenCircuitAmong) return Wait(new ProxyError(ErrorKind.Unavailable, "no upstream that serves this model can take a request at the moment"), soonest, now);
        if (isLimitAmong) return Wait(new ProxyError(ErrorKind.RateLimit, "every upstream that serves this model is limited at the moment"), soonest, now);
        if (resting is null) return Wait(new ProxyError(ErrorKind.Unavailable, "no upstream that serves this model can take a request at the moment"), soonest, now);
        ProxyError told = ForClient(resting, restingUpstream);
        return resting.RetryAt is { } until ? Wait(told, until, now) : told;
    }

    /// <summary>One failure in words that do not blame the client for what is ours.</summary>
    public static ProxyError ForClient(Outcome outcome, string upstream)
    {
        ProxyError error = outcome.Error ?? new ProxyError(ErrorKind.BadGateway, "the upstream failed");
        return error.Kind switch
        {
            ErrorKind.UpstreamAuth or ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing or ErrorKind.Permission =>
                new ProxyError(ErrorKind.UpstreamAuth, $"upstream \"{upstream}\" refused the credential that the proxy has for it{StatusWord(error)}")
                {
                    ShouldRetry = false,
                    UpstreamStatus = error.UpstreamStatus,
                },
            ErrorKind.BadGateway or ErrorKind.Timeout => error with { Message = $"upstream \"{upstream}\": {error.Message}" },
            ErrorKind.NotFound or ErrorKind.TooLarge or ErrorKind.Quota => error with { ShouldRetry = false },
            _ => error,
        };
    }

    private static Outcome OfRest(CredentialRest rest, string upstream) => rest.Kind switch
    {
        ErrorKind.UpstreamAuth or ErrorKind.Permission => Judgement.CredentialRefused(new ProxyError(rest.Kind, "refused")),
        ErrorKind.Quota => Resting(rest, ErrorKind.Quota, $"the quota of upstream \"{upstream}\" is used up"),
        // By a rule of the configuration: whatever the request was that met it, this one is not to blame.
        _ => Resting(rest, ErrorKind.Unavailable, $"upstream \"{upstream}\" rests after a failure"),
    };

    private static Outcome Resting(CredentialRest rest, ErrorKind kind, string message) =>
        new() { Kind = OutcomeKind.Limited, Scope = Scope.Credential, RetryAt = rest.Until, Error = new ProxyError(kind, message) };

    private static string StatusWord(ProxyError error) =>
        error.UpstreamStatus is { } status ? string.Create(CultureInfo.InvariantCulture, $" (HTTP {status})") : "";

    private void Soonest(DateTimeOffset? time)
    {
        if (time is not null && (soonest is null || time < soonest)) soonest = time;
    }

    private static ProxyError Wait(ProxyError error, DateTimeOffset? soonest, DateTimeOffset now)
    {
        TimeSpan wait = soonest is { } time && time - now > BusyWait ? time - now : BusyWait;
        if (soonest is null && error.RetryAfter is { } told) wait = told;
        if (wait <= LongestClientWait) return error with { RetryAfter = wait };
        return error with
        {
            RetryAfter = wait,
            ShouldRetry = false,
            Message = string.Create(CultureInfo.InvariantCulture, $"{error.Message} (available again at {now + wait:yyyy-MM-dd'T'HH:mm:ss'Z'})"),
        };
    }

    /// <summary>"Rank: context too long, other request faults, 429, quota, credential faults, 5xx, timeout, no connection."
    /// A model that an upstream does not have comes after all that may pass; a request that we could not put into its words comes last.</summary>
    private static int RankOf(Outcome outcome) => outcome.Kind == OutcomeKind.CannotSay ? 0 : outcome.Error?.Kind switch
    {
        ErrorKind.ContextTooLong => 9,
        ErrorKind.InvalidRequest or ErrorKind.Unsupported or ErrorKind.ContentPolicy or ErrorKind.TooLarge
            or ErrorKind.UnsupportedMedia or ErrorKind.Conflict or ErrorKind.MethodNotAllowed => 8,
        ErrorKind.RateLimit => 7,
        ErrorKind.Quota => 6,
        ErrorKind.UpstreamAuth or ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing or ErrorKind.Permission => 5,
        ErrorKind.ServerError or ErrorKind.Overloaded or ErrorKind.Unavailable => 4,
        ErrorKind.BadGateway when outcome.Error.UpstreamStatus is not null => 4,
        ErrorKind.Timeout => 3,
        ErrorKind.BadGateway => 2,
        _ => 1,
    };
}
