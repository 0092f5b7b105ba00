using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginListenerTests
{
    private const string State = "fake-state-of-this-sign-in";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly LoginRedirect Here = new("127.0.0.1", "/callback", []);

    private readonly FakeClock _clock = new();

    [Fact]
    public async Task OurCallback_IsAnsweredAndHeard()
    {
        await using LoginListener listener = Open(Here);
        Assert.Equal($"http://127.0.0.1:{listener.Port}/callback", listener.RedirectUri);
        string page = await GetAsync(listener.Port, $"/callback?code=fake%2Fcode&state={State}");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", page);
        Assert.Contains("Cache-Control: no-store\r\n", page);
        Assert.Contains("default-src 'none'", page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("fake/code", page);
        LoginCallback answer = await listener.Answer.WaitAsync(Patience);
        Assert.Equal(("fake/code", null), (answer.Code, answer.Error));
    }

    [Theory]
    [InlineData("/callback?code=x&state=other", "400")]
    [InlineData("/callback?code=x", "400")]
    [InlineData("/callback?code=x&state=", "400")]
    [InlineData("/callback", "400")]
    [InlineData("/callback?error=access_denied&state=other", "400")]
    [InlineData("/callback?state=" + State, "400")]
    [InlineData("/favicon.ico", "404")]
    [InlineData("/callback/?code=x&state=" + State, "404")]
    [InlineData("/", "404")]
    public async Task OtherRequest_IsShownAPageAndIgnored(string target, string status)
    {
        await using LoginListener listener = Open(Here);
        Assert.StartsWith("HTTP/1.1 " + status, await GetAsync(listener.Port, target));
        Assert.False(listener.Answer.IsCompleted);
        Assert.StartsWith("HTTP/1.1 200", await GetAsync(listener.Port, $"/callback?code=good&state={State}"));
        Assert.Equal("good", (await listener.Answer.WaitAsync(Patience)).Code);
    }

    [Theory]
    [InlineData("POST /callback?code=x&state=" + State + " HTTP/1.1\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("HEAD /callback?code=x&state=" + State + " HTTP/1.1\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("GET /callback?code=x&state=" + State + "\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("nonsense\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("\r\n\r\n", "HTTP/1.1 400")]
    public async Task OtherWords_AreRefused(string request, string answer)
    {
        await using LoginListener listener = Open(Here);
        Assert.StartsWith(answer, await SendAsync(listener.Port, request));
        Assert.False(listener.Answer.IsCompleted);
    }

    [Fact]
    public async Task Error_IsShownEscapedAndHeard()
    {
        await using LoginListener listener = Open(Here);
        string page = await GetAsync(listener.Port, $"/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={State}");
        Assert.Contains("access_denied: &lt;script&gt;alert(1)&lt;/script&gt;", page);
        Assert.DoesNotContain("<script", page);
        Assert.Equal("access_denied", (await listener.Answer.WaitAsync(Patience)).Error);
    }

    [Fact]
    public async Task RequestCutAtAnyByte_IsReadAll()
    {
        string request = $"GET /callback?code=good&state={State} HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for (int cut = 1; cut < request.Length; cut++)
        {
            await using LoginListener listener = Open(Here);
            using Socket socket = await ConnectAsync(listener.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(request[..cut]));
            await socket.SendAsync(Encoding.ASCII.GetBytes(request[cut..]));
            Assert.StartsWith("HTTP/1.1 200", await ReadAsync(socket));
        }
    }

    [Fact]
    public async Task SilentAndHalfRequests_HoldUpNobody()
    {
        await using LoginListener listener = Open(Here);
        var idle = new List<Socket>();
        for (int i = 0; i < 100; i++)
        {
            idle.Add(await ConnectAsync(listener.Port));
            if (i % 2 == 0) await idle[^1].SendAsync("GET /callback?co"u8.ToArray());
        }
        Assert.StartsWith("HTTP/1.1 200", await GetAsync(listener.Port, $"/callback?code=good&state={State}"));
        Assert.Equal("good", (await listener.Answer.WaitAsync(Patience)).Code);
        // The oldest were let go for the newer ones.
        Assert.Equal("", await ReadAsync(idle[1]));
        idle.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task HalfRequest_EndsAfterTenSeconds()
    {
        await using LoginListener listener = Open(Here);
        using Socket socket = await ConnectAsync(listener.Port);
        await socket.SendAsync("GET /callback?co"u8.ToArray());
        while (_clock.PendingTimers == 0) await Task.Yield();
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(1, _clock.PendingTimers);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("", await ReadAsync(socket));
        Assert.False(listener.Answer.IsCompleted);
    }

    [Fact]
    public async Task EndlessHead_IsCutOff()
    {
        await using LoginListener listener = Open(Here);
        Assert.Equal("", await SendAsync(listener.Port, "GET /callback?code=" + new string('x', 20_000)));
        Assert.False(listener.Answer.IsCompleted);
    }

    [Fact]
    public async Task BrowserThatGoesAway_IsHeardAllTheSame()
    {
        await using LoginListener listener = Open(Here);
        using (Socket socket = await ConnectAsync(listener.Port))
        {
            socket.LingerState = new LingerOption(true, 0);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /callback?code=good&state={State} HTTP/1.1\r\n\r\n"));
            await listener.Answer.WaitAsync(Patience);
        }
        Assert.Equal("good", (await listener.Answer).Code);
    }

    [Fact]
    public async Task Localhost_IsBothAddresses()
    {
        await using LoginListener listener = Open(new LoginRedirect("localhost", "/callback", []));
        Assert.StartsWith("http://localhost:", listener.RedirectUri);
        Assert.StartsWith("HTTP/1.1 404", await GetAsync(listener.Port, "/x"));
        if (Socket.OSSupportsIPv6) Assert.StartsWith("HTTP/1.1 404", await GetAsync(listener.Port, "/x", IPAddress.IPv6Loopback));
    }

    [Fact]
    public void TakenPort_GivesTheNextOne()
    {
        using Socket first = Taken(out int one);
        using Socket second = Taken(out int two);
        LoginStep<LoginListener> none = LoginListener.Open(new LoginRedirect("localhost", "/x", [one, two]), State, _clock);
        Assert.Null(none.Value);
        Assert.Contains($"{one} and {two}", none.Problem!.Line);
        second.Dispose();
        using var listener = new AsyncHolder(LoginListener.Open(new LoginRedirect("localhost", "/x", [one, two]), State, _clock).Value!);
        Assert.Equal(two, listener.Value.Port);
    }

    [Fact]
    public async Task Dispose_FreesThePort()
    {
        LoginListener listener = Open(Here);
        int port = listener.Port;
        using Socket open = await ConnectAsync(port);
        await listener.DisposeAsync();
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAnyAsync<SocketException>(() => again.ConnectAsync(IPAddress.Loopback, port));
        Assert.False(listener.Answer.IsCompleted);
    }

    private LoginListener Open(LoginRedirect redirect) => LoginListener.Open(redirect, State, _clock).Value!;

    private static Socket Taken(out int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(1);
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    private static Task<string> GetAsync(int port, string target, IPAddress? address = null) => SendAsync(port, $"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", address);

    private static async Task<string> SendAsync(int port, string request, IPAddress? address = null)
    {
        using Socket socket = await ConnectAsync(port, address);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        return await ReadAsync(socket);
    }

    private static async Task<Socket> ConnectAsync(int port, IPAddress? address = null)
    {
        var socket = new Socket((address ?? IPAddress.Loopback).AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address ?? IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>To the end of the connection, orderly or not.</summary>
    private static async Task<string> ReadAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, limit.Token) is var count && count > 0) text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        catch (SocketException)
        {
        }
        return text.ToString();
    }

    private sealed class AsyncHolder(LoginListener value) : IDisposable
    {
        public LoginListener Value { get; } = value;

        public void Dispose() => _ = Value.DisposeAsync().AsTask();
    }
}
