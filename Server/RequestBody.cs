using System.Buffers;
using System.IO.Pipelines;
using Aiproxy.Protocols.Model;
using Microsoft.AspNetCore.Http;

namespace Aiproxy.Server;

/// <summary>What the headers and the configuration say about a body.</summary>
/// <param name="ContentLength">null: chunked, or HTTP/2 without one.</param>
/// <param name="ContentEncoding">The header's value, repeated headers joined by commas.</param>
/// <param name="MaxBytes">Limit, both as sent and unpacked.</param>
/// <param name="MaxWait">For a share of the budget.</param>
public sealed record BodyHead(long? ContentLength, string? ContentEncoding, long MaxBytes, TimeSpan MaxWait);

/// <summary>Reads request bodies whole: retries and translation need all of it.</summary>
public sealed class RequestBody(ByteBudget budget, TimeProvider clock)
{
    /// <summary>A client that sends no byte for this long has stopped.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The body, unpacked. The caller disposes it.</summary>
    /// <exception cref="ProtocolException">TooLarge, UnsupportedMedia, InvalidRequest (corrupt packing), Timeout (a stalled client),
    /// Unavailable (no budget in time).</exception>
    /// <exception cref="OperationCanceledException">The client left, or <paramref name="cancellationToken"/>.</exception>
    public async ValueTask<PooledBody> ReadAsync(PipeReader body, BodyHead head, CancellationToken cancellationToken)
    {
        int maxBytes = (int)Math.Min(head.MaxBytes, Array.MaxLength);
        IReadOnlyList<string> encodings = BodyDecoder.Parse(head.ContentEncoding);
        if (head.ContentLength > maxBytes)
            throw TooLarge(maxBytes);

        var share = new BodyShare(budget, head.MaxWait, clock);
        var read = new PooledBody(maxBytes, share);
        try
        {
            await ReceiveAsync(body, read, head.ContentLength ?? 0, maxBytes, cancellationToken);
        }
        catch
        {
            read.Dispose();
            throw;
        }

        // "gzip, br" was packed with gzip first: unpacked from the last to the first.
        for (int i = encodings.Count - 1; i >= 0 && !read.Memory.IsEmpty; i--)
        {
            using PooledBody packed = read;
            read = await BodyDecoder.UnpackAsync(encodings[i], packed.Memory, maxBytes, share, cancellationToken);
        }

        return read;
    }

    internal static ProtocolException TooLarge(int maxBytes) =>
        new(new ProxyError(ErrorKind.TooLarge, $"the request body is larger than {maxBytes} bytes") { ShouldRetry = false });

    internal static ProtocolException NoBudget() =>
        new(new ProxyError(ErrorKind.Unavailable, "too many request bodies are held at once") { RetryAfter = TimeSpan.FromSeconds(5) });

    private async ValueTask ReceiveAsync(PipeReader body, PooledBody into, long expected, int maxBytes, CancellationToken cancellationToken)
    {
        using var idle = new IdleClock(clock, cancellationToken);
        while (true)
        {
            ReadResult result = await ReadOnceAsync(body, idle, cancellationToken);
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
            {
                for (ReadOnlyMemory<byte> rest = segment; !rest.IsEmpty;)
                {
                    if (into.IsAtLimit)
                        throw TooLarge(maxBytes);
                    if (!await into.EnsureRoomAsync(expected, cancellationToken))
                        throw NoBudget();
                    int count = Math.Min(rest.Length, into.Room.Length);
                    rest.Span[..count].CopyTo(into.Room);
                    into.Advance(count);
                    rest = rest[count..];
                }
            }

            body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }

    private static async ValueTask<ReadResult> ReadOnceAsync(PipeReader body, IdleClock idle, CancellationToken cancellationToken)
    {
        try
        {
            if (!body.TryRead(out ReadResult result))
            {
                result = await body.ReadAsync(idle.Start());
                idle.Stop();
            }

            return result.IsCanceled ? throw new OperationCanceledException() : result;
        }
        catch (OperationCanceledException) when (idle.HasStruck && !cancellationToken.IsCancellationRequested)
        {
            throw new ProtocolException(ErrorKind.Timeout, $"no byte of the request body came for {IdleTimeout.TotalSeconds} seconds");
        }
        catch (BadHttpRequestException e) when (!cancellationToken.IsCancellationRequested)
        {
            // Kestrel's word for broken chunks, and for a body that ended early.
            throw new ProtocolException(e.StatusCode == StatusCodes.Status413PayloadTooLarge ? ErrorKind.TooLarge : ErrorKind.InvalidRequest, e.Message);
        }
        catch (IOException e)
        {
            throw new OperationCanceledException("the client left while it sent its body", e);
        }
    }

    /// <summary>Cancels a read that gets no byte. Costs nothing while bytes are there already.</summary>
    private sealed class IdleClock(TimeProvider clock, CancellationToken cancellationToken) : IDisposable
    {
        private CancellationTokenSource? _source;
        private CancellationTokenRegistration _caller;

        public bool HasStruck => _source is { IsCancellationRequested: true };

        public CancellationToken Start()
        {
            if (_source is null)
            {
                _source = new CancellationTokenSource(IdleTimeout, clock);
                _caller = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
            }
            else
            {
                _source.CancelAfter(IdleTimeout);
            }

            return _source.Token;
        }

        public void Stop() => _source!.CancelAfter(Timeout.InfiniteTimeSpan);

        public void Dispose()
        {
            _caller.Dispose();
            _source?.Dispose();
        }
    }
}
