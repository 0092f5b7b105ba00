using Aiproxy.OAuthCache;
using Aiproxy.Server.Commands;
using Aiproxy.Tests.EndToEnd;

namespace Aiproxy.Tests.Server;

public sealed class LoginClientTests
{
    [Theory]
    [InlineData("", "usual", null)]
    [InlineData("/s1", "usual", "s1")]
    [InlineData("a/s1 b/s2", "a", "s1")]
    [InlineData("a/ b/s2", "a", null)]
    [InlineData("a/ /s2", "a", "s2")]
    [InlineData("a/ b/s2 a/s3", "a", "s3")]
    [InlineData("/ b/s2", "b", "s2")]
    [InlineData("/s1 b/s2", "b", "s1")]
    public void Choice_NeverMixesTwoClients(string sources, string id, string? secret)
    {
        LoginClient[] all = [.. sources.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(source => source.Split('/')).Select(pair => new LoginClient(Given(pair[0]), Given(pair[1])))];
        Assert.Equal(new LoginClient(id, secret), LoginClient.Choose(all, "usual"));
    }

    [Theory]
    [InlineData("""{"client_id":"a","client_secret":"FAKE"}""", "a", "FAKE")]
    [InlineData("""{"type":"gemini","token":{"client_id":"a","client_secret":"FAKE"}}""", "a", "FAKE")]
    [InlineData("""{"installed":{"client_id":"a","client_secret":"FAKE","redirect_uris":[]}}""", "a", "FAKE")]
    [InlineData("""{"client_id":"a"}""", "a", null)]
    public void File_GivesItsClient(string text, string id, string? secret)
    {
        using var folder = new TempFolder();
        Assert.Equal(new LoginClient(id, secret), LoginClient.FromFile(folder.Write("client.json", text)).Value);
    }

    [Theory]
    [InlineData("""{"client_secret":"FAKE"}""")]
    [InlineData("[]")]
    [InlineData("no json")]
    [InlineData(null)]
    public void OtherFile_IsTold(string? text)
    {
        using var folder = new TempFolder();
        LoginStep<LoginClient> read = LoginClient.FromFile(text is null ? folder.File("missing.json") : folder.Write("client.json", text));
        Assert.NotNull(read.Problem);
        Assert.DoesNotContain("FAKE", read.Problem.Line);
    }

    private static string? Given(string text) => text.Length > 0 ? text : null;
}
