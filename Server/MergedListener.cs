using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Aiproxy.Server;

/// <summary>What Kestrel sees as one endpoint for ever; the sockets behind it come and go.</summary>
/// <param name="unbind">Called once when the server stops accepting; must let no more connections come in.</param>
public sealed class MergedListener(string name, Func<ValueTask> unbind) : IConnectionListener
{
    /// <summary>Connections taken from the kernel and not yet picked up by Kestrel, whose loop does nothing else.</summary>
    private const int Waiting = 512;

    private readonly Channel<ConnectionContext> _connections =
        Channel.CreateBounded<ConnectionContext>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    public EndPoint EndPoint { get; } = new NamedEndPoint(name);

    /// <summary>Queues a connection; false after <see cref="Complete"/>, and the connection stays the caller's.</summary>
    public async ValueTask<bool> HandAsync(ConnectionContext connection)
    {
        try
        {
            await _connections.Writer.WriteAsync(connection);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    public void Complete() => _connections.Writer.TryComplete();

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _connections.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_connections.Reader.TryRead(out ConnectionContext? connection))
                return connection;
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => unbind();

    public async ValueTask DisposeAsync()
    {
        Complete();
        while (_connections.Reader.TryRead(out ConnectionContext? connection))
            await connection.DisposeAsync();
    }

    private sealed class NamedEndPoint(string name) : EndPoint
    {
        public override string ToString() => name;
    }
}
