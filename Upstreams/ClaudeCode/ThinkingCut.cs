using Aiproxy.Protocols;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>Takes the thinking out of a Messages history whose signatures the provider does not know.</summary>
public static class ThinkingCut
{
    /// <summary>A message that had nothing but thinking goes with it.</summary>
    public static byte[] Apply(ReadOnlySpan<byte> body) => Member(body, "messages", static messages => Items(messages, OfMessage)).Over(body);

    private static Change OfMessage(ReadOnlySpan<byte> message)
    {
        bool isEmptied = false;
        Change change = Member(message, "content", content =>
        {
            Change cut = Items(content, static block => IsThinking(block) ? Change.Removed : default);
            isEmptied |= cut.Text is { Length: 2 };
            return cut;
        });
        return isEmptied ? Change.Removed : change;
    }

    private static bool IsThinking(ReadOnlySpan<byte> block)
    {
        var members = new JsonScan(block);
        while (members.Next())
            if (members.Is("type"u8)) return members.Inner.SequenceEqual("thinking"u8) || members.Inner.SequenceEqual("redacted_thinking"u8);
        return false;
    }
}
