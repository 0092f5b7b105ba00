namespace Aiproxy.Protocols;

/// <summary>The client protocols, in the order in which paths are tried.</summary>
public sealed class ProtocolTable(IReadOnlyList<IClientProtocol> protocols)
{
    public IReadOnlyList<IClientProtocol> All { get; } = protocols;

    public IClientProtocol this[string name] => All.First(protocol => protocol.Name == name);

    /// <summary>The protocol and call that a path belongs to; null where none claims it.</summary>
    public (IClientProtocol Protocol, RequestTarget Target)? Match(string path)
    {
        foreach (IClientProtocol protocol in All)
            if (protocol.Match(path) is { } target) return (protocol, target);
        return null;
    }
}
