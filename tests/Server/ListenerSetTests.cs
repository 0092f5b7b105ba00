using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Aiproxy.Config;
using Aiproxy.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;

namespace Aiproxy.Tests.Server;

public sealed class ListenerSetTests : IAsyncLifetime
{
    private static readonly ListenConfig AnyPort = new("127.0.0.1", 0);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ListenerSet _set = new(new LoggerConfiguration().CreateLogger(), TimeProvider.System);
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _folder = Directory.CreateTempSubdirectory("aiproxy-listen-").FullName;
    private WebApplication? _app;

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IConnectionListenerFactory>(_set);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.ConfigureKestrel(_set.Configure);
        _app = builder.Build();
        _app.Run(async context =>
        {
            await context.Response.WriteAsync("begin;");
            await context.Response.Body.FlushAsync();
            if (context.Request.Path == "/stream")
            {
                await _finish.Task;
                await context.Response.WriteAsync("end");
            }
        });
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _finish.TrySetResult();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        await _set.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact(Timeout = 60_000)]
    public async Task PortChanged_StreamRunsOnAndOnlyTheNewPortAnswers()
    {
        Assert.Null(await ApplyAsync(AnyPort));
        IPEndPoint old = Only();
        using var client = new HttpClient();
        using HttpResponseMessage stream = await client.GetAsync(Url(old, "/stream"), HttpCompletionOption.ResponseHeadersRead);

        Assert.Null(await ApplyAsync(new ListenConfig("127.0.0.1", FreePort())));
        Assert.NotEqual(old, Only());
        Assert.Equal("begin;", await AskAsync(Only()));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(old));

        _finish.SetResult();
        Assert.Equal("begin;end", await stream.Content.ReadAsStringAsync().WaitAsync(Patience));
    }

    [Fact(Timeout = 60_000)]
    public async Task PortTaken_ReportsItAndTheOldOneServesOn()
    {
        Assert.Null(await ApplyAsync(AnyPort));
        IPEndPoint old = Only();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int taken = ((IPEndPoint)other.LocalEndpoint).Port;
        Assert.Contains($"127.0.0.1:{taken}", await ApplyAsync(new ListenConfig("127.0.0.1", taken)));
        Assert.Equal(old, Only());
        Assert.Equal("begin;", await AskAsync(old));
    }

    [Fact(Timeout = 60_000)]
    public async Task WidenedAndNarrowed_OnTheSamePort()
    {
        int port = FreePort();
        Assert.Null(await ApplyAsync(new ListenConfig("127.0.0.1", port)));
        using var client = new HttpClient();
        using HttpResponseMessage stream = await client.GetAsync(Url(Only(), "/stream"), HttpCompletionOption.ResponseHeadersRead);
        Assert.True(_set.IsLoopbackOnly);
        foreach (string host in (string[])["0.0.0.0", "*", "127.0.0.1"])
        {
            Assert.Null(await ApplyAsync(new ListenConfig(host, port)));
            Assert.Equal("begin;", await AskAsync(new IPEndPoint(IPAddress.Loopback, port)));
            Assert.Equal(host == "127.0.0.1", _set.IsLoopbackOnly);
        }

        _finish.SetResult();
        Assert.Equal("begin;end", await stream.Content.ReadAsStringAsync().WaitAsync(Patience));
    }

    [Fact(Timeout = 60_000)]
    public async Task WideningFails_TheOldAddressIsOpenedAgain()
    {
        int port = FreePort();
        Assert.Null(await ApplyAsync(new ListenConfig("127.0.0.1", port)));

        // Another address of the loopback network holds the port, so the wildcard cannot be had.
        using var other = new TcpListener(IPAddress.Parse("127.0.0.2"), port);
        other.Start();
        Assert.Contains("0.0.0.0", await ApplyAsync(new ListenConfig("0.0.0.0", port)));
        Assert.Equal("begin;", await AskAsync(new IPEndPoint(IPAddress.Loopback, port)));
        other.Stop();
        Assert.Null(await ApplyAsync(new ListenConfig("0.0.0.0", port)));
    }

    [Fact(Timeout = 60_000)]
    public async Task Localhost_OpensBothAddressesOnOnePort()
    {
        Assert.Null(await ApplyAsync(new ListenConfig("localhost", 0)));
        IPEndPoint[] open = [.. _set.EndPoints.Cast<IPEndPoint>()];
        Assert.Single(open.Select(endPoint => endPoint.Port).Distinct());
        Assert.Contains(open, endPoint => endPoint.Address.Equals(IPAddress.Loopback));
        foreach (IPEndPoint endPoint in open)
            Assert.Equal("begin;", await AskAsync(endPoint));
        Assert.Null(await ApplyAsync(new ListenConfig("localhost", 0)));
        Assert.Equal(open, _set.EndPoints.Cast<IPEndPoint>());
    }

    [Theory]
    [InlineData("no such host")]
    [InlineData("example.com")]
    public async Task NoAddress_IsReported(string host)
    {
        Assert.Null(await ApplyAsync(AnyPort));
        Assert.Contains(host, await ApplyAsync(new ListenConfig(host, 0)));
        Assert.Equal("begin;", await AskAsync(Only()));
    }

    [Fact(Timeout = 60_000)]
    public async Task TlsSwitchedOnRenewedAndOff_OnTheSamePort()
    {
        Assert.Null(await ApplyAsync(AnyPort));
        IPEndPoint endPoint = Only();
        using var client = new HttpClient();
        using HttpResponseMessage stream = await client.GetAsync(Url(endPoint, "/stream"), HttpCompletionOption.ResponseHeadersRead);

        TlsConfig tls = Certificate("one.example");
        Assert.Null(await _set.ApplyAsync(AnyPort, tls, default));
        Assert.True(_set.IsTls);
        Assert.Equal(endPoint, Only());
        Assert.Equal(("CN=one.example", "h2"), await HandshakeAsync(endPoint));

        Certificate("two.example");
        Assert.Null(await _set.ApplyAsync(AnyPort, tls, default));
        Assert.Equal("CN=two.example", (await HandshakeAsync(endPoint)).Subject);

        Assert.Null(await ApplyAsync(AnyPort));
        Assert.Equal("begin;", await AskAsync(endPoint));
        _finish.SetResult();
        Assert.Equal("begin;end", await stream.Content.ReadAsStringAsync().WaitAsync(Patience));
    }

    [Fact(Timeout = 60_000)]
    public async Task TlsAnswers_OverHttp2And1()
    {
        Assert.Null(await _set.ApplyAsync(AnyPort, Certificate("one.example"), default));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        using var client = new HttpClient(handler);
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{Only()}/");
            request.Version = version;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            using HttpResponseMessage response = await client.SendAsync(request);
            Assert.Equal((version, "begin;"), (response.Version, await response.Content.ReadAsStringAsync()));
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task BrokenCertificate_ReportsItAndThePortServesOn()
    {
        Assert.Null(await ApplyAsync(AnyPort));
        TlsConfig tls = Certificate("one.example");
        File.WriteAllText(tls.KeyPath, "no key");
        Assert.StartsWith("tls: ", await _set.ApplyAsync(new ListenConfig("127.0.0.1", FreePort()), tls, default));
        Assert.False(_set.IsTls);
        Assert.Equal("begin;", await AskAsync(Only()));
        File.Delete(tls.CertificatePath);
        Assert.StartsWith("tls: ", await _set.ApplyAsync(AnyPort, tls, default));
    }

    [Fact(Timeout = 60_000)]
    public async Task RenewedFiles_AreSeenWithoutAReload()
    {
        var clock = new StepClock();
        TlsConfig tls = Certificate("one.example");
        using var certificate = TlsCertificate.Load(tls, clock, new LoggerConfiguration().CreateLogger());
        File.WriteAllText(tls.KeyPath, "half written");
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("CN=one.example", certificate.Context.TargetCertificate.Subject);
        Certificate("two.example");
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("CN=two.example", certificate.Context.TargetCertificate.Subject);
    }

    [Fact(Timeout = 60_000)]
    public async Task InheritedSocket_ReplacesTheConfiguredAddress()
    {
        Socket socket = ListenSocket.Open(new IPEndPoint(IPAddress.Loopback, 0));
        await using var set = new ListenerSet(new LoggerConfiguration().CreateLogger(), TimeProvider.System, inherited: [socket]);
        EndPoint before = Assert.Single(set.EndPoints);
        Assert.Null(await set.ApplyAsync(new ListenConfig("0.0.0.0", 1), null, default));
        Assert.Equal(before, Assert.Single(set.EndPoints));
    }

    [Fact(Timeout = 60_000)]
    public async Task ManyChangesUnderLoad_LoseNoRequest()
    {
        int port = FreePort();
        Assert.Null(await ApplyAsync(new ListenConfig("127.0.0.1", port)));
        using var stop = new CancellationTokenSource();
        int answered = 0;
        Task load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal("begin;", await AskAsync(new IPEndPoint(IPAddress.Loopback, port)));
                answered++;
            }
        });

        // Another address joins and leaves while the first stays.
        for (int i = 0; i < 30; i++)
            Assert.Null(await ApplyAsync(new ListenConfig(i % 2 == 0 ? "localhost" : "127.0.0.1", port)));
        while (Volatile.Read(ref answered) < 20 && !load.IsCompleted)
            await Task.Yield();
        stop.Cancel();
        await load;
    }

    [Fact(Timeout = 60_000)]
    public async Task Stopped_ListensNoMore()
    {
        Assert.Null(await ApplyAsync(AnyPort));
        IPEndPoint endPoint = Only();
        await _app!.StopAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(endPoint));
        Assert.NotNull(await ApplyAsync(AnyPort));
    }

    private TlsConfig Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        var config = new TlsConfig(Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "key.pem"));
        File.WriteAllText(config.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(config.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return config;
    }

    private static async Task<(string Subject, string Protocol)> HandshakeAsync(IPEndPoint endPoint)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(endPoint);
        await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        }).WaitAsync(Patience);
        return (tls.RemoteCertificate!.Subject, Encoding.ASCII.GetString(tls.NegotiatedApplicationProtocol.Protocol.Span));
    }

    private Task<string?> ApplyAsync(ListenConfig listen) => _set.ApplyAsync(listen, null, default);

    private IPEndPoint Only() => (IPEndPoint)Assert.Single(_set.EndPoints);

    private static string Url(IPEndPoint endPoint, string path) => $"http://{endPoint}{path}";

    /// <summary>On a connection of its own.</summary>
    private static async Task<string> AskAsync(IPEndPoint endPoint)
    {
        using var client = new HttpClient { Timeout = Patience };
        return await client.GetStringAsync(Url(endPoint, "/"));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
