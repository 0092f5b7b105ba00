using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class PkceTests
{
    [Fact]
    public void Challenge_IsThatOfRfc7636AppendixB() =>
        Assert.Equal("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Pkce.From("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").Challenge);

    [Fact]
    public void New_IsLegalAndNeverTheSame()
    {
        Pkce[] many = [.. Enumerable.Range(0, 50).Select(_ => Pkce.New())];
        Assert.All(many, pkce => Assert.Matches("^[A-Za-z0-9_-]{86}$", pkce.Verifier));
        Assert.All(many, pkce => Assert.Matches("^[A-Za-z0-9_-]{43}$", pkce.Challenge));
        Assert.Equal(50, many.Select(pkce => pkce.Verifier).Distinct().Count());
        Assert.DoesNotContain(many[0].Verifier, many[0].ToString());
    }

    [Fact]
    public void State_IsSameOnlyWhenItIs()
    {
        string state = Pkce.NewState();
        Assert.Matches("^[A-Za-z0-9_-]{43}$", state);
        Assert.True(Pkce.IsSame(state, new string(state.AsSpan())));
        foreach (string? other in new[] { null, "", state + "x", state[1..], Pkce.NewState() }) Assert.False(Pkce.IsSame(state, other));
    }
}
