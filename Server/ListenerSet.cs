using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Aiproxy.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Serilog;

namespace Aiproxy.Server;

/// <summary>The listening sockets of the process, and Kestrel's transport. Addresses, ports and TLS change while connections run on untouched.</summary>
/// <remarks>Kestrel binds two endpoints once, one plain and one with TLS; every accepted connection is handed to one of them. Kestrel's own
/// endpoint reload unbinds first and cuts open streams, which is why it is not used.
/// Wiring: <c>services.AddSingleton&lt;IConnectionListenerFactory&gt;(set)</c>, <c>ConfigureKestrel(set.Configure)</c>, then
/// <see cref="ApplyAsync"/> before the server starts. Program disposes it after the server has stopped.</remarks>
public sealed class ListenerSet : IConnectionListenerFactory, IAsyncDisposable
{
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly SocketConnectionContextFactory _connections;
    private readonly MergedListener _plain;
    private readonly MergedListener _secure;
    private readonly SemaphoreSlim _change = new(1, 1);
    private readonly bool _isInherited;
    private volatile IReadOnlyList<ListenSocket> _open = [];
    private volatile TlsCertificate? _certificate;
    private bool _closed;

    /// <param name="inlineScheduling">Run Kestrel on the socket threads. Only together with <see cref="ProcessLimits.UseInlineCompletions"/>.</param>
    /// <param name="inherited">Listening sockets from systemd. Where there are any they replace the configured addresses for good.</param>
    public ListenerSet(ILogger log, TimeProvider clock, bool inlineScheduling = false, IReadOnlyList<Socket>? inherited = null)
    {
        _log = log;
        _clock = clock;
        var options = new SocketConnectionFactoryOptions { UnsafePreferInlineScheduling = inlineScheduling };
        _connections = new SocketConnectionContextFactory(options, NullLogger.Instance);
        _plain = new MergedListener("http", CloseAsync);
        _secure = new MergedListener("https", CloseAsync);
        _isInherited = inherited is { Count: > 0 };
        if (_isInherited)
            _open = [.. inherited!.Select(socket => Listen(socket, requested: null))];
    }

    /// <summary>What is listened on now, ports as the system chose them. Empty before the first <see cref="ApplyAsync"/> and after the stop.</summary>
    public IReadOnlyList<EndPoint> EndPoints => [.. _open.Select(socket => socket.LocalEndPoint)];

    /// <summary>New connections are expected to speak TLS.</summary>
    public bool IsTls => _certificate is not null;

    /// <summary>Nobody outside this machine can connect.</summary>
    public bool IsLoopbackOnly => _open.All(socket => socket.LocalEndPoint is not IPEndPoint ip || IPAddress.IsLoopback(ip.Address));

    /// <summary>Sets Kestrel's limits and its two endpoints. Limits that the proxy keeps itself are off here.</summary>
    public void Configure(KestrelServerOptions options)
    {
        KestrelLimits.Apply(options);
        options.Listen(_plain.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        options.Listen(_secure.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            TlsCertificate.Use(listen, () => _certificate);
        });
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (ReferenceEquals(endpoint, _plain.EndPoint))
            return new(_plain);
        if (ReferenceEquals(endpoint, _secure.EndPoint))
            return new(_secure);
        throw new NotSupportedException($"{endpoint} is none of this set's endpoints");
    }

