using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Server;

/// <summary>Tells systemd what the service does, by datagrams to <c>NOTIFY_SOCKET</c>. Outside systemd every call does nothing; no call ever fails.</summary>
/// <remarks>Source: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).</remarks>
public sealed class Systemd : IDisposable
{
    private const int FirstInheritedSocket = 3;

    private readonly TimeProvider _clock;
    private readonly UnixDomainSocketEndPoint? _target;
    private readonly Socket? _socket;
    private readonly TimeSpan? _watchdogInterval;
    private ITimer? _watchdog;

    /// <param name="variable">Reads an environment variable.</param>
    public Systemd(Func<string, string?> variable, TimeProvider clock)
    {
        _clock = clock;
        if (variable("NOTIFY_SOCKET") is not { Length: > 1 } path || path[0] is not ('/' or '@'))
            return;

        // "If the first character of $NOTIFY_SOCKET is '@', the string is understood as Linux abstract namespace socket."
        _target = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };

        bool isOurs = variable("WATCHDOG_PID") is not { Length: > 0 } pid || IsOwnProcess(pid);
        if (isOurs && long.TryParse(variable("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0)
            _watchdogInterval = TimeSpan.FromMicroseconds(microseconds / 2.0);
    }

    /// <summary>The service is up; also after a reload. Starts the watchdog's signs of life where the unit asks for them.</summary>
    public void Ready(string status)
    {
        Send($"READY=1\nSTATUS={Line(status)}");
        if (_watchdogInterval is { } interval)
            _watchdog ??= _clock.CreateTimer(static state => ((Systemd)state!).Send("WATCHDOG=1"), this, interval, interval);
    }

    /// <summary>A reload begins; <see cref="Ready"/> ends it, whether it succeeded or not.</summary>
    public void Reloading()
    {
        long microseconds = (long)((decimal)_clock.GetTimestamp() * 1_000_000 / _clock.TimestampFrequency);
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// <summary>The line that <c>systemctl status</c> shows.</summary>
    public void Status(string status) => Send($"STATUS={Line(status)}");

    public void Stopping() => Send("STOPPING=1");

    /// <summary>Listening sockets that systemd opened for us (socket activation); empty where there are none. The caller owns them; ask once.</summary>
    public static IReadOnlyList<Socket> InheritedSockets(Func<string, string?> variable)
    {
        if (!IsOwnProcess(variable("LISTEN_PID")) || !int.TryParse(variable("LISTEN_FDS"), CultureInfo.InvariantCulture, out int count) || count < 1)
            return [];
        var sockets = new List<Socket>();
        for (int descriptor = FirstInheritedSocket; descriptor < FirstInheritedSocket + Math.Min(count, 64); descriptor++)
        {
            var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
            try
            {
                var socket = new Socket(handle);
                if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is not 0)
                    sockets.Add(socket);
            }
            catch (SocketException)
            {
                // A FIFO or file of the unit, or a number that is ours by now: not to be closed with this handle.
                handle.SetHandleAsInvalid();
            }
        }

        return sockets;
    }

    public void Dispose()
    {
        _watchdog?.Dispose();
        _socket?.Dispose();
    }

    private static bool IsOwnProcess(string? pid) =>
        int.TryParse(pid, CultureInfo.InvariantCulture, out int number) && number == Environment.ProcessId;

    private static string Line(string text) => text.ReplaceLineEndings(" ");

    private void Send(string message)
    {
        try
        {
            _socket?.SendTo(Encoding.UTF8.GetBytes(message), _target!);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // systemd is busy or gone; the service goes on without it.
        }
    }
}
