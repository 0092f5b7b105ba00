namespace Aiproxy.Protocols;

/// <summary>Writes one answer in a client's protocol, as a stream or whole. One object per response; not thread-safe.</summary>
/// <remarks>Whole: nothing is written before Finish, which throws <see cref="Model.ProtocolException"/> where what came makes no answer; Fail writes the
/// error envelope. Stream: Fail before Start makes the start that the grammar needs, then tells the error.</remarks>
public interface IResponseWriter : IResponseSink
{
    /// <summary>Stream only: the protocol's filler for a silent stretch; legal at any time before Finish or Fail.</summary>
    void Keepalive();
}
