using Aiproxy.Balancer;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Balancer;

public sealed class FailureRankTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Most telling first.
    private static readonly Outcome[] Ranked =
    [
        Told(400, ErrorKind.ContextTooLong), Told(400, ErrorKind.InvalidRequest), Told(429, ErrorKind.RateLimit), Told(402, ErrorKind.Quota),
        Told(401, ErrorKind.ClientAuth), Told(500, ErrorKind.ServerError), Judgement.OfTimeout(TimeoutPhase.Headers), Judgement.OfConnectFailure(),
        Told(404, ErrorKind.NotFound), Outcome.CannotSay(new ProxyError(ErrorKind.Unsupported, "no words for it")),
    ];

    [Fact]
    public void TwoFailures_TheMoreTellingIsToldWhateverTheOrder()
    {
        for (int high = 0; high < Ranked.Length; high++)
        {
            for (int low = high + 1; low < Ranked.Length; low++)
            {
                Assert.Same(Ranked[high], BestOf(Ranked[high], Ranked[low]));
                Assert.Same(Ranked[high], BestOf(Ranked[low], Ranked[high]));
            }
        }
    }

    [Fact]
    public void EveryUpstreamCalledItInvalid_FirstMessageIsTold()
    {
        var rank = new FailureRank();
        rank.Add(Told(400, ErrorKind.InvalidRequest, "first"), "a");
        rank.Add(Told(422, ErrorKind.InvalidRequest, "second"), "b");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.InvalidRequest, "first"), (error.Kind, error.Message));
    }

    [Fact]
    public void Limits_TheSoonestTimeOfAllIsTold()
    {
        var rank = new FailureRank();
        rank.Add(Limited(50), "a");
        rank.Add(Limited(20), "b");
        rank.AddBlocked(Now.AddSeconds(30), isLimit: false);
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(20)), (error.Kind, error.RetryAfter));
        Assert.Null(error.ShouldRetry);
    }

    [Fact]
    public void LimitWithoutTime_TakesTheTimeOfTheCredential()
    {
        var rank = new FailureRank();
        rank.Add(Told(429, ErrorKind.RateLimit), "a", Now.AddSeconds(30));
        Assert.Equal(TimeSpan.FromSeconds(30), rank.Tell(Now).RetryAfter);
    }

    [Fact]
    public void LimitOfHours_SaysWhenAndNotToRetry()
    {
        var rank = new FailureRank();
        rank.Add(Limited(7200), "a");
        ProxyError error = rank.Tell(Now);
        Assert.False(error.ShouldRetry);
        Assert.Contains("2026-01-01T02:00:00Z", error.Message);
    }

    [Theory]
    [InlineData(401, ErrorKind.ClientAuth)]
    [InlineData(403, ErrorKind.Permission)]
    public void RefusedCredential_NamesTheUpstreamAndNotTheClient(int status, ErrorKind kind)
    {
        var rank = new FailureRank();
        rank.Add(Told(status, kind, "Incorrect API key provided: sk-fake-a"), "primary");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.UpstreamAuth, false), (error.Kind, error.ShouldRetry));
        Assert.Contains("\"primary\"", error.Message);
        Assert.DoesNotContain("sk-fake-a", error.Message);
    }

    [Fact]
    public void OnlyOpenCircuits_IsUnavailableWithTheNextProbe()
    {
        var rank = new FailureRank();
        rank.AddBlocked(Now.AddSeconds(40), isLimit: false);
        rank.AddBlocked(Now.AddSeconds(15), isLimit: true);
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.Unavailable, TimeSpan.FromSeconds(15)), (error.Kind, error.RetryAfter));
    }

    [Fact]
    public void AllLimited_IsARateLimit()
    {
        var rank = new FailureRank();
        rank.AddBlocked(Now.AddSeconds(15), isLimit: true);
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(15)), (error.Kind, error.RetryAfter));
    }

    [Fact]
    public void AllRefused_SaysSoAgainAndNotToRetry()
    {
        var rank = new FailureRank();
        rank.AddResting(new CredentialRest(ErrorKind.UpstreamAuth, null), "primary");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.UpstreamAuth, false, null), (error.Kind, error.ShouldRetry, error.RetryAfter));
        Assert.Contains("\"primary\"", error.Message);
    }

    [Fact]
    public void QuotaThatBeginsAnewAtAKnownTime_IsTold()
    {
        var rank = new FailureRank();
        rank.AddResting(new CredentialRest(ErrorKind.UpstreamAuth, null), "a");
        rank.AddResting(new CredentialRest(ErrorKind.Quota, Now.AddHours(2)), "b");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.Quota, false, TimeSpan.FromHours(2)), (error.Kind, error.ShouldRetry, error.RetryAfter));
        Assert.Contains("2026-01-01T02:00:00Z", error.Message);
    }

    [Fact]
    public void QuotaWithoutATime_NamesNone()
    {
        var rank = new FailureRank();
        rank.AddResting(new CredentialRest(ErrorKind.Quota, null), "a");
        Assert.Equal((ErrorKind.Quota, null), (rank.Tell(Now).Kind, rank.Tell(Now).RetryAfter));
    }

    [Fact]
    public void QuotaOfThisVeryRequest_NamesATimeOnlyWhereOneIsKnown()
    {
        var rank = new FailureRank();
        rank.Add(Told(402, ErrorKind.Quota), "a");
        Assert.Equal((ErrorKind.Quota, null, false), (rank.Tell(Now).Kind, rank.Tell(Now).RetryAfter, rank.Tell(Now).ShouldRetry));
        rank.AddBlocked(Now.AddSeconds(15), isLimit: false);
        Assert.Equal(TimeSpan.FromSeconds(15), rank.Tell(Now).RetryAfter);
    }

    [Fact]
    public void RestByARule_IsNoFaultOfTheRequestsThatMeetIt()
    {
        var rank = new FailureRank();
        rank.AddResting(new CredentialRest(ErrorKind.InvalidRequest, Now.AddSeconds(20)), "a");
        Assert.Equal((ErrorKind.Unavailable, TimeSpan.FromSeconds(20)), (rank.Tell(Now).Kind, rank.Tell(Now).RetryAfter));
    }

    [Theory]
    [InlineData(401, ErrorKind.ClientAuth)]
    [InlineData(402, ErrorKind.Quota)]
    public void FailureThatWillNotPass_GivesWayToALimitThatEnds(int status, ErrorKind kind)
    {
        var rank = new FailureRank();
        rank.Add(Told(status, kind), "a");
        rank.AddResting(new CredentialRest(ErrorKind.RateLimit, Now.AddSeconds(20)), "b");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(20), null), (error.Kind, error.RetryAfter, error.ShouldRetry));
        Assert.False(rank.TellsBest);
    }

    [Fact]
    public void OpenCircuitBesideARefusedCredential_IsUnavailableWithTheNextProbe()
    {
        var rank = new FailureRank();
        rank.AddResting(new CredentialRest(ErrorKind.UpstreamAuth, null), "a");
        rank.AddBlocked(Now.AddSeconds(15), isLimit: false);
        Assert.Equal((ErrorKind.Unavailable, TimeSpan.FromSeconds(15)), (rank.Tell(Now).Kind, rank.Tell(Now).RetryAfter));
    }

    [Fact]
    public void AllBusy_IsARateLimitOfASecond()
    {
        var rank = new FailureRank();
        rank.Add(Outcome.Busy, "a");
        ProxyError error = rank.Tell(Now);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(1)), (error.Kind, error.RetryAfter));
    }

    [Fact]
    public void InexpressibleRequest_IsToldOnlyWhereNobodyElseMayTakeIt()
    {
        var rank = new FailureRank();
        rank.Add(Ranked[^1], "a");
        Assert.Equal(ErrorKind.Unsupported, rank.Tell(Now).Kind);
        rank.AddBlocked(Now.AddSeconds(15), isLimit: false);
        Assert.Equal(ErrorKind.Unavailable, rank.Tell(Now).Kind);
    }

    [Fact]
    public void BrokenAnswer_RanksAsAnErrorOfTheUpstream() => Assert.Equal(ErrorKind.BadGateway, BestOf(Ranked[6], Judgement.OfBrokenStream()).Error!.Kind);

    [Fact]
    public void ClientGone_IsNoFailure()
    {
        var rank = new FailureRank();
        rank.Add(Outcome.ClientGone, "a");
        Assert.Null(rank.Best);
    }

    private static Outcome BestOf(Outcome first, Outcome second)
    {
        var rank = new FailureRank();
        rank.Add(first, "a");
        rank.Add(second, "b");
        return rank.Best!;
    }

    private static Outcome Told(int status, ErrorKind kind, string message = "told") =>
        Judgement.OfAnswer(status, new ProxyError(kind, message), [], [], [], new FakeClock(Now));

    private static Outcome Limited(int seconds) =>
        Judgement.OfAnswer(429, new ProxyError(ErrorKind.RateLimit, "slow down"), [KeyValuePair.Create("retry-after", $"{seconds}")], [], [], new FakeClock(Now));
}
