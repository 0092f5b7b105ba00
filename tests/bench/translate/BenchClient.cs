using System.IO.Pipelines;
using Aiproxy.Upstreams;

namespace Aiproxy.Bench;

/// <summary>A client that takes everything at once and keeps nothing but the count. Its memory is the same for all answers, as a server's is.</summary>
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
        // What a server's pool gives.
        private byte[] _block = new byte[4096];
        private int _used;

        public long Received { get; private set; }

        public override void Advance(int bytes)
        {
            Received += bytes;
            _used += bytes;
        }

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_block.Length - _used < Math.Max(sizeHint, 1)) _used = 0;
            if (_block.Length < sizeHint) _block = new byte[sizeHint];
            return _block.AsMemory(_used);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => new(new FlushResult(false, false));

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }
    }
}
