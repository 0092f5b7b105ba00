using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Bench;

/// <summary>
/// A fake Anthropic upstream: every connection is one request, answered with a stream that never ends by itself.
/// One thread paces all streams, spread evenly over the period, so that events do not leave in one burst.
/// </summary>
public sealed class PacedUpstream : IDisposable
{
    private const int SlotsPerPeriod = 10;

    private static readonly byte[] Head = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n");

    private static readonly byte[] Opening = Chunk(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01Bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-bench\",\"content\":[],"
        + "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n"
        + "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket>[] _slots = [.. Enumerable.Range(0, SlotsPerPeriod).Select(_ => new List<Socket>())];
    private readonly CancellationTokenSource _end = new();
    private readonly TimeSpan _slotLength;
    private long _sent;
    private long _stalled;
    private int _nextSlot;

    /// <param name="rate">Events a second on each stream.</param>
    public PacedUpstream(int port, int rate)
    {
        _slotLength = TimeSpan.FromSeconds(1.0 / rate / SlotsPerPeriod);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(8192);
    }

    /// <summary>Events written to sockets so far, over all streams.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Events left out because the receiver did not read.</summary>
    public long Stalled => Volatile.Read(ref _stalled);

    public void Start()
    {
        _ = AcceptAsync(_end.Token);
        new Thread(Pace) { IsBackground = true, Name = "pace" }.Start();
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var socket = await _listener.AcceptAsync(cancellationToken);
            _ = ServeAsync(socket, cancellationToken);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            socket.NoDelay = true;
            await ReadRequestAsync(socket, cancellationToken);
            await socket.SendAsync(Head, cancellationToken);
            await socket.SendAsync(Opening, cancellationToken);
            socket.Blocking = false;
            var slot = _slots[Interlocked.Increment(ref _nextSlot) % SlotsPerPeriod];
            lock (slot)
            {
                slot.Add(socket);
            }
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException)
        {
            socket.Dispose();
        }
    }

    /// <summary>Reads until the announced body is there, or the last chunk of one without an announced length.</summary>
    private static async Task ReadRequestAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        for (var length = 0; ;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            length += read;
            var text = Encoding.ASCII.GetString(buffer, 0, length);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
            {
                continue;
            }

            var announced = text.IndexOf("content-length:", 0, end, StringComparison.OrdinalIgnoreCase);
            if (announced >= 0)
            {
                var value = text[(announced + 15)..text.IndexOf("\r\n", announced, StringComparison.Ordinal)];
                if (length - end - 4 >= int.Parse(value, System.Globalization.CultureInfo.InvariantCulture))
                {
                    return;
                }
            }
            else if (text.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
            {
                return;
            }
        }
    }

    private void Pace()
    {
        var due = Stopwatch.GetTimestamp();
        var step = (long)(_slotLength.TotalSeconds * Stopwatch.Frequency);
        for (var slot = 0; !_end.IsCancellationRequested; slot = (slot + 1) % SlotsPerPeriod)
        {
            due += step;
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
            {
                Thread.Sleep(wait);
            }
            else if (wait < TimeSpan.FromSeconds(-1))
            {
                // Too far behind to catch up: a flood afterwards would measure something else.
                due = Stopwatch.GetTimestamp();
            }

            lock (_slots[slot])
            {
                _slots[slot].RemoveAll(socket => !Send(socket));
            }
        }
    }

    /// <summary>False when the stream is over and the socket closed.</summary>
    private bool Send(Socket socket)
    {
        var data = Chunk($"event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{Stopwatch.GetTimestamp():D18}\"}}}}\n\n");
        var sent = socket.Send(data, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
        {
            _stalled++;
            return true;
        }

        // A part of an event would break the stream; the buffers are far larger than what a second brings, so this is an end.
        if (error != SocketError.Success || sent != data.Length)
        {
            socket.Dispose();
            return false;
        }

        _sent++;
        return true;
    }

    private static byte[] Chunk(string text) => Encoding.ASCII.GetBytes($"{text.Length:x}\r\n{text}\r\n");
}
