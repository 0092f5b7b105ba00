using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>A client on a bare socket, for what no HTTP library would send.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly WireReader _reader;

    private RawConnection(Socket socket)
    {
        _socket = socket;
        _reader = new WireReader(socket);
    }

    public static async Task<RawConnection> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        return new RawConnection(socket);
    }

    /// <summary>A POST as text, with its length.</summary>
    public static byte[] Post(string path, string body, params (string Name, string Value)[] headers)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var head = new StringBuilder($"POST {path} HTTP/1.1\r\n");
        if (!headers.Any(header => header.Name == "Host")) head.Append("Host: 127.0.0.1\r\n");
        foreach (var (name, value) in headers) head.Append($"{name}: {value}\r\n");
        head.Append($"Content-Type: application/json\r\nContent-Length: {bytes.Length}\r\n\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. bytes];
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>One whole answer; null where the other side closed without one.</summary>
    public async Task<RawReply?> ReadAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            if (await _reader.ReadHeadAsync(limit.Token) is not { } head) return null;
            var headers = head.Headers.GroupBy(header => header.Name, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(group => group.Key, group => string.Join(",", group.Select(header => header.Value)), StringComparer.OrdinalIgnoreCase);
            var body = headers.ContainsKey("Transfer-Encoding") ? await _reader.ReadChunkedAsync(limit.Token)
                : headers.TryGetValue("Content-Length", out var length) ? await _reader.ReadBytesAsync(int.Parse(length), limit.Token)
                : await _reader.ReadToEndAsync(limit.Token);
            return new RawReply(int.Parse(head.StartLine.Split(' ')[1]), headers, Encoding.UTF8.GetString(body));
        }
        catch (Exception e) when (e is EndOfStreamException or SocketException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"no answer in {patience.TotalSeconds:0.#} s");
            throw;
        }
    }

    /// <summary>What arrives until the words do, heads and chunk sizes included.</summary>
    public async Task<string> ReadTextUntilAsync(string words, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (!text.ToString().Contains(words, StringComparison.Ordinal))
        {
            var read = await _socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
            if (read == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    /// <summary>Goes away with a FIN.</summary>
    public void Close() => _socket.Close();

    /// <summary>Goes away with a RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>An answer read off a bare socket. Header names in any case.</summary>
public sealed record RawReply(int Status, IReadOnlyDictionary<string, string> Headers, string Body);
