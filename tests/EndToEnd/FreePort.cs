using System.Net;
using System.Net.Sockets;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Ports for processes that are told their port. Taken from below the range that the kernel hands to outgoing connections, each once a run.</summary>
public static class FreePort
{
    private const int First = 12_000;
    private const int Count = 18_000;

    private static int s_next = Environment.ProcessId * 97;

    public static int Next()
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref s_next) % Count);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
            }
        }
        throw new InvalidOperationException("no free port between 12000 and 30000");
    }
}
