namespace Aiproxy.Upstreams;

/// <summary>The body that one visit sends, perhaps several times, until its answer begins.</summary>
/// <param name="room">What it takes of the memory for such bodies; null: nothing is counted.</param>
public sealed class VisitBody(IDisposable? room) : IDisposable
{
    /// <summary>Empty: not written, or not needed any more.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Segments { get; set; } = [];

    /// <summary>What was sent last.</summary>
    public SplicedContent? Sent { get; set; }

    public void Dispose()
    {
        Segments = [];
        room?.Dispose();
    }
}
