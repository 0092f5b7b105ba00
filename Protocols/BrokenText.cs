using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A client's JSON may hold half a surrogate pair or broken UTF-8, which the JSON library tells only when a name is looked at, or what was copied
/// is written.</summary>
public static class BrokenText
{
    /// <exception cref="ProtocolException">The text was broken.</exception>
    public static void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception broken) when (Is(broken))
        {
            throw new ProtocolException(ErrorKind.InvalidRequest, "the body holds text that is not Unicode");
        }
    }

    /// <summary>The exception says that a text was no Unicode.</summary>
    public static bool Is(Exception fault) => fault is InvalidOperationException or ArgumentException && fault.Message.Contains("UTF-", StringComparison.Ordinal);
}
