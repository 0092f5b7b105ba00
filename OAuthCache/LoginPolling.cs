namespace Aiproxy.OAuthCache;

/// <summary>Asks until there is an answer (RFC 8628 section 3.5).</summary>
/// <param name="Interval">Before each question.</param>
/// <param name="Limit">Of the whole.</param>
/// <param name="TimeUp">Line for the user when it is over.</param>
public sealed record LoginPolling(TimeSpan Interval, TimeSpan Limit, string TimeUp)
{
    /// <summary>By how much "slow_down" means: "the interval MUST be increased by 5 seconds for this and all subsequent requests".</summary>
    private static readonly TimeSpan SlowDown = TimeSpan.FromSeconds(5);

    public async Task<LoginStep<LoginReply>> RunAsync(
        Func<CancellationToken, Task<LoginReply>> ask, Func<LoginReply, LoginPoll> judge, TimeProvider clock, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        TimeSpan interval = Interval;
        while (Limit - clock.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(interval < left ? interval : left, clock, cancellationToken).ConfigureAwait(false);
            LoginReply reply = await ask(cancellationToken).ConfigureAwait(false);
            // What passes by itself says nothing about the sign-in.
            LoginPoll poll = reply.IsPassing ? reply.Status == 429 ? LoginPoll.SlowDown : LoginPoll.Wait : judge(reply);
            if (poll.Problem is { } problem) return problem;
            if (poll.IsDone) return reply;
            if (poll.SlowsDown) interval += SlowDown;
        }
        return new LoginProblem(TimeUp);
    }
}

/// <summary>What one answer means.</summary>
public sealed record LoginPoll(bool IsDone, bool SlowsDown, LoginProblem? Problem)
{
    public static readonly LoginPoll Wait = new(false, false, null);

    public static readonly LoginPoll SlowDown = new(false, true, null);

    public static readonly LoginPoll Done = new(true, false, null);

    public static LoginPoll Failed(LoginProblem problem) => new(false, false, problem);
}
