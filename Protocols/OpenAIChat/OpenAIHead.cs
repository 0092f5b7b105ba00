using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Model and stream of a Chat or Responses body, without building anything of the rest.</summary>
public static class OpenAIHead
{
    /// <exception cref="ProtocolException">No JSON, no object, or no model.</exception>
    public static RequestHead Read(RequestTarget target, ReadOnlySpan<byte> body)
    {
        // Fetching a stored response names no model and has no body.
        if (target.Operation == Operation.Retrieve) return new RequestHead { Target = target, Model = "", Stream = false };
        RequestHead head = BodyScan.Head(target, body);
        return head.Stream && target.Operation != Operation.Generate ? head with { Stream = false } : head;
    }
}
