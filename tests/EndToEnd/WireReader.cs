using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Reads HTTP/1.1 messages off a socket without judging them. Bounded: 1 MB of head, 128 MB of body.</summary>
public sealed class WireReader(Socket socket)
{
    private const int MaxHeadBytes = 1 << 20;
    private const int MaxBodyBytes = 128 << 20;

    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>True when bytes are there; false at the peer's end. Takes nothing from the socket's own queue while waiting.</summary>
    public async Task<bool> WaitForBytesAsync(CancellationToken cancellationToken)
    {
        if (_end > _start) return true;
        var peeked = new byte[1];
        return await socket.ReceiveAsync(peeked, SocketFlags.Peek, cancellationToken) > 0;
    }

    /// <summary>Start line and headers; null at a clean end of the connection.</summary>
    public async Task<(string StartLine, List<(string Name, string Value)> Headers)?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        if (await ReadLineAsync(cancellationToken, endIsFine: true) is not { } startLine) return null;
        var headers = new List<(string, string)>();
        while (await ReadLineAsync(cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':');
            headers.Add(colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].Trim()));
        }
        return (startLine, headers);
    }

    public async Task<byte[]> ReadBytesAsync(int count, CancellationToken cancellationToken)
    {
        if (count > MaxBodyBytes) throw new InvalidDataException("a body over the harness's limit");
        var body = new byte[count];
        var filled = 0;
        while (filled < count)
        {
            if (_start == _end && !await FillAsync(cancellationToken)) throw new EndOfStreamException("the body is shorter than its length");
            var take = Math.Min(count - filled, _end - _start);
            _buffer.AsSpan(_start, take).CopyTo(body.AsSpan(filled));
            _start += take;
            filled += take;
        }
        return body;
    }

    public async Task<byte[]> ReadChunkedAsync(CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken) ?? "";
            var size = int.Parse(line.Split(';')[0].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (body.WrittenCount + size > MaxBodyBytes) throw new InvalidDataException("a body over the harness's limit");
            if (size == 0) break;
            body.Write(await ReadBytesAsync(size, cancellationToken));
            await ReadLineAsync(cancellationToken);
        }
        while (await ReadLineAsync(cancellationToken) is { Length: > 0 })
        {
        }
        return body.WrittenSpan.ToArray();
    }

    /// <summary>What is left until the peer closes.</summary>
    public async Task<byte[]> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var rest = new ArrayBufferWriter<byte>();
        do
        {
            rest.Write(_buffer.AsSpan(_start, _end - _start));
            _start = _end;
        }
        while (rest.WrittenCount < MaxBodyBytes && await FillAsync(cancellationToken));
        return rest.WrittenSpan.ToArray();
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken, bool endIsFine = false)
    {
        var searched = 0;
        while (true)
        {
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, searched + found).TrimEnd('\r');
                _start += searched + found + 1;
                return line;
            }
            searched = _end - _start;
            if (searched > MaxHeadBytes) throw new InvalidDataException("a line over the harness's limit");
            if (await FillAsync(cancellationToken)) continue;
            if (searched == 0 && endIsFine) return null;
            throw new EndOfStreamException("the connection ended inside a head");
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellationToken);
        _end += read;
        return read > 0;
    }
}
