using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;

namespace Aiproxy.Protocols;

/// <summary>Folds the events of a stream into the whole answer that they tell, in the same protocol: for a client that wants one answer from an upstream that streams.
/// One per response; holds all of it.</summary>
/// <remarks>Unknown members survive. Takes what the protocol's reader took without a failure, in the same order; that the answer ended properly is for the
/// reader to know.</remarks>
public interface IAnswerFold
{
    /// <summary>One frame of the stream. What tells nothing of the answer (pings, end marks) is skipped.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    void Take(in Frame frame);

    /// <summary>Writes the answer, once, behind the last frame.</summary>
    /// <exception cref="Model.ProtocolException">What came makes no answer.</exception>
    void Write(IBufferWriter<byte> output);
}
