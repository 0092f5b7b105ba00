namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Tokens that the provider does not take: refreshed once, for all who wait.</summary>
[Collection(ContractCollection.Name)]
public sealed class RefusedTokenTests(ContractRigs rigs)
{
    public static TheoryData<string, string, bool> Rows => ContractKind.SignInRows;

    public static TheoryData<string> Kinds => [.. ContractKind.SignIns.Select(kind => kind.Name)];

    [Theory, MemberData(nameof(Rows))]
    public async Task RevokedToken_IsRefreshedOnceAndTheRequestSucceeds(string kind, string client, bool stream)
    {
        Asked asked = (await rigs.OfAsync(kind)).Ask(client, stream, Saying.Text, fresh: true);
        asked.Plan.RefusedToken = asked.SignIn!.AccessToken;
        Heard heard = await asked.HearAsync(asked.Alone, asked.IsForwarded);
        Assert.Equal("One two three four", heard.Text);
        Assert.Equal((2, 1), (asked.Plan.Requests.Count, asked.SignIn.Grant.Refreshes));
        Assert.Contains(asked.SignIn.Grant.AccessToken, asked.Plan.Last.Header("Authorization"));
        // The new one is kept.
        await asked.HearAsync(asked.Alone, asked.IsForwarded);
        Assert.Equal((3, 1), (asked.Plan.Requests.Count, asked.SignIn.Grant.Refreshes));
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task FreshTokenThatIsRefusedToo_GoesToTheOther(string kind, string client, bool stream)
    {
        Asked asked = (await rigs.OfAsync(kind)).Ask(client, stream, Saying.Unauthorized);
        await asked.AssertHelpedAsync();
        Assert.Equal((2, 1), (asked.Plan.Requests.Count, asked.SignIn!.Grant.Refreshes));
        // Alone: the client's own key is not to blame.
        (LiveReply reply, _) = await asked.FailAsync(asked.Alone, 500);
        Assert.Equal("false", reply.Header("x-should-retry"));
        Assert.Equal(1, asked.SignIn.Grant.Refreshes);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task ManyRequestsWithARevokedToken_MakeOneRefresh(string kind)
    {
        Asked asked = (await rigs.OfAsync(kind)).Ask("anthropic", false, Saying.Text, fresh: true);
        asked.Plan.RefusedToken = asked.SignIn!.AccessToken;
        Heard[] heard = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => asked.HearAsync(asked.Alone, asked.IsForwarded)));
        Assert.All(heard, one => Assert.Equal("One two three four", one.Text));
        Assert.Equal(1, asked.SignIn.Grant.Refreshes);
        Assert.InRange(asked.Plan.Requests.Count, 31, 60);
    }
}
