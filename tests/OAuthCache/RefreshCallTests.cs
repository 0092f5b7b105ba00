using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class RefreshCallTests
{
    private static readonly RefreshRequest Request = new()
    {
        Url = new Uri("https://h/t"), Body = """{"refresh_token":"rt-fake"}"""u8.ToArray(), ContentType = "application/json", HasClientSecret = false, Fingerprint = "f",
    };

    private readonly FakeClock _clock = new();
    private readonly FakeTokenEndpoint _endpoint = new();

    [Fact]
    public async Task NotConnected_GivesUpAfter10Seconds_AndKnowsThatNothingWasSent()
    {
        Task<RefreshReply> call = Send(new Unconnected());
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(call.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False((await call).WasSent);
    }

    [Fact]
    public async Task NoAnswer_GivesUpAfter30Seconds_AndKnowsThatItWasSent()
    {
        Task<RefreshReply> call = Send(_endpoint.Hangs());
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.True((await call).WasSent);
    }

    [Fact]
    public async Task BodyThatDripsForEver_GivesUpToo()
    {
        Task<RefreshReply> call = Send(_endpoint.Does(_ => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new NeverStream()) })));
        _clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal((0, true), ((await call).Status, (await call).WasSent));
    }

    [Theory]
    [InlineData(RefreshCall.MostBytes, 200)]
    [InlineData(RefreshCall.MostBytes + 1, 0)]
    public async Task Body_IsReadUpToOneMegabyte(int bytes, int status)
    {
        RefreshReply reply = await Send(_endpoint.Does(_ => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new MemoryStream(new byte[bytes])) })));
        Assert.Equal(status, reply.Status);
    }

    [Theory]
    [InlineData("retry-after", "7", 7.0)]
    [InlineData("retry-after", "0.5", 0.5)]
    [InlineData("retry-after-ms", "1500", 1.5)]
    [InlineData("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT", 60.0)]
    [InlineData("retry-after", "99999999999999999999", 3.2e10)]
    [InlineData("retry-after", "soon", null)]
    [InlineData("x", "1", null)]
    public async Task RetryAfter_IsRead(string name, string value, double? seconds) =>
        Assert.Equal(seconds, (await Send(_endpoint.Answers(429, "{}", (name, value)))).Wait?.TotalSeconds);

    [Fact]
    public async Task RetryAfterMilliseconds_ComesFirst() =>
        Assert.Equal(2, (await Send(_endpoint.Answers(429, "{}", ("retry-after", "9"), ("retry-after-ms", "2000")))).Wait?.TotalSeconds);

    [Fact]
    public async Task Redirect_IsAnAnswer()
    {
        Assert.Equal(307, (await Send(_endpoint.Answers(307, "", ("location", "https://evil.example/")))).Status);
        Assert.Equal(1, _endpoint.Calls);
    }

    [Fact]
    public async Task AnyException_IsAReplyWithoutItsText()
    {
        foreach (Exception fault in new Exception[] { new IOException("rt-fake"), new InvalidOperationException("rt-fake"), new HttpRequestException("rt-fake") })
        {
            RefreshReply reply = await Send(_endpoint.Fails(fault));
            Assert.True(reply.WasSent);
            Assert.DoesNotContain("rt-fake", reply.Problem);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", 0, true)]
    [InlineData("", 0, true)]
    [InlineData(null, 0, false)]
    public async Task RealSocket_KnowsWhetherTheTokenLeft(string? answer, int status, bool wasSent)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        if (answer is null) listener.Stop();
        Task<string> served = answer is null ? Task.FromResult("") : ServeAsync(listener, answer);
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
        RefreshReply reply = await new RefreshCall(_clock).SendAsync(client, Request with { Url = new Uri($"http://127.0.0.1:{port}/t") });
        Assert.Equal((status, wasSent), (reply.Status, reply.WasSent));
        string request = await served;
        if (answer is null) return;
        Assert.EndsWith("\r\n\r\n{\"refresh_token\":\"rt-fake\"}", request);
        Assert.Contains("Connection: close", request);
        Assert.Contains("Content-Type: application/json\r\n", request);
    }

    private static async Task<string> ServeAsync(TcpListener listener, string answer)
    {
        using TcpClient peer = await listener.AcceptTcpClientAsync();
        var request = new StringBuilder();
        byte[] block = new byte[4096];
        while (!request.ToString().EndsWith('}'))
        {
            int count = await peer.GetStream().ReadAsync(block);
            if (count == 0) break;
            request.Append(Encoding.ASCII.GetString(block, 0, count));
        }

        await peer.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
        return request.ToString();
    }

    private Task<RefreshReply> Send(HttpMessageHandler handler) => new RefreshCall(_clock).SendAsync(new HttpMessageInvoker(handler), Request);

    private sealed class Unconnected : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }

    private sealed class NeverStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
