namespace Aiproxy.Protocols.Model;

/// <summary>A request or answer breaks its protocol, or says what the target cannot. Carries what the client is to be told.</summary>
public sealed class ProtocolException(ProxyError error) : Exception(error.Message)
{
    public ProtocolException(ErrorKind kind, string message, string? param = null) : this(new ProxyError(kind, message) { Param = param }) { }

    /// <summary>The protocol, by the name that people know, which has no word for <see cref="ProxyError.Param"/>; null: something else is wrong.</summary>
    public string? Target { get; init; }

    public ProxyError Error { get; } = error;
}
