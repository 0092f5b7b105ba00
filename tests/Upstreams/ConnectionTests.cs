using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>Real connections over loopback: what a request does when its connection turns out to be dead.</summary>
public sealed class ConnectionTests : IDisposable
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}""";

    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly Forwarder _forwarder = new(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));
    private readonly UpstreamTable _types = UpstreamTable.Create(TimeProvider.System);

    public ConnectionTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public void Dispose() => _listener.Dispose();

    private Task<Attempt> Send(TestExchange test, Func<UpstreamConfig, UpstreamConfig>? change = null)
    {
        UpstreamConfig config = TestExchange.Upstream("anthropic", $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}", tokens: "sk-fake-1");
        IUpstreamType type = _types.Find("anthropic")!;
        var target = new UpstreamTarget(change is null ? config : change(config), type, (IUpstreamProtocol)TestExchange.Protocols["anthropic"], "m", UpstreamCredential.OfKey(config.Tokens[0]), 0);
        return _forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static async Task<string> Receive(Socket connection)
    {
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (!text.ToString().EndsWith("]}", StringComparison.Ordinal))
        {
            int count = await connection.ReceiveAsync(buffer);
            if (count == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return text.ToString();
    }

    private static ValueTask<int> Answer(Socket connection) =>
        connection.SendAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Good.Length}\r\n\r\n{Good}").AsMemory());

    [Fact]
    public async Task ReusedConnectionDiesBeforeAnyByte_RequestIsSentOnceMore()
    {
        using var first = new TestExchange(stream: false);
        Task<Attempt> sending = Send(first);
        using Socket connection = await _listener.AcceptAsync();
        await Receive(connection);
        await Answer(connection);
        Assert.Equal(OutcomeKind.Success, (await sending).Outcome.Kind);

        using var second = new TestExchange(stream: false);
        sending = Send(second);
        Assert.NotEmpty(await Receive(connection));
        connection.Close();
        using Socket fresh = await _listener.AcceptAsync();
        await Receive(fresh);
        await Answer(fresh);
        Assert.Equal(OutcomeKind.Success, (await sending).Outcome.Kind);
    }

    [Fact]
    public async Task FreshConnectionDies_RequestIsNotRepeated()
    {
        using var test = new TestExchange(stream: false);
        Task<Attempt> sending = Send(test);
        using (Socket connection = await _listener.AcceptAsync()) await Receive(connection);
        Outcome outcome = (await sending).Outcome;
        Assert.Equal(OutcomeKind.Failed, outcome.Kind);
        Assert.False(_listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task ReusedConnectionDiesInTheAnswer_RequestIsNotRepeated()
    {
        using var first = new TestExchange(stream: false);
        Task<Attempt> sending = Send(first);
        using Socket connection = await _listener.AcceptAsync();
        await Receive(connection);
        await Answer(connection);
        await sending;

        using var second = new TestExchange(stream: false);
        sending = Send(second);
        await Receive(connection);
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-"u8.ToArray().AsMemory());
        connection.Close();
        Assert.Equal(OutcomeKind.Failed, (await sending).Outcome.Kind);
        Assert.False(_listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task Refused_IsToldAsSuch()
    {
        using var test = new TestExchange(stream: false);
        var dead = new Uri($"http://127.0.0.1:{FreePort()}");
        Outcome outcome = (await Send(test, config => config with { BaseUrls = [dead] })).Outcome;
        Assert.Contains("connection refused", outcome.Error!.Message);
        Assert.DoesNotContain("127.0.0.1", outcome.Error.Message);
    }

    [Fact]
    public async Task PrivateAddress_IsRefusedBeforeAnyConnection()
    {
        using var test = new TestExchange(stream: false);
        Outcome outcome = (await Send(test, config => config with { AllowPrivate = false })).Outcome;
        Assert.Contains("allow_private", outcome.Error!.Message);
        Assert.False(_listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task ClientHeadersBeyondAscii_GoOnInTheirOwnBytes()
    {
        using var test = new TestExchange(stream: false);
        test.Headers.Add(new("anthropic-user", "Zoë"));
        Task<Attempt> sending = Send(test);
        using Socket connection = await _listener.AcceptAsync();
        Assert.Contains("anthropic-user: Zoë\r\n", await Receive(connection));
        await Answer(connection);
        Assert.Equal(OutcomeKind.Success, (await sending).Outcome.Kind);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task AnswerIsNotPackedAsItSays_FailsOver(string encoding)
    {
        using var test = new TestExchange(stream: false);
        Task<Attempt> sending = Send(test);
        using Socket connection = await _listener.AcceptAsync();
        await Receive(connection);
        await connection.SendAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {Good.Length}\r\n\r\n{Good}").AsMemory());
        Assert.Equal(OutcomeKind.Failed, (await sending).Outcome.Kind);
        Assert.Equal(0, test.Client.Starts);
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
