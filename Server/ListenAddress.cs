using System.Net;
using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>One address that a configuration asks to listen on.</summary>
/// <param name="EndPoint">Port 0 lets the system choose.</param>
/// <param name="Instead">Taken where the machine has no such address family; null: there is no substitute.</param>
/// <param name="IsOptional">A machine without this address is no failure.</param>
public sealed record ListenAddress(IPEndPoint EndPoint, IPEndPoint? Instead = null, bool IsOptional = false)
{
    /// <summary>The addresses behind <c>bind</c> and <c>listen</c>; empty where the host is no address, name or wildcard we know.</summary>
    /// <remarks><c>localhost</c> resolves to <c>::1</c> first in many clients and to <c>127.0.0.1</c> in others, so it means both.
    /// <c>*</c> and <c>::</c> take IPv4 as well; <c>0.0.0.0</c> does not take IPv6.</remarks>
    public static IReadOnlyList<ListenAddress> Resolve(ListenConfig listen)
    {
        int port = listen.Port;
        if (string.Equals(listen.Host, "localhost", StringComparison.OrdinalIgnoreCase))
            return [new(new IPEndPoint(IPAddress.Loopback, port)), new(new IPEndPoint(IPAddress.IPv6Loopback, port), IsOptional: true)];
        if (listen.Host is "*" or "")
            return [new(new IPEndPoint(IPAddress.IPv6Any, port), Instead: new IPEndPoint(IPAddress.Any, port))];
        return IPAddress.TryParse(listen.Host, out IPAddress? address) ? [new(new IPEndPoint(address, port))] : [];
    }

    /// <summary>Both cannot be open at once though they differ: same port, and one of them covers the other.</summary>
    public static bool Overlap(IPEndPoint one, IPEndPoint other) =>
        one.Port == other.Port && one.Port != 0 && !one.Equals(other) && (Covers(one.Address, other.Address) || Covers(other.Address, one.Address));

    private static bool Covers(IPAddress wide, IPAddress narrow) =>
        wide.Equals(IPAddress.IPv6Any) || (wide.Equals(IPAddress.Any) && narrow.AddressFamily == wide.AddressFamily);
}
