using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Sign-in files over the lives of processes: shared, replaced, rotated, found again.</summary>
public sealed class SignInFileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Kinds => [.. ContractKind.SignIns.Select(kind => kind.Name)];

    public static TheoryData<string, string> KindsAndWays
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string kind in (string[])["codex", "claudecode", "geminicli", "kiro", "kiro-idc"])
            {
                rows.Add(kind, "refresh: ahead");
            }
            // Waits some seconds for the file's owner first, whatever the kind.
            rows.Add("codex", "refresh: lazy");
            return rows;
        }
    }

    [Theory, MemberData(nameof(KindsAndWays))]
    public async Task HundredRequestsInTwoProcesses_MakeOneRefresh(string name, string way)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60));
        // All are waiting when the new token comes.
        var held = new TaskCompletionSource();
        house.Provider.HoldTokens(1, held.Task, kind.Type);
        await using ProxyProcess first = await house.StartAsync(kind, signIn.Path, oauth: way);
        await using ProxyProcess second = await house.StartAsync(kind, signIn.Path, oauth: way);
        Task<(LiveReply Reply, string Token)>[] calls = [.. Enumerable.Range(0, 100).Select(i => house.AskAsync(i % 2 == 0 ? first : second))];
        await Eventually.TrueAsync(() => house.Provider.TokenCalls > 0, Patience, () => "no refresh began");
        await Task.Delay(700);
        Assert.True(house.House.Default.Requests.IsEmpty, "the service was asked with an expired token");
        held.SetResult();
        foreach ((LiveReply reply, _) in await Task.WhenAll(calls)) Assert.Equal("One two three four", Dialects.Anthropic.TextOfWhole(reply.AssertStatus(200).Text));
        Assert.Equal((1, 1, 100), (house.Provider.Refreshes, house.Provider.TokenCalls, house.House.Default.Requests.Count));
        Assert.All(house.House.Default.Requests, request => Assert.Contains(signIn.Grant.AccessToken, request.Header("Authorization")));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task RotatedRefreshToken_KeepsTheSignInOverARestart(string name)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60));
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(signIn.Path, Mode);
        string before = await File.ReadAllTextAsync(signIn.Path);
        await using (ProxyProcess proxy = await house.StartAsync(kind, signIn.Path)) (await house.AskAsync(proxy)).Reply.AssertStatus(200);
        Assert.Equal(1, signIn.Grant.Refreshes);

        string after = await File.ReadAllTextAsync(signIn.Path);
        if (!OperatingSystem.IsWindows()) Assert.Equal(Mode, File.GetUnixFileMode(signIn.Path));
        Assert.Contains(signIn.Grant.RefreshToken, after);
        Assert.Contains(signIn.Grant.AccessToken, after);
        Assert.DoesNotContain(signIn.RefreshToken, after);
        Assert.DoesNotContain(signIn.AccessToken, after);
        Assert.Equal(Shape(before), Shape(after));
        Assert.Equal(Strays(before), Strays(after));
        // Beside it stands an empty lock at the most.
        Assert.All(Directory.GetFiles(house.Folder.Path).Where(file => file != signIn.Path), file => Assert.Equal(0, new FileInfo(file).Length));

        await using ProxyProcess again = await house.StartAsync(kind, signIn.Path);
        Assert.Equal(signIn.Grant.AccessToken, (await house.AskAsync(again)).Token);
        Assert.Equal(1, signIn.Grant.Refreshes);
        house.Provider.Ledger.ExpireAccessTokens();
        (await house.AskAsync(again)).Reply.AssertStatus(200);
        Assert.Equal(2, signIn.Grant.Refreshes);
        Assert.Contains(signIn.Grant.RefreshToken, await File.ReadAllTextAsync(signIn.Path));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task FileOfAnotherAccount_IsTakenUpWhenTheOldOneIsSignedOut(string name)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        FakeSignIn first = house.Write(kind, name: "signin.json");
        await using ProxyProcess proxy = await house.StartAsync(kind, first.Path);
        Assert.Equal(first.AccessToken, (await house.AskAsync(proxy)).Token);
        FakeSignIn second = house.Write(kind, name: "signin.json", account: new FakeProviderAccount("other@example.com", "00000000-0000-0000-0000-000000000002")
        {
            ProjectId = "other-project-2", ProfileArn = "arn:aws:codewhisperer:us-east-1:000000000002:profile/OTHER",
        });
        first.Grant.IsRevoked = true;
        (LiveReply reply, string token) = await house.AskAsync(proxy);
        Assert.Equal((200, second.AccessToken), (reply.Status, token));
        Assert.Equal(0, house.Provider.Refreshes);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task FileReplacedAfterARefusal_IsReadBeforeARefreshIsTried(string name)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        FakeSignIn signIn = house.Write(kind);
        await using ProxyProcess proxy = await house.StartAsync(kind, signIn.Path);
        (await house.AskAsync(proxy)).Reply.AssertStatus(200);
        // Another program refreshed: our refresh token is used up, our access token revoked.
        house.Provider.Ledger.ExpireAccessTokens();
        house.Provider.RefreshElsewhere(signIn.Grant);
        house.Provider.Rewrite(signIn, kind.Layout);
        Assert.Equal(signIn.Grant.AccessToken, (await house.AskAsync(proxy)).Token);
        Assert.Equal((1, 0), (signIn.Grant.Refreshes, house.Provider.TokenCalls));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task RefreshThatFailsForGood_IsMendedByANewFile(string name)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        house.Provider.Rotating.Add(kind.Type);
        FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60), "signin.json");
        house.Provider.RefreshElsewhere(signIn.Grant);
        await using ProxyProcess proxy = await house.StartAsync(kind, signIn.Path);
        LiveReply refused = (await house.AskAsync(proxy)).Reply.AssertStatus(500);
        Assert.DoesNotContain(signIn.Path, refused.Text);
        await proxy.WaitForLogAsync(line => line.Contains("aiproxy login " + kind.Type, StringComparison.Ordinal), Patience, "the word that mends it");
        FakeSignIn second = house.Write(kind, name: "signin.json");
        await Eventually.TrueAsync(async () => (await house.AskAsync(proxy)).Reply.Status == 200, Patience, () => $"the new file is not used\n{proxy.Log.Tail(8)}");
        Assert.Equal(second.AccessToken, house.House.Default.Last.Header("Authorization")!["Bearer ".Length..]);
    }

    /// <summary>Names of all members, in their order.</summary>
    private static string Shape(string json)
    {
        static string Of(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => "{" + string.Join(' ', element.EnumerateObject().Select(member => member.Name + Of(member.Value))) + "}",
            JsonValueKind.Array => "[" + string.Join(' ', element.EnumerateArray().Select(Of)) + "]",
            _ => "",
        };
        using JsonDocument document = JsonDocument.Parse(json);
        return Of(document.RootElement);
    }

    /// <summary>What aiproxy has no word for, byte for byte.</summary>
    private static string[] Strays(string text) => [.. Regex.Matches(text, "\"(x_kept|agent_identity|mcpOAuth|organizationUuid)\": *(\"[^\"]*\"|\\{[^}]*\\})").Select(match => match.Value)];
}
