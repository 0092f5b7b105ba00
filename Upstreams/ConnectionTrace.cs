using System.Runtime.CompilerServices;

namespace Aiproxy.Upstreams;

/// <summary>Tells of one request whether its connection had carried requests before, and whether any byte came back.</summary>
/// <remarks>A provider may close an idle connection in the moment in which a request is written to it. Such a request was never read, so it may be
/// sent once more; a request that died on a fresh connection may not. The HTTP handler does not tell the two apart.</remarks>
public sealed class ConnectionTrace
{
    private static readonly AsyncLocal<ConnectionTrace?> Ambient = new();

    /// <summary>The connection was used before.</summary>
    public bool IsReused { get; private set; }

    /// <summary>Bytes of an answer arrived.</summary>
    public bool HasAnswer { get; private set; }

    /// <summary>Makes this the trace of what the calling flow sends.</summary>
    public void Begin() => Ambient.Value = this;

    /// <summary>Watches a connection for the traces of its requests.</summary>
    public static Stream Watch(Stream connection) => new TracedStream(connection);

    private sealed class TracedStream(Stream inner) : Stream
    {
        private ConnectionTrace? _current;
        private bool _used;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        // Pooled: it runs at every read of every stream.
        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            // Whose answer it is shows only now: the handler reads ahead on idle connections, before the next request is written. An empty read is no answer.
            if (count > 0 && _current is { } trace) trace.HasAnswer = true;
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            ConnectionTrace? trace = Ambient.Value;
            if (trace is not null && !ReferenceEquals(trace, _current))
            {
                trace.IsReused = _used;
                _current = trace;
                _used = true;
            }
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
        }
    }
}
