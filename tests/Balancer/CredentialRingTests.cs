using Aiproxy.Balancer;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Balancer;

public sealed class CredentialRingTests
{
    private readonly FakeClock clock = new();

    [Fact]
    public void FreeCredentials_TakeTurns()
    {
        CredentialRing ring = Ring("a", "b", "c");
        Assert.Equal(["a", "b", "c", "a"], Enumerable.Range(0, 4).Select(_ => Next(ring).Identity));
        Assert.Null(ring.NextAvailable);
    }

    [Fact]
    public void TriedOnes_ArePassedOver()
    {
        CredentialRing ring = Ring("a", "b");
        CredentialSlot first = Next(ring);
        Assert.True(ring.TryNext(new HashSet<int> { first.Index }, out CredentialSlot second));
        Assert.Equal("b", second.Identity);
        Assert.False(ring.TryNext(new HashSet<int> { 0, 1 }, out _));
    }

    [Fact]
    public void NamedRest_EndsAtItsTimeForAll()
    {
        CredentialRing ring = Ring("a", "b");
        DateTimeOffset until = clock.Now.AddMinutes(10);
        Next(ring).Rest(until);
        Assert.Equal(["b", "b"], [Next(ring).Identity, Next(ring).Identity]);
        Next(ring).Rest(until.AddMinutes(5));
        Assert.False(ring.TryNext(null, out _));
        Assert.Equal(until, ring.NextAvailable);
        clock.AdvanceTo(until);
        Assert.Equal(["a", "a"], [Next(ring).Identity, Next(ring).Identity]);
        Assert.False(Next(ring).IsTry);
    }

    [Fact]
    public void NamedRestOfHours_IsTriedOnceAnHour()
    {
        CredentialRing ring = Ring("a");
        Next(ring).Rest(clock.Now.AddHours(10));
        Assert.Equal(clock.Now.AddHours(1), ring.NextAvailable);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(Next(ring).IsTry);
        Assert.False(ring.TryNext(null, out _));
        clock.Advance(TimeSpan.FromHours(1));
        Next(ring).Succeeded();
        Assert.False(Next(ring).IsTry);
        Assert.Null(ring.NextAvailable);
    }

    [Fact]
    public void AllResting_SayWhyAndForHowLongWhereThatIsKnown()
    {
        CredentialRing ring = Ring("a", "b");
        Next(ring).Refused();
        Assert.Null(ring.RestFor("m"));
        Next(ring).Refused();
        Assert.Equal(new CredentialRest(ErrorKind.UpstreamAuth, null), ring.RestFor("m"));

        clock.Advance(TimeSpan.FromSeconds(30));
        Next(ring).Rest(clock.Now.AddMinutes(3), ErrorKind.Quota);
        Next(ring).Refused(ErrorKind.UpstreamAuth);
        Assert.Equal(new CredentialRest(ErrorKind.Quota, clock.Now.AddMinutes(3)), ring.RestFor("m"));

        clock.Advance(TimeSpan.FromSeconds(60));
        Next(ring).Refused(ErrorKind.RateLimit);
        Assert.Equal(new CredentialRest(ErrorKind.RateLimit, clock.Now.AddMinutes(2)), ring.RestFor("m"));
    }

    [Fact]
    public void ModelAtItsQuota_RestsForThatReasonAndTheOthersNot()
    {
        CredentialRing ring = Ring("a");
        Assert.True(ring.TryNext(null, "m", out CredentialSlot slot));
        slot.RestModel(clock.Now.AddMinutes(5), ErrorKind.Quota);
        Assert.Equal(new CredentialRest(ErrorKind.Quota, clock.Now.AddMinutes(5)), ring.RestFor("m"));
        Assert.Null(ring.RestFor("other"));
    }

    [Fact]
    public void ExchangedCredential_RestsForNothingThatTheOldOneDid()
    {
        CredentialRing ring = Ring("a");
        CredentialSlot old = Next(ring), same = Next(ring);
        old.Rest(clock.Now.AddHours(3));
        old.RestModel(clock.Now.AddHours(3));
        ring.Exchanged(0, 0);
        Assert.NotNull(ring.RestFor(""));
        ring.Exchanged(0, 1);
        Assert.Null(ring.RestFor(""));
        same.Refused();
        Assert.Null(ring.RestFor(""));
        Next(ring).Refused();
        ring.Exchanged(0, 1);
        Assert.NotNull(ring.RestFor(""));
    }

