namespace Aiproxy.EventStream;

/// <summary>The framing of a body was broken. The message names the rule with expected and actual values, never content.</summary>
public sealed class FrameException(FrameFault fault, string message) : Exception(message)
{
    public FrameException(FrameFault fault, string message, long expected, long actual) : this(fault, message)
    {
        Expected = expected;
        Actual = actual;
    }

    public FrameFault Fault { get; } = fault;

    /// <summary>What the rule or the frame itself says, in the fault's unit: bytes, a checksum, a count. A limit is the largest (or smallest) value
    /// allowed. Null where it is no number.</summary>
    public long? Expected { get; }

    /// <summary>What came, in the unit of <see cref="Expected"/>.</summary>
    public long? Actual { get; }
}

/// <summary>Which rule was broken.</summary>
public enum FrameFault
{
    /// <summary>A frame, or its payload, is longer than its limit. Bytes.</summary>
    TooLong,

    /// <summary>Bytes where the framing allows none, such as text before a JSON array.</summary>
    Malformed,

    /// <summary>AWS: the checksum of the first eight bytes. Mostly a body that is no event stream at all.</summary>
    PreludeChecksum,

    /// <summary>AWS: a total length that has no room for the frame's own fields. Bytes.</summary>
    TooShort,

    /// <summary>AWS: a header block that is over its limit or does not fit into its frame. Bytes.</summary>
    HeadersLength,

    /// <summary>AWS: the body ended inside a frame. Bytes.</summary>
    Truncated,

    /// <summary>AWS: the checksum of the whole frame.</summary>
    MessageChecksum,

    /// <summary>AWS: a header's name is empty or runs over the header block. Bytes.</summary>
    HeaderName,

    /// <summary>AWS: a header's value type is none of the ten, or missing.</summary>
    HeaderType,

    /// <summary>AWS: a header's value runs over the header block. Bytes.</summary>
    HeaderValue,

    /// <summary>AWS: a header's name or string is no UTF-8.</summary>
    HeaderText,

    /// <summary>AWS: two headers of one name; two readers could take different ones for true.</summary>
    DuplicateHeader,

    /// <summary>AWS: more headers than one frame may have. A count.</summary>
    TooManyHeaders,

    /// <summary>AWS: a sound frame that does not say whether it is an event, an exception or an error.</summary>
    MessageType,

    /// <summary>AWS: an event that does not say which.</summary>
    EventType,
}
