using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Aiproxy.Tests.EndToEnd;

/// <summary><c>login</c> in the published binary against providers that are as strict as the real ones.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LoginTests
{
    [Theory]
    [InlineData("codex", "codex", "codex-fake@example.com.json", "")]
    [InlineData("claudecode", "claudecode", "claude-fake@example.com.json", "")]
    [InlineData("geminicli", "geminicli", "gemini-fake@example.com.json", "")]
    [InlineData("antigravity", "antigravity", "antigravity-fake@example.com.json", "")]
    [InlineData("kiro", "builder-id", "kiro-builder-id-fake@example.com.json", "--browser")]
    [InlineData("kiro", "idc", "kiro-idc-fake@example.com.json", "--browser --start-url https://fake.awsapps.com/start --region us-east-1")]
    [InlineData("kiro", "social", "kiro-social-fake@example.com.json", "--provider google")]
    public async Task Callback_WritesTheFileAndTellsTheAccount(string type, string layout, string name, string more)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, type, more));
        var page = await run.PageAsync();
        Assert.StartsWith(provider.Issuer(type) + "/", page);
        // Somebody else's answer changes nothing.
        var redirect = new Uri(Uri.UnescapeDataString(page.Split("redirect_uri=")[1].Split('&')[0]));
        Assert.Equal(400, (await FakeProvider.VisitAsync(new Uri(redirect + "?code=evil&state=other"))).Status);
        var (status, text) = await FakeProvider.ConsentAndReturnAsync(page);
        Assert.Equal(200, status);
        Assert.Contains("You may close this window", text);
        await run.AssertEndAsync(0);
        LoginChecks.AssertWritten(provider, run, home, layout, name);
    }

    [Theory]
    [InlineData("codex", "codex", "codex-fake@example.com.json", "--device")]
    [InlineData("kiro", "builder-id", "kiro-builder-id-fake@example.com.json", "")]
    [InlineData("kiro", "idc", "kiro-idc-fake@example.com.json", "--device --start-url https://fake.awsapps.com/start --region eu-west-1")]
    public async Task DeviceCode_SignsIn(string type, string layout, string name, string more)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, type, more));
        await run.LineAsync("code: FAKE-");
        await run.AssertEndAsync(0);
        LoginChecks.AssertWritten(provider, run, home, layout, name);
    }

    [Theory]
    [InlineData("codex", "codex", "codex-fake@example.com.json", "url")]
    [InlineData("claudecode", "claudecode", "claude-fake@example.com.json", "code#state")]
    [InlineData("geminicli", "geminicli", "gemini-fake@example.com.json", "code")]
    [InlineData("antigravity", "antigravity", "antigravity-fake@example.com.json", "url")]
    public async Task Paste_SignsIn(string type, string layout, string name, string what)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, type, "--paste"));
        var end = await FakeProvider.ConsentAsync(await run.PageAsync());
        var query = end.Query[1..].Split('&').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
        run.Type("what?");
        run.Type(query["code"] + "#wrong-state");
        await run.LineAsync("another sign-in");
        run.Type(what switch { "url" => end.AbsoluteUri, "code" => query["code"], _ => query["code"] + "#" + query["state"] });
        await run.AssertEndAsync(0);
        LoginChecks.AssertWritten(provider, run, home, layout, name);
    }

    [Fact]
    public async Task PasteBesideTheListener_SignsIn()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, "claudecode"));
        run.Type((await FakeProvider.ConsentAsync(await run.PageAsync())).AbsoluteUri);
        await run.AssertEndAsync(0);
        LoginChecks.AssertWritten(provider, run, home, "claudecode", "claude-fake@example.com.json");
    }

    [Theory]
    [InlineData("codex", "")]
    [InlineData("claudecode", "")]
    [InlineData("geminicli", "")]
    [InlineData("kiro", "--provider github")]
    public async Task RefusedSignIn_Exits1WithOneLine(string type, string more)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        provider.Denies = true;
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, type, more));
        var (_, text) = await FakeProvider.ConsentAndReturnAsync(await run.PageAsync());
        Assert.Contains("&lt;no&gt;", text);
        await run.AssertEndAsync(1);
        Assert.Equal("aiproxy: login: the sign-in was refused: access_denied: The user said <no>", run.TheError());
        Assert.Empty(LoginChecks.Files(home));
    }

    [Theory]
    [InlineData("codex", "deny", "access_denied")]
    [InlineData("codex", "off", "security settings")]
    [InlineData("kiro", "deny", "access_denied")]
    [InlineData("kiro", "expire", "expired")]
    [InlineData("kiro", "never", "nobody confirmed the code in time")]
    public async Task RefusedDevice_Exits1WithOneLine(string type, string outcome, string words)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        provider.Device = new FakeProviderDevice { Outcome = outcome, IsOff = outcome == "off", ExpiresIn = outcome == "never" ? 2 : 600 };
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, type, "--device"));
        await run.AssertEndAsync(1);
        Assert.Contains(words, run.TheError());
    }

    [Fact]
    public async Task Nobody_Exits1AfterTheLimit()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, "claudecode", "--timeout 0.5"));
        run.EndInput();
        await run.AssertEndAsync(1);
        Assert.Contains("nobody signed in within 0.5 s", run.TheError());
    }

    [Fact]
    public async Task TakenPorts_Exit1AndNameThem()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        using var first = Hold(1455);
        await using (var second = LoginRun.Start(home, Arguments(provider, "codex")))
        {
            Assert.Contains(Uri.EscapeDataString("http://localhost:1457/auth/callback"), await second.PageAsync());
            await FakeProvider.ConsentAndReturnAsync(await second.PageAsync());
            await second.AssertEndAsync(0);
        }
        using var other = Hold(1457);
        await using var run = LoginRun.Start(home, Arguments(provider, "codex"));
        await run.AssertEndAsync(1);
        Assert.Contains("1455 and 1457", run.TheError());
        Assert.Contains("--paste", run.TheError());
    }

    [Fact]
    public async Task GoogleWithoutSecret_Exits1BeforeAnythingIsOpened()
    {
        using var home = new TempFolder();
        foreach (var arguments in new[] { "geminicli", "antigravity --client-id fake-client" })
        {
            await using var run = LoginRun.Start(home, arguments.Split(' '));
            await run.AssertEndAsync(1);
            Assert.Contains("AIPROXY_GOOGLE_CLIENT_SECRET", run.TheError());
            Assert.DoesNotContain("http://127.0.0.1", run.Output);
        }
    }

    [Theory]
    [InlineData("environment")]
    [InlineData("file")]
    [InlineData("config")]
    [InlineData("output")]
    public async Task GoogleClient_ComesFromManyPlaces(string place)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        var client = home.Write("old.json", """{"type":"gemini","email":"fake@example.com","kept":1,"token":{"client_id":"fake-client-geminicli","client_secret":"FAKE-client-secret"}}""");
        var config = home.Write("config.yaml", $"upstreams:\n  - {{name: e, api_type: echo}}\n  - name: g\n    api_type: geminicli\n    base_url: {provider.BaseUrl("geminicli")}\n    auth_files: x.json\n    {provider.OAuthYaml("geminicli")}\n");
        string[] more = place switch
        {
            "file" => ["--client-file", client],
            "config" => ["--config", config, "--upstream", "g"],
            "output" => ["-o", client],
            _ => [],
        };
        (string, string)[] environment = place == "environment" ? [("AIPROXY_GOOGLE_CLIENT_ID", "fake-client-geminicli"), ("AIPROXY_GOOGLE_CLIENT_SECRET", "FAKE-client-secret")] : [];
        await using var run = LoginRun.Start(home, ["geminicli", "--no-browser", "--issuer", provider.Issuer("geminicli"), .. more], environment);
        await FakeProvider.ConsentAndReturnAsync(await run.PageAsync());
        await run.AssertEndAsync(0);
        Assert.DoesNotContain("FAKE-client-secret", run.Both);
        if (place != "output") return;
        var text = await File.ReadAllTextAsync(client);
        Assert.Equal((1, "fake-project-1"), (JsonLook.Number(text, "kept"), JsonLook.Text(text, "project_id")));
    }

    [Fact]
    public async Task NewGoogleAccount_IsOnboarded()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        provider.Project = new FakeProviderProject { HasTier = false, Polls = 1 };
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, "antigravity", "--paste"));
        run.Type((await FakeProvider.ConsentAsync(await run.PageAsync())).AbsoluteUri);
        await run.AssertEndAsync(0);
        LoginChecks.AssertWritten(provider, run, home, "antigravity", "antigravity-fake@example.com.json");
        Assert.Equal(2, provider.Requests.Count(request => request.Target.EndsWith(":onboardUser", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task AccountThatMustBeVerified_IsToldWhere()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        provider.Project = new FakeProviderProject { ValidationUrl = "https://accounts.example.com/verify" };
        using var home = new TempFolder();
        await using var run = LoginRun.Start(home, Arguments(provider, "geminicli"));
        await FakeProvider.ConsentAndReturnAsync(await run.PageAsync());
        await run.AssertEndAsync(1);
        Assert.Contains("https://accounts.example.com/verify", run.TheError());
        Assert.Empty(LoginChecks.Files(home));
    }

    [Fact]
    public async Task SameAccount_GetsNewTokensAndAnotherAccountAnotherFile()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        await SignInAsync(provider, home);
        var file = Assert.Single(LoginChecks.Files(home));
        var first = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, first.Replace("\"type\"", "\"mine\": \"kept é\",\n  \"type\"", StringComparison.Ordinal));

        Assert.Contains("Tokens replaced in " + file, (await SignInAsync(provider, home)).Output);
        var second = await File.ReadAllTextAsync(file);
        Assert.Equal("kept é", JsonLook.Text(second, "mine"));
        Assert.NotEqual(JsonLook.Text(first, "refresh_token"), JsonLook.Text(second, "refresh_token"));
        Assert.True(provider.Accepts(JsonLook.Text(second, "access_token")));

        provider.Account = new FakeProviderAccount("other@example.com", "2");
        await SignInAsync(provider, home);
        Assert.Equal(2, LoginChecks.Files(home).Count);
        Assert.Equal(second, await File.ReadAllTextAsync(file));

        // The user named a file, and it is somebody else's.
        var run = await SignInAsync(provider, home, "-o", file);
        Assert.Contains("holds another account", run.Output);
        Assert.Equal(second, await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task NamedFile_IsWrittenThere()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        var path = Path.Combine(home.Path, "sub", "it's mine.json");
        var run = await SignInAsync(provider, home, "-o", path);
        Assert.Empty(LoginChecks.Files(home));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Contains($"    auth_files: '{path.Replace("'", "''")}'", run.Output);
    }

    [Fact]
    public async Task ForeignFile_IsRefusedBeforeAnythingIsOpened()
    {
        using var home = new TempFolder();
        var path = home.Write("auth.json", """{"tokens":{"access_token":"x"}}""");
        await using var run = LoginRun.Start(home, ["codex", "-o", path]);
        await run.AssertEndAsync(1);
        Assert.Contains(path, run.TheError());
        Assert.DoesNotContain("http", run.Output.Split('\n')[^1]);
    }

    [Theory]
    [InlineData("html")]
    [InlineData("429")]
    [InlineData("lost")]
    [InlineData("refused")]
    public async Task FailedExchange_Exits1WithOneLine(string how)
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        if (how == "html") provider.FailTokens(1, FakeProvider.Html(503));
        if (how == "429") provider.FailTokens(1, FakeProvider.TooMany("9"));
        if (how == "lost") provider.LoseTokens(1);
        if (how == "refused") provider.FailTokens(1, FakeProviderReplies.OAuthError(400, "invalid_grant", "The code fake-code-0123456789-0123456789 is used"));
        await using var run = LoginRun.Start(home, Arguments(provider, "claudecode"));
        await FakeProvider.ConsentAndReturnAsync(await run.PageAsync());
        await run.AssertEndAsync(1);
        Assert.StartsWith("aiproxy: login: getting tokens failed: 127.0.0.1:", run.TheError());
        Assert.DoesNotContain("0123456789", run.Both);
        Assert.Empty(LoginChecks.Files(home));
    }

    [Fact]
    public async Task Interrupt_EndsItAtOnce()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        foreach (var (type, more) in new[] { ("claudecode", ""), ("claudecode", "--paste"), ("kiro", "") })
        {
            provider.Device = new FakeProviderDevice { Outcome = "never" };
            await using var run = LoginRun.Start(home, Arguments(provider, type, more));
            await run.PageAsync();
            var watch = Stopwatch.StartNew();
            Signals.Send(run.ProcessId, Signals.Interrupt);
            Assert.NotEqual(0, await run.EndAsync());
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2);
        }
        Assert.Empty(LoginChecks.Files(home));
    }

    [Fact]
    public async Task Browser_IsOpenedWhereThereIsAScreen()
    {
        AiproxyBinary.Require();
        await using var provider = FakeProvider.Start();
        using var home = new TempFolder();
        var opener = home.Write("xdg-open", "#!/bin/sh\necho noise\necho noise >&2\nexec curl -sL \"$1\"\n");
        File.SetUnixFileMode(opener, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string[] arguments = [.. Arguments(provider, "claudecode").Where(word => word != "--no-browser")];
        await using var run = LoginRun.Start(home, arguments, ("DISPLAY", ":99"), ("PATH", home.Path + ":" + Environment.GetEnvironmentVariable("PATH")));
        await run.AssertEndAsync(0);
        Assert.DoesNotContain("noise", run.Both);
        LoginChecks.AssertWritten(provider, run, home, "claudecode", "claude-fake@example.com.json");
    }

    private static async Task<LoginRun> SignInAsync(FakeProvider provider, TempFolder home, params string[] more)
    {
        await using var run = LoginRun.Start(home, [.. Arguments(provider, "claudecode"), .. more]);
        await FakeProvider.ConsentAndReturnAsync(await run.PageAsync());
        return await run.AssertEndAsync(0);
    }

    private static IEnumerable<string> Arguments(FakeProvider provider, string type, string more = "") =>
    [
        type, "--no-browser", "--issuer", provider.Issuer(type),
        .. type == "kiro" ? [] : (string[])["--client-id", FakeProvider.ClientId(type)],
        .. FakeProvider.ClientSecret(type) is { } secret ? (string[])["--client-secret", secret] : [],
        .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries),
    ];

    private static Socket Hold(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
        }
        catch (SocketException)
        {
            // Somebody else holds it: as good.
        }
        return socket;
    }
}
