using System.Net;
using System.Net.Sockets;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>An HTTP/1.1 server on raw sockets: exact bytes in, exact bytes out, faults at will. Keeps connections alive.</summary>
public sealed class FakeUpstream : IAsyncDisposable
{
    private const int MaxRecorded = 20_000;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<RecordedRequest> _requests = [];
    private readonly List<RecordedRequest> _listings = [];
    private readonly List<string> _faults = [];
    private readonly Task _accepting;
    private Func<RecordedRequest, FakeAnswer> _script;
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _connections;
    private int _open;

    public FakeUpstream(Func<RecordedRequest, FakeAnswer> script)
    {
        _script = script;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1024);
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";
        _accepting = AcceptAsync();
    }

    public FakeUpstream(FakeAnswer answer) : this(_ => answer)
    {
    }

    /// <summary>Without a slash at its end.</summary>
    public string Url { get; }

    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_gate) return [.. _requests];
        }
    }

    public int Count
    {
        get
        {
            lock (_gate) return _requests.Count;
        }
    }

    /// <summary>Calls for the model list. A proxy makes them on its own account, so they count nowhere else.</summary>
    public IReadOnlyList<RecordedRequest> Listings
    {
        get
        {
            lock (_gate) return [.. _listings];
        }
    }

    /// <summary>What those calls get.</summary>
    public FakeAnswer ListAnswer { get; set; } = FakeAnswer.Json(404, "{}");

    /// <summary>The newest request.</summary>
    public RecordedRequest Last => Requests[^1];

    /// <summary>Connections open now.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    /// <summary>Errors of the scripts themselves: a test's own bug, never the peer's going away.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_gate) return [.. _faults];
        }
    }

    /// <summary>From the next request on.</summary>
    public void Answer(Func<RecordedRequest, FakeAnswer> script) => Volatile.Write(ref _script, script);

    public void Answer(FakeAnswer answer) => Answer(_ => answer);

    public void Forget()
    {
        lock (_gate) _requests.Clear();
    }

    /// <summary>Waits until at least <paramref name="count"/> requests were read whole.</summary>
    public async Task<RecordedRequest> WaitForRequestAsync(int count, TimeSpan patience)
    {
        var end = Task.Delay(patience);
        while (true)
        {
            Task arrival;
            lock (_gate)
            {
                if (_requests.Count >= count) return _requests[count - 1];
                arrival = _arrival.Task;
            }
            if (await Task.WhenAny(arrival, end) == end) Assert.Fail($"the upstream got {Count} requests instead of {count} in {patience.TotalSeconds:0.#} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var connection = Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _open);
        socket.NoDelay = true;
        try
        {
            var reader = new WireReader(socket);
            while (await reader.WaitForBytesAsync(_stop.Token) && await ReadRequestAsync(socket, reader, connection) is { } request)
                if (!await AnswerAsync(socket, reader, request)) break;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException or EndOfStreamException)
        {
        }
        finally
        {
            socket.Dispose();
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<RecordedRequest?> ReadRequestAsync(Socket socket, WireReader reader, int connection)
    {
        if (await reader.ReadHeadAsync(_stop.Token) is not { } head) return null;
        var words = head.StartLine.Split(' ');
        string? Value(string name) => head.Headers.FirstOrDefault(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
        if (Value("Expect") is not null) await socket.SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
        var body = Value("Transfer-Encoding") is not null ? await reader.ReadChunkedAsync(_stop.Token)
            : int.TryParse(Value("Content-Length"), out var length) ? await reader.ReadBytesAsync(length, _stop.Token)
            : [];
        var request = new RecordedRequest
        {
            Method = words[0],
            Target = words.Length > 1 ? words[1] : "",
            Headers = head.Headers,
            Body = body,
            Connection = connection,
        };
        if (IsListing(request))
        {
            lock (_gate) _listings.Add(request);
            return request;
        }
        TaskCompletionSource arrival;
        lock (_gate)
        {
            if (_requests.Count < MaxRecorded) _requests.Add(request);
            arrival = _arrival;
            _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        arrival.SetResult();
        return request;
    }

    /// <returns>false: the connection is over.</returns>
    private async Task<bool> AnswerAsync(Socket socket, WireReader reader, RecordedRequest request)
    {
        using var peerGone = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var watching = WatchPeerAsync(reader, request, peerGone, answered.Token);
        var stream = new AnswerStream(socket, request, peerGone.Token);
        try
        {
            await (IsListing(request) ? ListAnswer : Volatile.Read(ref _script)(request)).PlayAsync(stream);
            request.Answered();
            return !stream.Closed;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            if (!_stop.IsCancellationRequested) request.Cut();
            return false;
        }
        catch (Exception e)
        {
            lock (_gate) _faults.Add(e.ToString());
            return false;
        }
        finally
        {
            await answered.CancelAsync();
            await watching;
        }
    }

    private static bool IsListing(RecordedRequest request) =>
        request.Method == "GET" && request.Target.Split('?')[0].EndsWith("/models", StringComparison.Ordinal);

    private static async Task WatchPeerAsync(WireReader reader, RecordedRequest request, CancellationTokenSource peerGone, CancellationToken answered)
    {
        try
        {
            if (await reader.WaitForBytesAsync(answered)) return;
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        request.Cut();
        await peerGone.CancelAsync();
    }
}
