using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>The HTTP clients, one for each distinct way to connect. They outlive reloads, so that connections stay warm and streams run on.</summary>
public sealed class UpstreamClients
{
    // Providers close idle connections after one to several minutes; a shorter time here makes losing that race rare.
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(50);

    private readonly ConcurrentDictionary<ConnectionKey, HttpMessageInvoker> _clients = new();

    /// <param name="credential">Index of the credential, which may have an outgoing proxy of its own.</param>
    public HttpMessageInvoker For(UpstreamConfig config, IUpstreamType type, int credential = 0)
    {
        string proxy = config.OutgoingProxies.Count switch
        {
            0 => "environment",
            1 => config.OutgoingProxies[0].Reveal(),
            int count => config.OutgoingProxies[Math.Min(credential, count - 1)].Reveal(),
        };
        var key = new ConnectionKey(type.Name == "echo" ? "echo" : "", proxy, config.ConnectTimeout, config.AllowPrivate);
        return _clients.GetOrAdd(key, static (key, type) => new HttpMessageInvoker(type.CreateHandler() ?? Create(key)), type);
    }

    private static SocketsHttpHandler Create(ConnectionKey key)
    {
        IWebProxy? proxy = ProxyOf(key.Proxy);
        return new SocketsHttpHandler
        {
            // A compressed answer would blind the reader that watches; the client's Accept-Encoding stays here. No Brotli: the platform tells corrupt
            // Brotli by an exception that means a bug everywhere else.
            AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = proxy is not null,
            Proxy = proxy,
            ConnectTimeout = key.ConnectTimeout > TimeSpan.Zero ? key.ConnectTimeout : Timeout.InfiniteTimeSpan,
            PooledConnectionIdleTimeout = IdleConnection,
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = 256,
            // A client's header goes on in the bytes in which it came.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, key.AllowPrivate, cancellationToken),
            // Above TLS: below it a farewell alert would look like the beginning of an answer.
            PlaintextStreamFilter = static (context, _) => new ValueTask<Stream>(ConnectionTrace.Watch(context.PlaintextStream)),
        };
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, bool allowPrivate, CancellationToken cancellationToken)
    {
        DnsEndPoint target = context.DnsEndPoint;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (allowPrivate || IsOutgoingProxy(context))
            {
                await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                // Resolved once and connected by address: a name that answers differently the second time gains nothing.
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken).ConfigureAwait(false);
                if (addresses.Length == 0 || addresses.Any(PrivateAddress.Is))
                    throw new PrivateAddressException();
                await socket.ConnectAsync(addresses, target.Port, cancellationToken).ConfigureAwait(false);
            }
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // The user named it, and it resolves the base URL's name by itself.
    private static bool IsOutgoingProxy(SocketsHttpConnectionContext context) =>
        context.InitialRequestMessage.Method == HttpMethod.Connect
        || context.InitialRequestMessage.RequestUri is { } wanted && !wanted.IdnHost.Trim('[', ']').Equals(context.DnsEndPoint.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);

    private static IWebProxy? ProxyOf(string setting) => setting switch
    {
        "none" => null,
        "environment" => new LoopbackBypass(HttpClient.DefaultProxy),
        _ => new LoopbackBypass(ExplicitProxy(new Uri(setting))),
    };

    private static WebProxy ExplicitProxy(Uri address)
    {
        var proxy = new WebProxy(new UriBuilder(address) { UserName = "", Password = "" }.Uri);
        if (address.UserInfo.Length > 0)
        {
            string[] user = address.UserInfo.Split(':', 2);
            proxy.Credentials = new NetworkCredential(Uri.UnescapeDataString(user[0]), user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "");
        }
        return proxy;
    }

    private sealed record ConnectionKey(string Transport, string Proxy, TimeSpan ConnectTimeout, bool AllowPrivate);

    /// <summary>An upstream on this machine is never asked for through a proxy, which could not reach it.</summary>
    private sealed class LoopbackBypass(IWebProxy inner) : IWebProxy
    {
        public ICredentials? Credentials { get => inner.Credentials; set => inner.Credentials = value; }

        public Uri? GetProxy(Uri destination) => inner.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || inner.IsBypassed(host);
    }
}
