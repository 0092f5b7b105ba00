using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Finds model and stream in a body without building anything of the rest.</summary>
public static class AnthropicHeadReader
{
    /// <exception cref="ProtocolException">As <see cref="IClientProtocol.ReadHead"/>.</exception>
    public static RequestHead Read(RequestTarget target, ReadOnlySpan<byte> body)
    {
        RequestHead head = BodyScan.Head(target, body);
        return head.Stream && target.Operation != Operation.Generate ? head with { Stream = false } : head;
    }
}
