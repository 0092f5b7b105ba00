using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>What upstreams speak. Stateless; one object for the life of the process.</summary>
public interface IUpstreamProtocol
{
    string Name { get; }

    /// <summary>The request in this protocol's words.</summary>
    /// <exception cref="ProtocolException">Something cannot be said; with the JSON path in the client's request.</exception>
    void WriteRequest(IBufferWriter<byte> output, ChatRequest request);

    /// <param name="clientArray">Copy way of Gemini: the client is given the answer as a JSON array, not as events. Without meaning elsewhere.</param>
    IResponseReader CreateReader(IResponseSink sink, bool clientArray = false);

    /// <summary>An error answer in neutral words. Never throws, whatever the body is; the message never holds keys or URLs with <c>key=</c>.</summary>
    ProxyError ReadError(int status, ReadOnlySpan<byte> body);
}
