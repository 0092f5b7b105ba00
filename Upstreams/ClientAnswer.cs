using System.Buffers;
using System.IO.Pipelines;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>What one client is told: the latch between "an attempt may still be dropped" and "the answer has begun", and the fillers of silent stretches.</summary>
/// <remarks>The attempt that runs and the timer write to one pipe, so each write happens under <see cref="_gate"/>, at event borders only.
/// States: Waiting -> Early (status 200 and fillers are out, attempts go on) -> Begun; Waiting -> Begun. Begun is final: no second attempt, no second start.</remarks>
public sealed class ClientAnswer : IDisposable
{
    // A client that reads nothing for this long is gone in all but name; its upstream costs money meanwhile.
    private static readonly TimeSpan WriteStall = TimeSpan.FromSeconds(60);

    private const int PieceBytes = 64 * 1024;

    // A filler that finds the pipe taken comes again after this: somebody writes, so nothing is urgent.
    private static readonly TimeSpan TakenTick = TimeSpan.FromSeconds(1);

    // A timer that fired a little early comes again after this.
    private static readonly TimeSpan ShortestTick = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan LongestTick = TimeSpan.FromDays(1);

    private readonly IClientResponse _response;
    private readonly AnswerOptions _options;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ITimer? _timer;
    private readonly long _started;
    private readonly CountedOutput _output;
    private Action<IBufferWriter<byte>>? _filler;
    private IResponseWriter? _early;
    private long _lastWrite;
    private long _flushed;
    private int _timerBusy;
    private bool _ended;

