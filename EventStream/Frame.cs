namespace Aiproxy.EventStream;

/// <summary>One unit of a streamed body: an SSE event, an element of a JSON array, an AWS message. Its spans die at the next <see cref="IFrameReader.TryRead"/>.</summary>
public readonly ref struct Frame
{
    /// <summary>Event name; empty where the wire named none.</summary>
    public ReadOnlySpan<byte> Event { get; init; }

    /// <summary>Payload: for SSE the <c>data</c> lines joined by LF, without the last LF. Empty for a comment or ping without data.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>The bytes as they came, including what separates this frame from the next. What the copy way forwards.</summary>
    public ReadOnlySpan<byte> Raw { get; init; }

    /// <summary>AWS <c>:message-type</c> is <c>exception</c> or <c>error</c>. Never set by SSE.</summary>
    public bool IsException { get; init; }
}