    /// <summary>Makes the sockets as configured: new ones open before old ones close. What cannot be done changes nothing.</summary>
    /// <returns>null, or why the old state stays: an address that cannot be opened, a certificate that cannot be read.</returns>
    public async Task<string?> ApplyAsync(ListenConfig listen, TlsConfig? tls, CancellationToken cancellationToken)
    {
        await _change.WaitAsync(cancellationToken);
        try
        {
            if (_closed)
                return "the server is stopping";
            TlsCertificate? certificate = tls is null ? null : TlsCertificate.Load(tls, _clock, _log);
            string? problem = _isInherited ? null : await MoveAsync(listen);
            if (problem is not null)
            {
                certificate?.Dispose();
                return problem;
            }

            TlsCertificate? old = _certificate;
            _certificate = certificate;
            old?.Dispose();
            Start();
            return null;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"tls: {e.Message}";
        }
        finally
        {
            _change.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Where Kestrel never started nobody reads the queues, and a full one would hold the sockets up.
        _plain.Complete();
        _secure.Complete();
        await CloseAsync();
        _certificate?.Dispose();
        _connections.Dispose();
    }

    /// <summary>Opens what is new, closes what is gone. The new ones queue their clients until <see cref="Start"/>.</summary>
    private async ValueTask<string?> MoveAsync(ListenConfig listen)
    {
        IReadOnlyList<ListenAddress> wanted = ListenAddress.Resolve(listen);
        if (wanted.Count == 0)
            return $"'{listen.Host}' is no address to listen on: an IP address, localhost or * is expected";

        List<ListenSocket> kept = [.. _open.Where(socket => wanted.Any(address => IsSame(socket, address)))];
        List<ListenSocket> leaving = [.. _open.Except(kept)];
        List<ListenAddress> missing = [.. wanted.Where(address => !kept.Exists(socket => IsSame(socket, address)))];

        // "Two addresses that exclude each other: the old socket closes first, its connections go on, and it is opened again if the new one fails."
        List<ListenSocket> inTheWay = [.. leaving.Where(socket => missing.Exists(address => IsInTheWay(socket, address)))];
        foreach (ListenSocket socket in inTheWay)
            await socket.StopAsync();
        string? problem = TryOpen(missing, kept, out List<ListenSocket> opened);
        if (problem is not null)
        {
            _open = [.. _open.Except(inTheWay), .. Reopen(inTheWay, ref problem)];
            Start();
            return problem;
        }

        _open = [.. kept, .. opened];
        foreach (ListenSocket socket in leaving.Except(inTheWay))
            await socket.StopAsync();
        return null;
    }

    private static bool IsSame(ListenSocket socket, ListenAddress address) =>
        address.EndPoint.Equals(socket.Requested) || address.EndPoint.Equals(socket.LocalEndPoint);

    private static bool IsInTheWay(ListenSocket socket, ListenAddress address) =>
        ListenAddress.Overlap(address.EndPoint, (IPEndPoint)socket.LocalEndPoint);

    /// <summary>All of them, or none and the reason.</summary>
    private string? TryOpen(List<ListenAddress> addresses, List<ListenSocket> kept, out List<ListenSocket> opened)
    {
        var sockets = new List<(Socket Socket, IPEndPoint Requested)>();
        opened = [];
        foreach (ListenAddress address in addresses)
        {
            // The second address of localhost takes the port that the system chose for the first.
            EndPoint? first = sockets.Count > 0 ? sockets[0].Socket.LocalEndPoint : kept.Count > 0 ? kept[0].LocalEndPoint : null;
            int port = address.EndPoint.Port == 0 && first is IPEndPoint chosen ? chosen.Port : address.EndPoint.Port;
            try
            {
                sockets.Add((Open(address, port), address.EndPoint));
            }
            catch (SocketException e) when (address.IsOptional && IsNotOfThisMachine(e))
            {
                _log.Debug("not listening on {Address:l}: {Reason:l}", address.EndPoint, e.Message);
            }
            catch (SocketException e)
            {
                sockets.ForEach(entry => entry.Socket.Dispose());
                return $"cannot listen on {new IPEndPoint(address.EndPoint.Address, port)}: {e.Message}";
            }
        }

        opened = [.. sockets.Select(entry => Listen(entry.Socket, entry.Requested))];
        return null;
    }

    private static Socket Open(ListenAddress address, int port)
    {
        try
        {
            return ListenSocket.Open(new IPEndPoint(address.EndPoint.Address, port));
        }
        catch (SocketException e) when (address.Instead is not null && IsNotOfThisMachine(e))
        {
            return ListenSocket.Open(new IPEndPoint(address.Instead.Address, port));
        }
    }

    private static bool IsNotOfThisMachine(SocketException e) =>
        e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported;

    private List<ListenSocket> Reopen(List<ListenSocket> closed, ref string problem)
    {
        var reopened = new List<ListenSocket>();
        foreach (ListenSocket socket in closed)
        {
            try
            {
                reopened.Add(Listen(ListenSocket.Open((IPEndPoint)socket.LocalEndPoint), socket.Requested));
            }
            catch (SocketException e)
            {
                problem += $"; and {socket.LocalEndPoint} cannot be opened again: {e.Message}";
            }
        }

        return reopened;
    }

    private ListenSocket Listen(Socket socket, IPEndPoint? requested) => new(socket, requested, HandAsync, _clock, _log);

    /// <summary>Sockets accept only once the whole change is done: a client must not meet a new port with the old TLS setting.</summary>
    private void Start()
    {
        foreach (ListenSocket socket in _open)
            socket.Start();
    }

    private async ValueTask HandAsync(Socket accepted)
    {
        ConnectionContext connection = _connections.Create(accepted);
        MergedListener listener = _certificate is null ? _plain : _secure;
        if (!await listener.HandAsync(connection))
            await connection.DisposeAsync();
    }

    private async ValueTask CloseAsync()
    {
        await _change.WaitAsync();
        try
        {
            _closed = true;
            foreach (ListenSocket socket in _open)
                await socket.StopAsync();
            _open = [];
            _plain.Complete();
            _secure.Complete();
        }
        finally
        {
            _change.Release();
        }
    }
}
