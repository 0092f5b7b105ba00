using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;

namespace Aiproxy.Tests.Server;

/// <summary>What Kestrel makes of broken bodies, and what we make of that.</summary>
public sealed class RequestBodyOverHttpTests : IAsyncLifetime
{
    private readonly ListenerSet _set = new(new LoggerConfiguration().CreateLogger(), TimeProvider.System);
    private readonly ByteBudget _budget = new(1_000_000);
    private readonly TaskCompletionSource<string> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IConnectionListenerFactory>(_set);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.ConfigureKestrel(_set.Configure);
        _app = builder.Build();
        _app.Run(async context =>
        {
            var head = new BodyHead(context.Request.ContentLength, context.Request.Headers.ContentEncoding, 1000, TimeSpan.FromSeconds(1));
            try
            {
                using PooledBody body = await new RequestBody(_budget, TimeProvider.System).ReadAsync(context.Request.BodyReader, head, context.RequestAborted);
                _outcome.SetResult(Encoding.UTF8.GetString(body.Memory.Span));
            }
            catch (ProtocolException e)
            {
                _outcome.SetResult(e.Error.Kind.ToString());
            }
            catch (OperationCanceledException)
            {
                _outcome.SetResult("cancelled");
            }
        });
        Assert.Null(await _set.ApplyAsync(new ListenConfig("127.0.0.1", 0), null, default));
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        await _set.DisposeAsync();
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\nhello", nameof(ErrorKind.InvalidRequest))]
    [InlineData("Content-Length: 1001\r\n\r\n", nameof(ErrorKind.TooLarge))]
    [InlineData("Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello", nameof(ErrorKind.InvalidRequest))]
    public async Task Body_EndsAsItShould(string rest, string outcome)
    {
        using Socket socket = await SendAsync(rest);
        Assert.Equal(outcome, await _outcome.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData("Content-Length: 500\r\n\r\nhello")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")]
    public async Task ClientReset_IsCancelled(string rest)
    {
        using (Socket socket = await SendAsync(rest))
        {
            while (_budget.Held == 0)
                await Task.Yield();
            socket.LingerState = new LingerOption(true, 0);
        }

        Assert.Equal("cancelled", await _outcome.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private async Task<Socket> SendAsync(string rest)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync((IPEndPoint)_set.EndPoints[0]);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\n{rest}"));
        return socket;
    }
}
