namespace Aiproxy.EventStream;

/// <summary>How much a sound AWS message must say of itself.</summary>
public enum AwsMessageRule
{
    /// <summary>The documented protocol: <c>:message-type</c> is required, and <c>:event-type</c> for an event.</summary>
    Documented,

    /// <summary>A message without <c>:message-type</c> but with <c>:event-type</c> is an event. For services whose protocol nobody wrote down.</summary>
    EventTypeSuffices,

    /// <summary>Every sound message is handed out, also behind an exception; its headers are the caller's business.</summary>
    Any,
}

/// <summary>What a message says of itself: the protocol's own headers, collected one by one. Lives as long as the header block.</summary>
public ref struct AwsMessage
{
    private ReadOnlySpan<byte> _eventType, _exceptionType, _errorCode;
    private State _state;
    private bool _hasEventType;

    /// <summary>What <c>:message-type</c> is; Unclear: unknown, or no string.</summary>
    private enum State { Missing, Event, Exception, Error, Unclear }

    /// <summary>Exception or error: the service ended the stream with it.</summary>
    public readonly bool IsException => _state is State.Exception or State.Error;

    /// <summary><c>:event-type</c>, <c>:exception-type</c> or <c>:error-code</c>, whichever the type of message calls for; empty where it is missing.</summary>
    public readonly ReadOnlySpan<byte> Name => _state switch
    {
        State.Exception => _exceptionType,
        State.Error => _errorCode,
        State.Unclear => default,
        _ => _eventType,
    };

    public void Take(in AwsHeader header)
    {
        ReadOnlySpan<byte> name = header.Name;
        if (name[0] != (byte)':') return;
        if (name.SequenceEqual(":message-type"u8)) _state = header.Type == AwsHeaderType.String ? StateOf(header.Value) : State.Unclear;
        else if (header.Type != AwsHeaderType.String) return;
        else if (name.SequenceEqual(":event-type"u8))
        {
            _eventType = header.Value;
            _hasEventType = true;
        }
        else if (name.SequenceEqual(":exception-type"u8)) _exceptionType = header.Value;
        else if (name.SequenceEqual(":error-code"u8)) _errorCode = header.Value;
    }

    /// <returns>Null: the message may be handed out. An exception without a name may: it ends the answer either way, and its payload says more than a
    /// fault of the framing would.</returns>
    public readonly FrameException? Check(AwsMessageRule rule)
    {
        if (rule == AwsMessageRule.Any || IsException) return null;
        if (_state == State.Unclear || (_state == State.Missing && !(rule == AwsMessageRule.EventTypeSuffices && _hasEventType)))
        {
            return new FrameException(
                FrameFault.MessageType, "expected :message-type event, exception or error, got " + (_state == State.Missing ? "no such header" : "something else"));
        }
        return _hasEventType ? null : new FrameException(FrameFault.EventType, "expected an :event-type that is a string, got none");
    }

    private static State StateOf(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("event"u8) ? State.Event
        : type.SequenceEqual("exception"u8) ? State.Exception
        : type.SequenceEqual("error"u8) ? State.Error
        : State.Unclear;
}
