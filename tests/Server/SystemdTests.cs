using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class SystemdTests : IDisposable
{
    private readonly StepClock _clock = new();
    private readonly Dictionary<string, string> _environment = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("aiproxy-notify-").FullName;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lifecycle_IsTold(bool isAbstract)
    {
        using Systemd systemd = Start(isAbstract);
        systemd.Ready("serving 3\nupstreams");
        Assert.Equal("READY=1\nSTATUS=serving 3 upstreams", Receive());
        systemd.Reloading();
        long microseconds = _clock.GetTimestamp() / (TimeSpan.TicksPerSecond / 1_000_000);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"), Receive());
        systemd.Status("draining");
        Assert.Equal("STATUS=draining", Receive());
        systemd.Stopping();
        Assert.Equal("STOPPING=1", Receive());
    }

    [Fact]
    public void Watchdog_IsFedTwiceAPeriodAfterReady()
    {
        _environment["WATCHDOG_USEC"] = "30000000";
        _environment["WATCHDOG_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using Systemd systemd = Start(isAbstract: true);
        _clock.Advance(TimeSpan.FromMinutes(1));
        systemd.Ready("up");
        systemd.Ready("up again");
        Receive();
        Receive();
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(("WATCHDOG=1", "WATCHDOG=1", 0), (Receive(), Receive(), _socket.Available));
    }

    [Fact]
    public void WatchdogOfAnotherProcess_IsNotFed()
    {
        _environment["WATCHDOG_USEC"] = "1000000";
        _environment["WATCHDOG_PID"] = "1";
        using Systemd systemd = Start(isAbstract: true);
        systemd.Ready("up");
        Assert.Equal(0, _clock.Armed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("relative")]
    [InlineData("/no/such/socket")]
    public void NoSystemd_NothingHappens(string? socket)
    {
        using var systemd = new Systemd(name => name == "NOTIFY_SOCKET" ? socket : null, _clock);
        systemd.Ready("up");
        systemd.Stopping();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("1", "1")]
    [InlineData("own", "0")]
    [InlineData("own", "x")]
    public void NoInheritedSockets_GivesNone(string? pid, string? count)
    {
        string? own = pid == "own" ? Environment.ProcessId.ToString(CultureInfo.InvariantCulture) : pid;
        Assert.Empty(Systemd.InheritedSockets(name => name == "LISTEN_PID" ? own : count));
    }

    private Systemd Start(bool isAbstract)
    {
        string name = isAbstract ? $"aiproxy-test-{Guid.NewGuid():n}" : Path.Combine(_folder, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : name));
        _environment["NOTIFY_SOCKET"] = isAbstract ? "@" + name : name;
        return new Systemd(_environment.GetValueOrDefault, _clock);
    }

    private string Receive()
    {
        byte[] buffer = new byte[1024];
        return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
    }
}
