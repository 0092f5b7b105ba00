using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Balancer;

/// <summary>What counts for a circuit, one failure at a time: a circuit of one failure tells.</summary>
public sealed class SettlementTests
{
    private readonly FakeClock clock = new();
    private readonly CircuitBreaker circuit;
    private readonly CredentialRing ring;

    public SettlementTests()
    {
        circuit = new CircuitBreaker(new CircuitConfig(1, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1)), clock);
        ring = new CredentialRing(["a"], clock);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(529)]
    [InlineData(302)]
    public void StatusThatCounts_OpensTheCircuit(int status) => AssertOpens(true, Judge(status));

    [Theory]
    [InlineData(400)]
    [InlineData(413)]
    [InlineData(422)]
    [InlineData(409)]
    public void RequestsFault_OpensTheCircuitOnlyIfAnotherAccepts(int status)
    {
        AssertOpens(false, Judge(status));
        AssertOpens(true, Judge(status), anotherAccepted: true);
    }

    [Fact]
    public void TransportFaults_OpenTheCircuit()
    {
        AssertOpens(true, Judgement.OfConnectFailure());
        AssertOpens(true, Judgement.OfBrokenStream());
        AssertOpens(true, Judgement.OfEmptyAnswer());
        foreach (TimeoutPhase phase in Enum.GetValues<TimeoutPhase>()) AssertOpens(true, Judgement.OfTimeout(phase));
    }

    [Fact]
    public void WhatBlamesNobody_LeavesTheCircuit()
    {
        foreach (Outcome outcome in new[] { Outcome.ClientGone, Outcome.Busy, Outcome.CannotSay(new ProxyError(ErrorKind.Unsupported, "x")) })
        {
            AssertOpens(false, outcome, anotherAccepted: true);
        }
    }

    [Fact]
    public void LimitWithTime_LeavesTheCircuitAndRestsTheCredential()
    {
        Outcome outcome = Judge(429, "9");
        AssertOpens(false, outcome);
        Attempt(outcome);
        Assert.Equal(clock.Now.AddSeconds(9), ring.NextAvailable);
        Assert.Null(circuit.BlockedUntil);
    }

    [Fact]
    public void UnavailableWithTime_RestsTheModelAndLeavesTheCredential()
    {
        Outcome outcome = Judge(503, "9");
        AssertOpens(false, outcome);
        Attempt(outcome);
        Assert.Null(ring.NextAvailable);
        Assert.Equal(clock.Now.AddSeconds(9), circuit.RestsUntil);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(402)]
    [InlineData(429)]
    public void CredentialsFaultWithoutTime_BacksOff(int status)
    {
        Attempt(Judge(status));
        Assert.Equal(clock.Now.AddSeconds(30), ring.NextAvailable);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(500)]
    public void OtherFaults_LeaveTheCredential(int status)
    {
        Attempt(Judge(status));
        Assert.Null(ring.NextAvailable);
    }

    [Fact]
    public void Success_ClosesTheCircuitAndFreesTheCredential()
    {
        Attempt(Judge(401));
        AssertOpens(true, Judge(500));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(circuit.TryEnter(out CircuitPass probe));
        Attempt(Outcome.Success);
        Assert.True(Settlement.OfVisit(circuit, probe, Outcome.Success, false));
        Assert.Equal(CircuitState.Closed, circuit.State);
        Assert.Equal(0, ring.Statuses()[0].Refusals);
    }

    private void AssertOpens(bool opens, Outcome outcome, bool anotherAccepted = false)
    {
        circuit.Reset();
        Assert.True(circuit.TryEnter(out CircuitPass pass));
        Settlement.OfVisit(circuit, pass, outcome, anotherAccepted);
        Assert.Equal(opens ? CircuitState.Open : CircuitState.Closed, circuit.State);
    }

    private void Attempt(Outcome outcome)
    {
        Assert.True(ring.TryNext(null, out CredentialSlot slot));
        Settlement.OfAttempt(slot, outcome);
    }

    private Outcome Judge(int status, string? retryAfter = null) => Judgement.OfAnswer(status, new ProxyError(ErrorKind.InvalidRequest, "told"),
        retryAfter is null ? [] : [KeyValuePair.Create("retry-after", retryAfter)], [], [], clock);
}
