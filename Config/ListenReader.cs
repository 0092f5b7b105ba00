using System.Net;

namespace Aiproxy.Config;

/// <summary>Reads <c>bind</c>, <c>listen</c> and <c>tls</c>.</summary>
public static class ListenReader
{
    private const string DefaultHost = "127.0.0.1";
    private const int DefaultPort = 8080;

    /// <summary>A host in <c>listen</c> wins over <c>bind</c>.</summary>
    public static ListenConfig Read(MapReader root)
    {
        string host = root.Text("bind") is { } bind ? Host(root, bind, bind.Text) ?? DefaultHost : DefaultHost;
        if (root.Text("listen") is not { } listen) return new ListenConfig(host, DefaultPort);

        (string hostPart, string portPart) = Split(listen.Text.Trim());
        if (!ScalarForms.TryWhole(portPart, out long port) || port is < 0 or > 65535)
        {
            root.Errors.Error(listen.Path, $"expected ':port', 'port', 'host:port' or '[IPv6]:port' with a port from 0 to 65535{Shown.Got(listen)}");
            port = DefaultPort;
        }
        else if (hostPart.Length > 0)
        {
            host = Host(root, listen, hostPart) ?? host;
        }
        return new ListenConfig(host, (int)port);
    }

    /// <summary>null: not given, or told.</summary>
    public static TlsConfig? ReadTls(MapReader root)
    {
        if (root.Map("tls") is not { } tls) return null;
        string? certificate = ReadableFile(tls, "cert");
        string? key = ReadableFile(tls, "key");
        tls.Finish(NotYet.Nothing);
        return certificate is null || key is null ? null : new TlsConfig(certificate, key);
    }

    /// <summary>Only this machine can connect.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static string? ReadableFile(MapReader tls, string key)
    {
        if (tls.Text(key) is not { } found)
        {
            if (!tls.Errors.HasErrorAt(tls.PathOf(key))) tls.Errors.Error(tls.PathOf(key), "required beside the other: tls takes the PEM files cert and key");
            return null;
        }
        if (tls.Context.FilePath(found) is not { } path) return null;
        // The name is not repeated: somebody will paste the key itself.
        if (tls.Context.Files.Read(path).Problem is { } problem) tls.Errors.Error(found.Path, $"the PEM file cannot be read: {problem}");
        return path;
    }

    private static (string Host, string Port) Split(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon < 0 ? ("", text) : (text[..colon], text[(colon + 1)..]);
    }

    private static string? Host(MapReader root, FoundText found, string text)
    {
        string written = text.Trim();
        bool isBracketed = written.StartsWith('[') && written.EndsWith(']');
        string host = isBracketed ? written[1..^1] : written;
        if (host is "*" || string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) return host.ToLowerInvariant();

        bool isAddress = IPAddress.TryParse(host, out IPAddress? address)
            // '8080' and '127.1' are addresses to the old C functions and slips to everybody else.
            && (host.Contains(':') || address.ToString() == host);
        // 'listen: ::1:8080' reads as a host '::1' or as an address without port.
        bool isClear = !host.Contains(':') || isBracketed || found.Path == "bind";
        if (isAddress && isClear) return host;
        root.Errors.Error(found.Path, isAddress
            ? "an IPv6 address stands in brackets before a port: '[::1]:8080'"
            : $"expected an IP address, localhost or * as the host{Shown.Got(found)}");
        return null;
    }
}
