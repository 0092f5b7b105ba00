using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The answering half of one exchange. What a script writes goes out as it is, at once.</summary>
public sealed class AnswerStream(Socket socket, RecordedRequest request, CancellationToken peerGone)
{
    public RecordedRequest Request { get; } = request;

    /// <summary>Fires when the peer closes its side, and when the upstream is disposed.</summary>
    public CancellationToken PeerGone { get; } = peerGone;

    /// <summary>The script closed or reset the connection, or ended a body whose end is the connection's.</summary>
    public bool Closed { get; private set; }

    public Task HeadAsync(int status, params (string Name, string Value)[] headers)
    {
        var text = new StringBuilder($"HTTP/1.1 {status} Fake\r\n");
        foreach (var (name, value) in headers) text.Append($"{name}: {value}\r\n");
        return RawAsync(text.Append("\r\n").ToString());
    }

    /// <summary>200, event stream, chunked.</summary>
    public Task StreamHeadAsync(params (string Name, string Value)[] headers) =>
        HeadAsync(200, [("Content-Type", "text/event-stream"), .. headers, ("Transfer-Encoding", "chunked")]);

    public Task ChunkAsync(string text) => ChunkAsync(Encoding.UTF8.GetBytes(text));

    public Task ChunkAsync(ReadOnlyMemory<byte> bytes) =>
        bytes.IsEmpty ? Task.CompletedTask : RawAsync((byte[])[.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes.Span, .. "\r\n"u8]);

    /// <summary>The chunk that ends a chunked body.</summary>
    public Task EndAsync() => RawAsync("0\r\n\r\n");

    public Task RawAsync(string text) => RawAsync(Encoding.UTF8.GetBytes(text));

    public async Task RawAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, PeerGone)..];
    }

    /// <summary>Waits for the test; ends early, with a cancellation, when the peer goes away.</summary>
    public Task GateAsync(Task gate) => gate.WaitAsync(PeerGone);

    public async Task StallAsync() => await Task.Delay(Timeout.Infinite, PeerGone);

    /// <summary>Orderly end of the connection, whatever was promised.</summary>
    public void Close()
    {
        Closed = true;
        socket.Shutdown(SocketShutdown.Both);
        socket.Close();
    }

    public void Reset()
    {
        Closed = true;
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }
}
