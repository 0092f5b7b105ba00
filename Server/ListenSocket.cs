using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Serilog;

namespace Aiproxy.Server;

/// <summary>One listening socket and the loop that takes its connections. Stopping it leaves the taken connections alone.</summary>
/// <param name="socket">Bound and listening; owned from here on.</param>
/// <param name="requested">The address that was asked for, with port 0 where the system chose; null for a socket handed in by systemd.</param>
/// <param name="hand">Takes each connection's socket over.</param>
public sealed class ListenSocket(Socket socket, IPEndPoint? requested, Func<Socket, ValueTask> hand, TimeProvider clock, ILogger log)
{
    /// <summary>Connections that the kernel completes and holds while we are busy; it lowers this to its own limit (somaxconn).</summary>
    private const int Backlog = 1024;

    /// <summary>Data that stays unacknowledged this long ends the connection: a sleeping laptop is noticed before the kernel's 15 minutes.</summary>
    private const int UserTimeoutMilliseconds = 60_000;

    private const int TcpLevel = 6;
    private const int TcpUserTimeout = 18;

    /// <summary>Out of file descriptors: the pause before the next try, so that the loop does not spin.</summary>
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private Task? _loop;

    public IPEndPoint? Requested => requested;

    public EndPoint LocalEndPoint { get; } = socket.LocalEndPoint!;

    /// <summary>Opens a listening socket.</summary>
    /// <exception cref="SocketException">The address is taken, forbidden or not of this machine.</exception>
    public static Socket Open(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Begins to take connections; once begun, nothing more.</summary>
    public void Start() => _loop ??= AcceptAsync();

    /// <summary>Closes the socket. Clients whose handshake the kernel had already completed are taken, not reset.</summary>
    public async ValueTask StopAsync()
    {
        await _stop.CancelAsync();
        await (_loop ?? Task.CompletedTask);
        try
        {
            for (int i = 0; i < Backlog && socket.Poll(TimeSpan.Zero, SelectMode.SelectRead); i++)
                await HandAsync(socket.Accept());
        }
        catch (SocketException)
        {
            // A client that left between Poll and Accept; the socket closes anyway.
        }

        socket.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        bool failing = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket accepted = await socket.AcceptAsync(_stop.Token);
                failing = false;
                await HandAsync(accepted);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                // The client left before it was taken.
            }
            catch (Exception e)
            {
                // Whatever it is, a process that takes no more connections would be worse.
                if (!failing)
                    log.Error("cannot accept connections on {Address:l}: {Reason:l}", LocalEndPoint, e.Message);
                failing = true;
                await PauseAsync();
            }
        }
    }

    private async Task PauseAsync()
    {
        try
        {
            await Task.Delay(PauseAfterFailure, clock, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }

    private async ValueTask HandAsync(Socket accepted)
    {
        try
        {
            if (accepted.ProtocolType == ProtocolType.Tcp)
            {
                accepted.NoDelay = true;
                if (OperatingSystem.IsLinux())
                    accepted.SetRawSocketOption(TcpLevel, TcpUserTimeout, BitConverter.GetBytes(UserTimeoutMilliseconds));
            }

            await hand(accepted);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or ConnectionAbortedException)
        {
            // Options cannot be set on a connection that is already gone.
            accepted.Dispose();
        }
    }
}
