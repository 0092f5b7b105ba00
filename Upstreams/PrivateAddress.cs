using System.Net;
using System.Net.Sockets;

namespace Aiproxy.Upstreams;

/// <summary>Addresses that are not on the public internet.</summary>
public static class PrivateAddress
{
    /// <summary>Loopback, private (RFC 1918, RFC 4193), shared (RFC 6598), link-local (cloud metadata lives there), unspecified or multicast.</summary>
    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address)) return true;
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return IsTranslated(address) || address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any);

        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return bytes[0] switch
        {
            0 or 10 or 127 => true,
            100 => bytes[1] is >= 64 and <= 127,
            169 => bytes[1] == 254,
            172 => bytes[1] is >= 16 and <= 31,
            192 => bytes[1] == 168,
            >= 224 => true,
            _ => false,
        };
    }

    // RFC 6052: 64:ff9b::/96 has an IPv4 address in its last four bytes, to which a gateway of the network passes it on.
    private static bool IsTranslated(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return bytes[..12].SequenceEqual((ReadOnlySpan<byte>)[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) && Is(new IPAddress(bytes[12..]));
    }
}