    public ClientAnswer(IClientResponse response, AnswerOptions options, TimeProvider clock)
    {
        _response = response;
        _options = options;
        _clock = clock;
        _output = new CountedOutput(this);
        _started = _lastWrite = clock.GetTimestamp();
        if (!options.Streams) return;
        _timer = clock.CreateTimer(static state => _ = ((ClientAnswer)state!).TickAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Rearm();
    }

    /// <summary>Cancelled when the client went away.</summary>
    public CancellationToken Gone => _response.Gone;

    /// <summary>Real output went out, or the whole answer: the latch.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Status 200 went out before any output was there.</summary>
    public bool IsEarly => _early is not null;

    /// <summary>HTTP status that went to the client; 0: none yet.</summary>
    public int Status { get; private set; }

    /// <summary>Bytes of body written.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Bytes written since the last flush.</summary>
    public long PendingBytes => BytesWritten - _flushed;

    /// <summary>Tells which upstream answers and after how many attempts. Exchanged whole as attempts go on; an early answer goes without.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RouteHeaders { get; set; } = [];

    /// <summary>The client's body, for one write after <see cref="BeginAsync"/> or <see cref="TakeAsync"/>.</summary>
    public IBufferWriter<byte> Output => _output;

    /// <summary>Begins the answer and takes the pipe; <see cref="Release"/> gives it back.</summary>
    /// <param name="filler">What fills silent stretches from now on; null: nothing does.</param>
    public async ValueTask BeginAsync(
        int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers, Action<IBufferWriter<byte>>? filler)
    {
        await TakeAsync().ConfigureAwait(false);
        try
        {
            HasBegun = true;
            _filler = filler;
            if (!IsEarly) Start(status, contentType, length, headers.Concat(RouteHeaders));
        }
        catch
        {
            Release();
            throw;
        }
        _lastWrite = _clock.GetTimestamp();
        Rearm();
    }

    /// <summary>Under a taken pipe, with the last bytes written: no filler follows them, however long the client takes to read them.</summary>
    public void StopFillers() => _filler = null;

    /// <summary>Takes the pipe for one write and its flush. Nearly always free: the timer writes only into silence.</summary>
    public ValueTask TakeAsync() => _gate.Wait(0) ? ValueTask.CompletedTask : new ValueTask(_gate.WaitAsync(CancellationToken.None));

    /// <summary>Writes a body under a taken pipe, in pieces, so that a slow client holds no second copy of it.</summary>
    public async ValueTask<bool> WriteBodyAsync(ReadOnlyMemory<byte> body, AttemptClock clock)
    {
        clock.Pause();
        for (int at = 0; at < body.Length; at += PieceBytes)
        {
            _output.Write(body.Span[at..Math.Min(body.Length, at + PieceBytes)]);
            if (!await FlushAsync().ConfigureAwait(false)) return false;
        }
        return body.Length > 0 || await FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Gives the pipe back.</summary>
    public void Release() => _gate.Release();

    /// <summary>Sends what was written. False: the client is gone, or took nothing for too long and was cut off.</summary>
    public async ValueTask<bool> FlushAsync()
    {
        if (_ended) return false;
        _lastWrite = _clock.GetTimestamp();
        _flushed = BytesWritten;
        try
        {
            ValueTask<FlushResult> flush = _response.Body.FlushAsync(CancellationToken.None);
            FlushResult result = flush.IsCompletedSuccessfully ? flush.Result : await flush.AsTask().WaitAsync(WriteStall, _clock, Gone).ConfigureAwait(false);
            if (!result.IsCompleted && !Gone.IsCancellationRequested)
            {
                _lastWrite = _clock.GetTimestamp();
                return true;
            }
        }
        catch (TimeoutException)
        {
            _response.Abort();
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or InvalidOperationException)
        {
            // Gone.
        }
        // A flush that was given up may still be under way: nobody else may touch the pipe.
        _ended = true;
        return false;
    }

    /// <summary>Ends the request with an error: as status and envelope, or inside the stream where status 200 went out early.</summary>
    /// <param name="raw">The upstream's own answer in the client's protocol, relayed instead of an envelope of ours; null: none.</param>
    public async ValueTask FailAsync(ProxyError error, string requestId, RawAnswer? raw)
    {
        await TakeAsync().ConfigureAwait(false);
        try
        {
            if (HasBegun || _ended) return;
            HasBegun = true;
            if (_early is { } writer) writer.Fail(error);
            else if (raw is not null) WriteWhole(raw.Status, raw.ContentType, raw.Body.Span, raw.Headers);
            else WriteEnvelope(error, requestId);
            await FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>No more fillers; waits for one that is being written. After it nobody but the server touches the response.</summary>
    public async ValueTask EndAsync()
    {
        _timer?.Dispose();
        await TakeAsync().ConfigureAwait(false);
        _ended = true;
        Release();
    }

    /// <summary>Cuts the connection.</summary>
    public void Abort() => _response.Abort();

    public void Dispose() => _timer?.Dispose();

    private void WriteEnvelope(ProxyError error, string requestId)
    {
        var body = new ArrayBufferWriter<byte>();
        int status = _options.Protocol.WriteError(body, error, requestId);
        WriteWhole(status, "application/json; charset=utf-8", body.WrittenSpan, ErrorHeaders.Of(error));
    }

    private void WriteWhole(int status, string contentType, ReadOnlySpan<byte> body, IEnumerable<KeyValuePair<string, string>> headers)
    {
        Start(status, contentType, body.Length, headers.Concat(RouteHeaders));
        _output.Write(body);
    }

    private void Start(int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers)
    {
        Status = status;
        _response.Start(status, contentType, length, headers.Append(new("x-aiproxy-request-id", _options.RequestId)));
    }

    private async Task TickAsync()
    {
        // A slow filler must not be joined by the next tick.
        if (Interlocked.Exchange(ref _timerBusy, 1) == 1) return;
        TimeSpan? next = TakenTick;
        try
        {
            if (!_gate.Wait(0)) return;
            next = null;
            try
            {
                if (!_ended && !Gone.IsCancellationRequested && WriteFiller()) await FlushAsync().ConfigureAwait(false);
            }
            finally
            {
                _gate.Release();
            }
        }
        finally
        {
            Volatile.Write(ref _timerBusy, 0);
            Rearm(next);
        }
    }

    // Under the gate. Waiting -> Early | Waiting; Early -> Early; Begun -> Begun.
    private bool WriteFiller()
    {
        bool silent = _options.KeepaliveInterval > TimeSpan.Zero && _clock.GetElapsedTime(_lastWrite) >= _options.KeepaliveInterval;
        if (HasBegun)
        {
            if (!silent || _filler is not { } filler) return false;
            filler(_output);
            return true;
        }
        if (_early is { } writer)
        {
            if (!silent) return false;
            writer.Keepalive();
            return true;
        }
        if (_options.EarlyCommit <= TimeSpan.Zero || _clock.GetElapsedTime(_started) < _options.EarlyCommit) return false;

        _early = _options.Protocol.CreateWriter(_output, _options.Writer);
        Start(200, _options.StreamContentType, null, []);
        _early.Keepalive();
        return true;
    }

    private void Rearm(TimeSpan? next = null)
    {
        try
        {
            _timer?.Change(next ?? NextTick(), Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The answer ended in the same moment.
        }
    }

    private TimeSpan NextTick()
    {
        bool waits = !HasBegun && !IsEarly;
        TimeSpan limit = waits ? _options.EarlyCommit : _options.KeepaliveInterval;
        if (limit <= TimeSpan.Zero || _ended || Gone.IsCancellationRequested || (HasBegun && _filler is null)) return Timeout.InfiniteTimeSpan;
        TimeSpan rest = limit - _clock.GetElapsedTime(waits ? _started : _lastWrite);
        return rest < ShortestTick ? ShortestTick : rest > LongestTick ? LongestTick : rest;
    }

    private sealed class CountedOutput(ClientAnswer answer) : IBufferWriter<byte>
    {
        // A quarter of the server's blocks, so that at most that much of one stays empty.
        private const int LeastAsked = 1024;

        public void Advance(int count)
        {
            answer.BytesWritten += count;
            answer._response.Body.Advance(count);
        }

        // Before the response has begun the server's writer gives just what it is asked for: nothing for "some", and each piece becomes a chunk on the wire.
        public Memory<byte> GetMemory(int sizeHint = 0) => answer._response.Body.GetMemory(Math.Max(LeastAsked, sizeHint));

        public Span<byte> GetSpan(int sizeHint = 0) => answer._response.Body.GetSpan(Math.Max(LeastAsked, sizeHint));
    }
}

/// <summary>What an answer must know of its request.</summary>
public sealed record AnswerOptions
{
    public required IClientProtocol Protocol { get; init; }

    /// <summary>The client asked for a stream.</summary>
    public required bool Streams { get; init; }

    public required string StreamContentType { get; init; }

    /// <summary>Told in a header of every answer.</summary>
    public required string RequestId { get; init; }

    public required WriterOptions Writer { get; init; }

    public required TimeSpan KeepaliveInterval { get; init; }

    public required TimeSpan EarlyCommit { get; init; }
}

/// <summary>An upstream's answer in the client's own protocol, relayed as it is.</summary>
public sealed record RawAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body, IReadOnlyList<KeyValuePair<string, string>> Headers);
