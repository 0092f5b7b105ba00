namespace Aiproxy.Protocols.Model;

/// <summary>A request or answer breaks its protocol, or says what the target cannot. Carries what the client is to be told.</summary>
public sealed class ProtocolException(ProxyError error) : Exception(error.Message)
{
    public ProtocolException(ErrorKind kind, string message, string? param = null) : this(new ProxyError(kind, message) { Param = param }) { }

    public ProxyError Error { get; } = error;
}
