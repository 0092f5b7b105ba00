using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Bench;

/// <summary>One client: asks once and counts the events of the answer until it is disposed.</summary>
public sealed class EventCounter : IDisposable
{
    private static readonly byte[] Marker = "\"text\":\""u8.ToArray();

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte _last;
    private volatile bool _closing;

    /// <summary>Empty lines seen, one an event: two line feeds in a row, which neither the HTTP head nor the chunks' own lines contain.</summary>
    public long Events { get; private set; }

    /// <summary>The stream ended although nobody closed it, or the answer was no 200.</summary>
    public bool Broken { get; private set; }

    /// <summary>Microseconds from the upstream's write to this read, sampled while <see cref="Sampling"/> is set.</summary>
    public List<int> Delays { get; } = [];

    public bool Sampling { get; set; }

    public Task FirstEvent => _first.Task;

    public async Task RunAsync(int port)
    {
        const string body = "{\"model\":\"claude-bench\",\"max_tokens\":1000,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"go on\"}]}";
        try
        {
            await _socket.ConnectAsync(IPAddress.Loopback, port);
            await _socket.SendAsync(Encoding.ASCII.GetBytes(
                $"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-type: application/json\r\nx-api-key: sk-fake-bench\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
            var buffer = new byte[8 * 1024];
            var head = true;
            while (await _socket.ReceiveAsync(buffer) is var read and > 0)
            {
                if (head && !buffer.AsSpan(0, read).StartsWith("HTTP/1.1 200"u8))
                {
                    break;
                }

                head = false;
                Take(buffer.AsSpan(0, read));
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Told below.
        }

        Broken = !_closing;
        _first.TrySetResult();
    }

    public void Dispose()
    {
        _closing = true;
        _socket.Dispose();
    }

    private void Take(ReadOnlySpan<byte> data)
    {
        var before = Events;
        foreach (var value in data)
        {
            Events += value == '\n' && _last == '\n' ? 1 : 0;
            _last = value;
        }

        if (Events > 0 && before == 0)
        {
            _first.TrySetResult();
        }

        if (Sampling && data.LastIndexOf(Marker) is var at and >= 0
            && data.Length >= at + Marker.Length + 18
            && long.TryParse(data.Slice(at + Marker.Length, 18), NumberStyles.None, CultureInfo.InvariantCulture, out var stamp))
        {
            Delays.Add((int)Stopwatch.GetElapsedTime(stamp).TotalMicroseconds);
        }
    }
}
