using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Aiproxy.Server;

/// <summary>Kestrel's limits as a proxy needs them.</summary>
public static class KestrelLimits
{
    /// <summary>Above this Kestrel answers with an empty 431; our own, lower limit answers in the client's envelope.</summary>
    private const int HeaderBytes = 1024 * 1024;

    private const int HeaderCount = 2000;
    private const int RequestLineBytes = 256 * 1024;

    public static void Apply(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        KestrelServerLimits limits = options.Limits;
        limits.MaxRequestBodySize = null;
        limits.MaxRequestHeadersTotalSize = HeaderBytes;
        limits.MaxRequestHeaderCount = HeaderCount;
        limits.MaxRequestLineSize = RequestLineBytes;
        limits.Http2.MaxRequestHeaderFieldSize = RequestLineBytes;

        // A proxy in front may carry all its streams over one connection; requests in flight have a limit of their own.
        limits.Http2.MaxStreamsPerConnection = 1000;

        // A model that thinks sends nothing for minutes, and a slow client is judged by clocks of our own.
        limits.MinResponseDataRate = null;
        limits.MinRequestBodyDataRate = null;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(30);

        // Longer than the idle timeout of clients and of proxies in front (60 to 120 s), so that they close first and never send into a closing connection.
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
    }
}
