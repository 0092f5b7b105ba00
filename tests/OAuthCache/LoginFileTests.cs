using System.Text.Json.Nodes;
using Aiproxy.OAuthCache;
using Aiproxy.Tests.EndToEnd;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginFileTests : IDisposable
{
    private static readonly LoginFacts Codex = LoginFacts.Of("codex")!;

    private readonly TempFolder _folder = new();
    private readonly FakeClock _clock = new();

    private string Store => Path.Combine(_folder.Path, "data", "aiproxy", "auth");

    [Fact]
    public async Task NewAccount_GetsAFileOfItsOwn()
    {
        Assert.Null(new LoginFile(null, Store).Prepare(Codex));
        LoginWritten written = await WriteAsync(null, Grant("Me+x/../@example.com", "one"));
        Assert.Equal((Path.Combine(Store, "codex-Mex..@example.com.json"), false, false), (written.Path, written.IsReplaced, written.IsElsewhere));
        Assert.Equal("{\n  \"type\": \"codex\",\n  \"email\": \"Me+x/../@example.com\",\n  \"access_token\": \"one\"\n}\n", await File.ReadAllTextAsync(written.Path));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(written.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Store));
        Assert.Equal([written.Path], Directory.EnumerateFileSystemEntries(Store));
    }

    [Fact]
    public async Task SameAccount_GetsItsTokensReplacedAndKeepsTheRest()
    {
        string path = (await WriteAsync(null, Grant("me@example.com", "one"))).Path;
        await File.WriteAllTextAsync(path, """{"note":"é\u00e9/","email":"ME@example.com","access_token":"one","type":"codex","big":1.50,"deep":{"a":[1]}}""");
        LoginWritten written = await WriteAsync(null, Grant("me@example.com", "two"));
        Assert.Equal((path, true), (written.Path, written.IsReplaced));
        Assert.Equal(
            "{\n  \"note\": \"éé/\",\n  \"email\": \"me@example.com\",\n  \"access_token\": \"two\",\n  \"type\": \"codex\",\n  \"big\": 1.50,\n  \"deep\": {\n    \"a\": [\n      1\n    ]\n  }\n}\n",
            await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task InnerObject_KeepsItsUnknownMembers()
    {
        string path = _folder.Write("g.json", """{"type":"gemini","email":"me@example.com","token":{"kept":1,"access_token":"one"}}""");
        var grant = new LoginGrant
        {
            Facts = LoginFacts.Of("geminicli")!, Email = "me@example.com", ExpiresAt = default,
            File = new JsonObject { ["type"] = "gemini", ["token"] = new JsonObject { ["access_token"] = "two", ["new"] = 2 } },
        };
        Assert.Equal(path, (await WriteAsync(path, grant)).Path);
        Assert.Equal("""{"kept":1,"access_token":"two","new":2}""", JsonNode.Parse(await File.ReadAllTextAsync(path))!["token"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"type":"codex","email":"other@example.com"}""")]
    [InlineData("""{"type":"claude","email":"me@example.com"}""")]
    [InlineData("""{"type":"codex"}""")]
    [InlineData("""{"type":"codex","type":"codex","email":"me@example.com"}""")]
    [InlineData("""{"type":"codex","email":"me@example.com","x":{"a":1,"a":2}}""")]
    [InlineData("""{"type":"codex","email":"me@example.com","x":"\ud800"}""")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task OthersFile_IsLeftAlone(string text)
    {
        string given = _folder.Write("mine.json", text);
        LoginWritten written = await WriteAsync(given, Grant("me@example.com", "one"));
        Assert.Equal((Path.Combine(Store, "codex-me@example.com.json"), true), (written.Path, written.IsElsewhere));
        Assert.Equal(text, await File.ReadAllTextAsync(given));

        string stored = (await WriteAsync(null, Grant("you@example.com", "one"))).Path;
        await File.WriteAllTextAsync(stored, text);
        Assert.EndsWith("codex-you@example.com-2.json", (await WriteAsync(null, Grant("you@example.com", "one"))).Path);
        Assert.Equal(text, await File.ReadAllTextAsync(stored));
    }

    [Theory]
    [InlineData("""{"tokens":{"access_token":"x"}}""", false)]
    [InlineData("""{"type":"claude"}""", false)]
    [InlineData("", false)]
    [InlineData("""{"type":"codex","email":"any@example.com"}""", true)]
    public void GivenFile_IsLookedAtFirst(string text, bool isFine)
    {
        string given = _folder.Write("mine.json", text);
        Assert.Equal(isFine, new LoginFile(given, Store).Prepare(Codex) is null);
        Assert.Equal(text, File.ReadAllText(given));
    }

    [Fact]
    public void PlaceThatCannotHoldAFile_IsToldFirst()
    {
        Assert.Contains("is a folder", new LoginFile(_folder.Path, Store).Prepare(Codex)!.Line);
        string file = _folder.Write("file", "");
        Assert.Contains("cannot be written", new LoginFile(Path.Combine(file, "x.json"), Store).Prepare(Codex)!.Line);
    }

    [Fact]
    public async Task AccountsWithoutEmail_ShareNoFile()
    {
        LoginWritten one = await WriteAsync(null, Grant(null, "one"));
        LoginWritten two = await WriteAsync(null, Grant(null, "two") with { Kind = "builder-id" });
        Assert.NotEqual(one.Path, two.Path);
        Assert.Matches("/codex-builder-id-[0-9a-f]{8}.json$", two.Path.Replace('\\', '/'));
    }

    [Fact]
    public async Task Link_StaysALink()
    {
        if (OperatingSystem.IsWindows()) return;
        string real = _folder.Write("real.json", """{"type":"codex","email":"me@example.com"}""");
        string link = _folder.File("link.json");
        File.CreateSymbolicLink(link, real);
        Assert.True((await WriteAsync(link, Grant("me@example.com", "two"))).IsReplaced);
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Contains("two", await File.ReadAllTextAsync(real));
    }

    [Fact]
    public async Task WideMode_IsClosed()
    {
        if (OperatingSystem.IsWindows()) return;
        string path = (await WriteAsync(null, Grant("me@example.com", "one"))).Path;
        File.SetUnixFileMode(path, (UnixFileMode)0b110_100_100);
        File.SetUnixFileMode(Store, (UnixFileMode)0b111_101_101);
        Assert.Null(new LoginFile(null, Store).Prepare(Codex));
        await WriteAsync(null, Grant("me@example.com", "two"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(Store));
    }

    [Fact]
    public async Task FileThatIsBeingRefreshed_IsWaitedFor()
    {
        string path = (await WriteAsync(null, Grant("me@example.com", "one"))).Path;
        Task<LoginWritten> writing;
        using (new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            writing = WriteAsync(null, Grant("me@example.com", "two"));
            while (_clock.PendingTimers == 0) await Task.Yield();
            _clock.Advance(TimeSpan.FromSeconds(5));
            Assert.Contains("one", await File.ReadAllTextAsync(path));
        }
        while (!writing.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
        Assert.True((await writing).IsReplaced);
        Assert.Contains("two", await File.ReadAllTextAsync(path));
    }

    [Theory]
    [InlineData("/x/data", "/home/me", "/x/data/aiproxy/auth")]
    [InlineData("relative", "/home/me", "/home/me/.local/share/aiproxy/auth")]
    [InlineData(null, "/home/me", "/home/me/.local/share/aiproxy/auth")]
    public void Store_FollowsTheEnvironment(string? data, string home, string store)
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(store, LoginFile.StoreOf(name => name switch { "XDG_DATA_HOME" => data, "HOME" => home, _ => null }));
    }

    public void Dispose() => _folder.Dispose();

    private async Task<LoginWritten> WriteAsync(string? given, LoginGrant grant) =>
        (await new LoginFile(given, Store).WriteAsync(grant, _clock)).Value!;

    private static LoginGrant Grant(string? email, string token) => new()
    {
        Facts = Codex,
        Email = email,
        ExpiresAt = default,
        File = new JsonObject { ["type"] = "codex", ["email"] = email ?? "", ["access_token"] = token },
    };
}
