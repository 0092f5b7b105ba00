namespace Aiproxy.OAuthCache;

/// <summary>Counts failed refreshes of one sign-in and decides what each means: wait, or give up.</summary>
public sealed class RefreshFailures(SignInTools tools, TokenState state, SignInReport report)
{
    private const int MostUnknown = 3;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Last = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LeastLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MostLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan DeadUnknown = TimeSpan.FromMinutes(10);

    private int _inARow;
    private int _unknown;

    public void Reset()
    {
        _inARow = 0;
        _unknown = 0;
    }

    public void Note(SignInOptions options, AuthFile file, RefreshOutcome outcome)
    {
        switch (outcome.Kind)
        {
            case RefreshOutcomeKind.Permanent:
                report.Dead(state, options, SignInReport.Ended(options, file, outcome.Reason), null, isWholeSentence: true);
                break;
            case RefreshOutcomeKind.Client:
                report.Dead(state, options, "could not be refreshed: " + outcome.Reason + SignInReport.Login(options), null, isWholeSentence: true);
                break;
            case RefreshOutcomeKind.RateLimited:
                TimeSpan wait = outcome.Wait ?? Backoff(++_inARow);
                report.Waiting(state, options, SignInFailureKind.RateLimited, outcome.Reason, wait < LeastLimit ? LeastLimit : wait > MostLimit ? MostLimit : wait);
                break;
            case RefreshOutcomeKind.Unknown when ++_unknown >= MostUnknown:
                report.Dead(state, options, "could not be refreshed: " + outcome.Reason + SignInReport.Login(options), DeadUnknown, isWholeSentence: true);
                break;
            default:
                Transient(options, outcome.Reason);
                break;
        }
    }

    public void Transient(SignInOptions options, string reason) => report.Waiting(state, options, SignInFailureKind.Unavailable, reason, Backoff(++_inARow));

    /// <summary>1, 2, 4 ... 60 s, less up to a half.</summary>
    private TimeSpan Backoff(int failures)
    {
        TimeSpan whole = failures > 6 ? Last : First * (1 << (failures - 1));
        if (whole > Last) whole = Last;
        return whole * (1 - (tools.Jitter() / 2));
    }
}
