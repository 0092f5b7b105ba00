using System.Net;
using System.Net.Sockets;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>A listener whose queue is full: a further connection is neither accepted nor refused, the kernel drops its SYN.</summary>
public sealed class FullBacklog : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _fillers = [];

    private FullBacklog()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    /// <summary>Null where this kernel goes on accepting.</summary>
    public static async Task<FullBacklog?> TryCreateAsync()
    {
        var full = new FullBacklog();
        for (var i = 0; i < 16; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            full._fillers.Add(filler);
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            try
            {
                await filler.ConnectAsync(full._listener.LocalEndPoint!, patience.Token);
            }
            catch (OperationCanceledException)
            {
                return full;
            }
        }
        full.Dispose();
        return null;
    }

    public void Dispose()
    {
        foreach (var filler in _fillers) filler.Dispose();
        _listener.Dispose();
    }
}
