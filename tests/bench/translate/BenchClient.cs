using System.IO.Pipelines;
using Aiproxy.Upstreams;

namespace Aiproxy.Bench;

/// <summary>A client that takes everything at once and keeps nothing but the count.</summary>
public sealed class BenchClient : IClientResponse
{
    private readonly Drain _body = new();

    public PipeWriter Body => _body;

    public CancellationToken Gone => CancellationToken.None;

    /// <summary>Bytes that arrived.</summary>
    public long Received => _body.Received;

    public void Start(int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers) { }

    public void Abort() { }

    private sealed class Drain : PipeWriter
    {
        private byte[] _buffer = new byte[256 * 1024];
        private int _count;

        public long Received { get; private set; }

        public override void Advance(int bytes) => _count += bytes;

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_buffer.Length - _count < sizeHint) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _count + sizeHint));
            return _buffer.AsMemory(_count);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Received += _count;
            _count = 0;
            return new(new FlushResult(false, false));
        }

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }
    }
}
