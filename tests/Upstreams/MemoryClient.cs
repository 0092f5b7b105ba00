using System.IO.Pipelines;
using System.Text;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>A client over memory: takes what it is sent at once, unless it is told to stop reading.</summary>
public sealed class MemoryClient : IClientResponse
{
    private readonly CancellationTokenSource _gone = new();
    private readonly StringBuilder _text = new();

    public MemoryClient() => Body = new Sink(this);

    public PipeWriter Body { get; }

    public CancellationToken Gone => _gone.Token;

    public int Status { get; private set; }

    public string? ContentType { get; private set; }

    public long? Length { get; private set; }

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public int Starts { get; private set; }

    public bool IsAborted { get; private set; }

    /// <summary>What arrived: flushed bytes only.</summary>
    public string Text
    {
        get
        {
            lock (_text) return _text.ToString();
        }
    }

    /// <summary>One text a flush that carried bytes.</summary>
    public List<string> Flushes { get; } = [];

    /// <summary>Flushes wait for <see cref="Read"/>.</summary>
    public bool IsStuck { get; set; }

    public Exception? StartFault { get; set; }

    /// <summary>How often memory was asked for.</summary>
    public int Pieces { get; private set; }

    /// <summary>Most bytes that lay unflushed.</summary>
    public int MostPending { get; private set; }

    public void Start(int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers)
    {
        Starts++;
        if (StartFault is not null) throw StartFault;
        (Status, ContentType, Length) = (status, contentType, length);
        foreach ((string name, string value) in headers) Headers[name] = Headers.TryGetValue(name, out string? before) ? before + ", " + value : value;
    }

    public void Abort()
    {
        IsAborted = true;
        Leave();
    }

    public void Leave() => _gone.Cancel();

    /// <summary>A stuck client reads what waits.</summary>
    public void Read()
    {
        IsStuck = false;
        ((Sink)Body).LetGo();
    }

    private sealed class Sink(MemoryClient client) : PipeWriter
    {
        private byte[] _buffer = new byte[1024];
        private int _count;
        private TaskCompletionSource<FlushResult>? _waits;

        public override void Advance(int bytes)
        {
            _count += bytes;
            client.MostPending = Math.Max(client.MostPending, _count);
        }

        // As the real server does before a response has begun: just what was asked for, and nothing where nothing was.
        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_buffer.Length - _count < sizeHint) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _count + sizeHint));
            client.Pieces++;
            return _buffer.AsMemory(_count, sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Assert.True(_waits is null || _waits.Task.IsCompleted, "two flushes at once");
            if (client.IsStuck)
            {
                _waits = new TaskCompletionSource<FlushResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                return new ValueTask<FlushResult>(_waits.Task);
            }
            Deliver();
            return new ValueTask<FlushResult>(new FlushResult(false, client._gone.IsCancellationRequested));
        }

        public void LetGo()
        {
            Deliver();
            _waits?.TrySetResult(new FlushResult(false, false));
        }

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }

        private void Deliver()
        {
            if (_count == 0) return;
            string text = Encoding.UTF8.GetString(_buffer, 0, _count);
            _count = 0;
            lock (client._text) client._text.Append(text);
            lock (client.Flushes) client.Flushes.Add(text);
        }
    }
}
