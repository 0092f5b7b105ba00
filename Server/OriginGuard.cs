using System.Collections.Frozen;
using System.Net;
using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>What of a request tells whether a web page sent it. Header values as they came, null where absent.</summary>
/// <param name="Scheme"><c>http</c> or <c>https</c>, of our own listener.</param>
/// <param name="IsLoopbackClient">See <see cref="OriginGuard.IsLoopbackClient"/>.</param>
public readonly record struct OriginRequest(string Scheme, string? Host, string? Origin, bool IsLoopbackClient);

/// <summary>The guard's answer.</summary>
/// <param name="Refusal">Why the request must get 403; null: it may go on.</param>
/// <param name="CorsOrigin">The foreign origin whose page may read the answer; null: no page is concerned.</param>
public readonly record struct OriginVerdict(string? Refusal, string? CorsOrigin)
{
    public bool IsAllowed => Refusal is null;
}

/// <summary>Keeps web pages from using the proxy through the browser of somebody who may. Immutable; a reload makes a new one.</summary>
/// <remarks>Two roads are closed: a page of a foreign origin, known by <c>Origin</c>, and a foreign name that resolves to this machine
/// (DNS rebinding), known by <c>Host</c>. Programs send no <c>Origin</c> and are not concerned.</remarks>
public sealed class OriginGuard
{
    private readonly FrozenSet<string> _origins;
    private readonly FrozenSet<string> _hosts;
    private readonly bool _allowsAnyOrigin;
    private readonly bool _demandsLoopbackHost;

    /// <param name="isLoopbackOnly">The listener is bound to loopback addresses alone.</param>
    /// <param name="hasClientKeys">Clients must present a key.</param>
    public OriginGuard(IReadOnlyList<string> allowedOrigins, IReadOnlyList<string> allowedHosts, bool isLoopbackOnly, bool hasClientKeys)
    {
        _origins = allowedOrigins.Select(Normal).ToFrozenSet(StringComparer.Ordinal);
        _hosts = allowedHosts.Select(host => HostName(host)).ToFrozenSet(StringComparer.Ordinal);
        _allowsAnyOrigin = allowedOrigins.Contains("*");
        _demandsLoopbackHost = isLoopbackOnly && !hasClientKeys;
    }

    public OriginVerdict Judge(in OriginRequest request)
    {
        string host = HostName(request.Host);
        bool isKnownHost = _hosts.Contains(host) || IsLoopbackName(host);
        if (_demandsLoopbackHost && !isKnownHost)
            return new("this address is answered under a loopback host name only; others go into allowed_hosts", null);

        // A client on this machine may say localhost even where allowed_hosts lists the public names.
        if (!_demandsLoopbackHost && _hosts.Count > 0 && !_hosts.Contains(host) && !(request.IsLoopbackClient && isKnownHost))
            return new("this host name is not in allowed_hosts", null);

        if (string.IsNullOrEmpty(request.Origin))
            return default;
        string origin = Normal(request.Origin);
        if (isKnownHost && origin == Normal($"{request.Scheme}://{request.Host}"))
            return default;
        return _allowsAnyOrigin || _origins.Contains(origin)
            ? new(null, request.Origin)
            : new("web pages of this origin may not call; allowed_origins lists those that may", null);
    }

    /// <summary>The connection comes from this machine and no proxy in front of us passed it on.</summary>
    /// <param name="remote">null (a Unix socket) is not taken for loopback: a web server may be behind it.</param>
    /// <param name="forwardedFor"><c>X-Forwarded-For</c> or <c>Forwarded</c>; null where absent.</param>
    public static bool IsLoopbackClient(IPAddress? remote, string? forwardedFor) =>
        forwardedFor is null && remote is not null && IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote);

    /// <summary><c>localhost</c>, <c>*.localhost</c>, 127.0.0.0/8 or ::1. No other name is taken at its word, whatever it resolves to.</summary>
    /// <param name="host">Without port and brackets, in lower case.</param>
    public static bool IsLoopbackName(string host) =>
        host == "localhost"
        || host.EndsWith(".localhost", StringComparison.Ordinal)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>A <c>Host</c> header without port and brackets, in lower case; empty where there is none.</summary>
    public static string HostName(string? host)
    {
        if (string.IsNullOrEmpty(host))
            return "";
        ReadOnlySpan<char> name = host.AsSpan().Trim();
        if (name.StartsWith("[", StringComparison.Ordinal))
        {
            int end = name.IndexOf(']');
            return end < 0 ? "" : name[1..end].ToString().ToLowerInvariant();
        }

        int colon = name.IndexOf(':');
        if (colon >= 0 && name.LastIndexOf(':') == colon)
            name = name[..colon];
        return name.TrimEnd('.').ToString().ToLowerInvariant();
    }

    /// <summary>Lower case, without the scheme's own port. What is no <c>scheme://host</c> (<c>null</c>) stays what it is.</summary>
    private static string Normal(string origin)
    {
        string lower = origin.Trim().ToLowerInvariant().TrimEnd('/');
        if (lower.StartsWith("http://", StringComparison.Ordinal) && lower.EndsWith(":80", StringComparison.Ordinal))
            return lower[..^3];
        return lower.StartsWith("https://", StringComparison.Ordinal) && lower.EndsWith(":443", StringComparison.Ordinal) ? lower[..^4] : lower;
    }
}
