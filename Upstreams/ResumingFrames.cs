using Aiproxy.EventStream;
using Aiproxy.Protocols.Anthropic;

namespace Aiproxy.Upstreams;

/// <summary>Frames of a Messages stream that goes on in further ones where the provider paused the turn: the pause is not told, the next stream follows.</summary>
/// <remarks>The next stream counts its blocks from 0 again and begins with a start of its own; readers take both. Owns each stream in its turn.</remarks>
/// <param name="turn">Takes what was said so far.</param>
/// <param name="next">Sends the turn back and opens the stream that goes on with it.</param>
public sealed class ResumingFrames(IFrameReader first, AnthropicPausedTurn turn, Func<AnthropicPausedTurn, ValueTask<IFrameReader>> next) : IFrameReader
{
    private IFrameReader _frames = first;
    private bool _isPaused;

    public bool HasPartialFrame => _frames.HasPartialFrame;

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _isPaused ? ResumeAsync(cancellationToken) : _frames.FillAsync(cancellationToken);

    public bool TryRead(out Frame frame)
    {
        frame = default;
        if (_isPaused || !_frames.TryRead(out frame)) return false;
        if (turn.Resumes >= AnthropicPausedTurn.MaxResumes || !Pauses(frame.Data)) return true;
        _isPaused = true;
        frame = default;
        return false;
    }

    public ValueTask DisposeAsync() => _frames.DisposeAsync();

    private bool Pauses(ReadOnlySpan<byte> data)
    {
        try
        {
            return turn.Take(data);
        }
        catch (System.Text.Json.JsonException)
        {
            // The reader tells it.
            return false;
        }
    }

    private async ValueTask<bool> ResumeAsync(CancellationToken cancellationToken)
    {
        _isPaused = false;
        turn.Resume();
        await _frames.DisposeAsync().ConfigureAwait(false);
        _frames = await next(turn).ConfigureAwait(false);
        return await _frames.FillAsync(cancellationToken).ConfigureAwait(false);
    }
}
