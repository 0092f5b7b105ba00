using System.Net.Sockets;
using System.Security.Authentication;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Faults of the transport in words for the client and for the log. No address, key or content in them.</summary>
public static class Faults
{
    /// <summary>True for what a broken upstream may make the transport throw; anything else is a bug of ours.</summary>
    public static bool IsTransport(Exception fault) =>
        fault is HttpRequestException or IOException or OperationCanceledException or FrameException or ProtocolException or SocketException or AuthenticationException
            or InvalidDataException;

    /// <param name="phase">The clock that ran out; null: none did.</param>
    public static ProxyError Describe(Exception fault, ClockPhase? phase) => fault switch
    {
        _ when phase is { } due => new ProxyError(ErrorKind.Timeout, "the upstream " + Waited(due)),
        _ when IsConnectTimeout(fault) => new ProxyError(ErrorKind.BadGateway, "the upstream could not be reached within connect_timeout"),
        InvalidDataException => new ProxyError(ErrorKind.BadGateway, "the upstream's answer is not packed as its Content-Encoding says"),
        FrameException broken => new ProxyError(ErrorKind.BadGateway, "the upstream broke its stream's framing: " + broken.Message),
        ProtocolException broken => broken.Error,
        HttpRequestException http => new ProxyError(ErrorKind.BadGateway, "the upstream " + OfHttp(http)),
        _ => new ProxyError(ErrorKind.BadGateway, "the upstream broke the connection in the middle of its answer"),
    };

    /// <summary>No connection was made: nothing was sent.</summary>
    public static bool IsConnect(Exception fault) => fault is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
    };

    /// <summary>The HTTP handler's own clock for connections ran out: it says so in the inner exception only.</summary>
    public static bool IsConnectTimeout(Exception fault) => fault is OperationCanceledException { InnerException: TimeoutException };

    private static string Waited(ClockPhase phase) => phase switch
    {
        ClockPhase.Headers => "sent no response headers in time",
        ClockPhase.FirstToken => "sent no output in time",
        ClockPhase.Idle => "fell silent in the middle of its answer",
        _ => "gave no output before the time for all attempts was over",
    };

    private static string OfHttp(HttpRequestException fault) => fault.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "could not be found: its name does not resolve",
        HttpRequestError.ConnectionError when fault.InnerException is PrivateAddressException => "resolves to a private address, which allow_private: false refuses",
        HttpRequestError.ConnectionError => fault.InnerException is SocketException socket ? $"could not be reached: {Word(socket.SocketErrorCode)}" : "could not be reached",
        HttpRequestError.SecureConnectionError => "could not be reached: the TLS handshake failed",
        HttpRequestError.ProxyTunnelError => "could not be reached: the outgoing proxy refused",
        HttpRequestError.ResponseEnded => "closed the connection before its answer was whole",
        HttpRequestError.InvalidResponse => "sent an answer that is not HTTP",
        _ => "broke the connection",
    };

    private static string Word(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset => "connection reset",
        SocketError.TimedOut => "connection timed out",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "host unreachable",
        _ => "connection failed",
    };
}