    [Fact]
    public void Refusals_BackOffDoublingToHalfAnHour()
    {
        CredentialRing ring = Ring("a");
        foreach (int seconds in new[] { 30, 60, 120, 240, 480, 960, 1800, 1800 })
        {
            Next(ring).Refused();
            Assert.Equal(clock.Now.AddSeconds(seconds), ring.NextAvailable);
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Fact]
    public void Success_ForgetsTheBackoff()
    {
        CredentialRing ring = Ring("a");
        Next(ring).Refused();
        clock.Advance(TimeSpan.FromSeconds(30));
        Next(ring).Refused();
        clock.Advance(TimeSpan.FromSeconds(60));
        Next(ring).Succeeded();
        Next(ring).Refused();
        Assert.Equal(clock.Now.AddSeconds(30), ring.NextAvailable);
    }

    [Fact]
    public void AfterABackoff_OneRequestIsOnTrial()
    {
        CredentialRing ring = Ring("a");
        Next(ring).Refused();
        clock.Advance(TimeSpan.FromSeconds(30));
        CredentialSlot trial = Next(ring);
        Assert.True(trial.IsTry);
        Assert.False(ring.TryNext(null, out _));
        trial.Cancelled();
        Assert.True(ring.TryNext(null, out _));
        Assert.False(ring.TryNext(null, out _));
    }

    [Fact]
    public void TrialThatNeverComesBack_BlocksNoLongerThanTheFirstBackoff()
    {
        CredentialRing ring = Ring("a");
        Next(ring).Refused();
        clock.Advance(TimeSpan.FromSeconds(30));
        Next(ring);
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(ring.TryNext(null, out _));
    }

    [Fact]
    public void RequestsThatWentOutTogether_BackOffOnce()
    {
        CredentialRing ring = Ring("a");
        CredentialSlot[] slots = [Next(ring), Next(ring), Next(ring)];
        slots[0].Refused();
        slots[1].Refused();
        slots[2].Succeeded();
        Assert.Equal(clock.Now.AddSeconds(30), ring.NextAvailable);
    }

    [Fact]
    public void LateLimit_LengthensTheRestButNeverShortensIt()
    {
        CredentialRing ring = Ring("a");
        CredentialSlot[] slots = [Next(ring), Next(ring), Next(ring)];
        slots[0].Rest(clock.Now.AddMinutes(5));
        slots[1].Rest(clock.Now.AddMinutes(1));
        Assert.Equal(clock.Now.AddMinutes(5), ring.NextAvailable);
        slots[2].Rest(clock.Now.AddMinutes(9));
        Assert.Equal(clock.Now.AddMinutes(9), ring.NextAvailable);
    }

    [Fact]
    public void ModelAtItsLimit_RestsForThisModelAlone()
    {
        CredentialRing ring = Ring("a");
        Assert.True(ring.TryNext(null, "big", out CredentialSlot slot));
        slot.RestModel(clock.Now.AddMinutes(5));
        Assert.False(ring.TryNext(null, "big", out _));
        Assert.True(ring.TryNext(null, "small", out _));
        Assert.Equal(clock.Now.AddMinutes(5), ring.NextFor("big"));
        Assert.Null(ring.NextFor("small"));
        Assert.Null(ring.NextAvailable);
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.True(ring.TryNext(null, "big", out _));
    }

    [Fact]
    public void LongRestOfAModel_IsTriedOnceAnHour()
    {
        CredentialRing ring = Ring("a");
        Assert.True(ring.TryNext(null, "big", out CredentialSlot slot));
        slot.RestModel(clock.Now.AddHours(5));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(ring.TryNext(null, "big", out CredentialSlot again));
        Assert.False(ring.TryNext(null, "big", out _));
        again.Succeeded();
        Assert.True(ring.TryNext(null, "big", out _));
    }

    [Fact]
    public void ManyModelsAtTheirLimit_AreBounded()
    {
        CredentialRing ring = Ring("a");
        for (int i = 0; i < 500; i++)
        {
            Assert.True(ring.TryNext(null, "m" + i, out CredentialSlot slot));
            slot.RestModel(clock.Now.AddMinutes(1 + i));
        }
        Assert.Null(ring.NextFor("m0"));
        Assert.NotNull(ring.NextFor("m499"));
    }

    [Fact]
    public void CertainCredential_IsTakenUnlessItRests()
    {
        CredentialRing ring = Ring("a", "b");
        Assert.True(ring.TryTake("b", "", out CredentialSlot slot));
        Assert.Equal(1, slot.Index);
        slot.Refused();
        Assert.False(ring.TryTake("b", "", out _));
        Assert.False(ring.TryTake("gone", "", out _));
        Assert.Equal([0, 1], ring.Statuses().Select(status => status.Refusals));
    }

    [Fact]
    public void UpstreamWithoutCredentials_HasOneSlot()
    {
        CredentialRing ring = new(CredentialIdentity.Of(TestUpstreams.Make("u")), clock);
        Assert.Equal(1, ring.Count);
        Assert.Equal("none", Next(ring).Identity);
    }

    [Fact]
    public void Identity_TellsKeysApartAndShowsNone()
    {
        IReadOnlyList<string> identities = CredentialIdentity.Of(TestUpstreams.Make("u", tokens: ["sk-fake-a", "sk-fake-b"]));
        Assert.Equal(2, identities.Distinct().Count());
        Assert.All(identities, identity => Assert.Matches("^[0-9a-f]{16}$", identity));
    }

    private CredentialRing Ring(params string[] identities) => new(identities, clock);

    private static CredentialSlot Next(CredentialRing ring)
    {
        Assert.True(ring.TryNext(null, out CredentialSlot slot));
        return slot;
    }
}
