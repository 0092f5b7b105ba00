namespace Aiproxy.EventStream;

/// <summary>Splits a body into frames. One per response; not thread-safe. Stays failed after a <see cref="FrameException"/>.</summary>
/// <remarks>Use: while FillAsync answers true, TryRead until it answers false. When FillAsync answers false the body has ended; what is left
/// over (an event without its blank line) was handed out before that by TryRead, completed, or is told by <see cref="HasPartialFrame"/>.</remarks>
public interface IFrameReader : IAsyncDisposable
{
    /// <summary>Waits for more bytes. False: the body ended and TryRead will give nothing more. Completes synchronously when bytes are there.</summary>
    /// <exception cref="IOException">The transport broke.</exception>
    ValueTask<bool> FillAsync(CancellationToken cancellationToken);

    /// <summary>The next whole frame of the bytes filled so far.</summary>
    /// <exception cref="FrameException">A limit or a rule of the framing was broken.</exception>
    bool TryRead(out Frame frame);

    /// <summary>After the end: bytes were left over that make no frame.</summary>
    bool HasPartialFrame { get; }
}
