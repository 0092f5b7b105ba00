using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Finds model and stream in a body without building anything of the rest.</summary>
public static class AnthropicHeadReader
{
    /// <exception cref="ProtocolException">As <see cref="IClientProtocol.ReadHead"/>.</exception>
    public static RequestHead Read(RequestTarget target, ReadOnlySpan<byte> body)
    {
        BodyScan scan = BodyScan.Scan(body);
        RequestHead head = scan.ToHead(target, body);
        if (scan.StreamKind is not (JsonTokenType.None or JsonTokenType.Null or JsonTokenType.True or JsonTokenType.False))
        {
            throw new ProtocolException(ErrorKind.InvalidRequest, "stream: expected true or false", "stream");
        }
        return head.Stream && target.Operation != Operation.Generate ? head with { Stream = false } : head;
    }
}
