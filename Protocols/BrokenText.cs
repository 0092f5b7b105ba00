using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A member name of a client's JSON may hold half a surrogate pair or broken UTF-8, which the JSON library tells only when the name is looked
/// at.</summary>
public static class BrokenText
{
    /// <exception cref="ProtocolException">The text was broken.</exception>
    public static void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (InvalidOperationException broken) when (broken.Message.Contains("UTF-", StringComparison.Ordinal))
        {
            throw new ProtocolException(ErrorKind.InvalidRequest, "the body holds text that is not Unicode");
        }
    }
}
