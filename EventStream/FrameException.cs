namespace Aiproxy.EventStream;

/// <summary>The framing of a body was broken. The message names the rule with expected and actual values, never content.</summary>
public sealed class FrameException(FrameFault fault, string message) : Exception(message)
{
    public FrameFault Fault { get; } = fault;
}

/// <summary>Which rule was broken.</summary>
public enum FrameFault
{
    /// <summary>A frame is longer than its limit.</summary>
    TooLong,

    /// <summary>Bytes where the framing allows none, such as text before a JSON array.</summary>
    Malformed,
}
