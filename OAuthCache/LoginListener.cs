using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>Waits on loopback for the browser's return. Answers any number of requests, until one carries our state.</summary>
/// <remarks>Each connection is served by itself, so that one that says nothing, or half a request, holds up nobody.</remarks>
public sealed class LoginListener : IAsyncDisposable
{
    private const int MaxHeadBytes = 16 * 1024;

    /// <summary>Browsers open some in advance and never use them.</summary>
    private const int MaxConnections = 32;

    private static readonly TimeSpan ConnectionLimit = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<Socket> _listeners;
    private readonly LoginRedirect _redirect;
    private readonly string _state;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<CancellationTokenSource> _open = new();
    private readonly TaskCompletionSource<LoginCallback> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task[] _accepting;

    private LoginListener(IReadOnlyList<Socket> listeners, LoginRedirect redirect, string state, TimeProvider clock)
    {
        _listeners = listeners;
        _redirect = redirect;
        _state = state;
        _clock = clock;
        Port = ((IPEndPoint)listeners[0].LocalEndPoint!).Port;
        _accepting = [.. listeners.Select(AcceptAsync)];
    }

    public int Port { get; }

    /// <summary>Byte for byte what goes into the authorize URL and into the exchange.</summary>
    public string RedirectUri => _redirect.At(Port);

    /// <summary>The first callback that carries our state, with a code or with an error. Its page has been sent. Ends with nothing else.</summary>
    public Task<LoginCallback> Answer => _answer.Task;

    /// <param name="state">What the callback must carry; any other is shown an error page and is otherwise ignored.</param>
    public static LoginStep<LoginListener> Open(LoginRedirect redirect, string state, TimeProvider clock)
    {
        // Of any port a few are tried: the one that is free on IPv4 may be taken on IPv6.
        foreach (int port in redirect.Ports.Count > 0 ? redirect.Ports : [0, 0, 0, 0])
        {
            if (Bind(redirect.Host, port) is { } sockets) return new LoginListener(sockets, redirect, state, clock);
        }
        return new LoginProblem(redirect.Ports.Count switch
        {
            0 => "no port on loopback can be opened for the browser's return; --paste does without one",
            1 => $"port {redirect.Ports[0]}, to which the provider sends the browser back, is taken by another program; end that, or use --paste",
            _ => $"ports {string.Join(" and ", redirect.Ports)}, to which the provider sends the browser back, are taken by other programs; end one, or use --paste",
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Socket listener in _listeners) listener.Dispose();
        await Task.WhenAll(_accepting).ConfigureAwait(false);
    }

    private static List<Socket>? Bind(string host, int port)
    {
        if (TryBind(IPAddress.Loopback, port, out _) is not { } first) return null;
        var sockets = new List<Socket> { first };
        if (host != "localhost") return sockets;
        // Browsers resolve localhost to ::1 first: whoever listens there would get the code.
        if (TryBind(IPAddress.IPv6Loopback, ((IPEndPoint)first.LocalEndPoint!).Port, out bool isTaken) is { } second)
        {
            sockets.Add(second);
        }
        else if (isTaken)
        {
            first.Dispose();
            return null;
        }
        return sockets;
    }

    private static Socket? TryBind(IPAddress address, int port, out bool isTaken)
    {
        isTaken = false;
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (OperatingSystem.IsWindows()) socket.ExclusiveAddressUse = true;
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(64);
            return socket;
        }
        catch (SocketException e)
        {
            // Anything else means that the machine has no such address.
            isTaken = e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied;
            socket?.Dispose();
            return null;
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                Socket connection = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = ServeAsync(connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using var limit = new CancellationTokenSource(ConnectionLimit, _clock);
        using var life = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        _open.Enqueue(life);
        if (_open.Count > MaxConnections && _open.TryDequeue(out CancellationTokenSource? oldest)) End(oldest);
        LoginCallback? ours = null;
        try
        {
            if (await ReadStartLineAsync(connection, life.Token).ConfigureAwait(false) is not { } startLine) return;
            (byte[] page, ours) = Judge(startLine);
            for (ReadOnlyMemory<byte> rest = page; !rest.IsEmpty;) rest = rest[await connection.SendAsync(rest, life.Token).ConfigureAwait(false)..];
            connection.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The browser is gone or too slow; what it brought counts all the same.
        }
        finally
        {
            connection.Dispose();
            if (ours is not null) _answer.TrySetResult(ours);
        }
    }

    /// <summary>The page for a request, and the callback where it is ours.</summary>
    private (byte[] Page, LoginCallback? Ours) Judge(string startLine)
    {
        string[] words = startLine.Split(' ');
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal)) return (LoginPage.Status("400 Bad Request"), null);
        string[] target = words[1].Split('?', 2);
        if (target[0] != _redirect.Path) return (LoginPage.Status("404 Not Found"), null);
        if (words[0] != "GET") return (LoginPage.Status("405 Method Not Allowed"), null);
        LoginCallback callback = LoginCallback.FromQuery(target.Length > 1 ? target[1] : "");
        if (!Pkce.IsSame(_state, callback.State)) return (LoginPage.NotOurs("This answer belongs to another sign-in, or to none (its state differs)."), null);
        if (callback.Error is not null) return (LoginPage.Refused(callback), callback);
        return callback.Code is null ? (LoginPage.NotOurs("This answer has neither a code nor an error."), null) : (LoginPage.Done(), callback);
    }

    /// <summary>null: the head is too long, or the connection ended before it was whole.</summary>
    private static async Task<string?> ReadStartLineAsync(Socket connection, CancellationToken cancellationToken)
    {
        byte[] head = new byte[MaxHeadBytes];
        int count = 0;
        while (count < head.Length)
        {
            int read = await connection.ReceiveAsync(head.AsMemory(count), cancellationToken).ConfigureAwait(false);
            if (read == 0) return null;
            count += read;
            // All of it is read, or closing would reset the connection and take the page along.
            if (head.AsSpan(0, count).IndexOf("\r\n\r\n"u8) < 0) continue;
            return Encoding.Latin1.GetString(head.AsSpan(0, head.AsSpan(0, count).IndexOf("\r\n"u8)));
        }
        return null;
    }

    private static void End(CancellationTokenSource connection)
    {
        try
        {
            connection.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was served meanwhile.
        }
    }
}
