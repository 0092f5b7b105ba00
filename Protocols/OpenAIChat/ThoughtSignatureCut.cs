using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Takes Gemini's thought signatures out of a Chat history that goes to another vendor's model: none takes them, and some refuse members that they do not know.</summary>
public static class ThoughtSignatureCut
{
    /// <param name="body">Checked as JSON.</param>
    /// <param name="model">The upstream's name for it; the family tells who issued what it takes.</param>
    /// <returns>null: nothing to change.</returns>
    public static byte[]? Apply(ReadOnlySpan<byte> body, string model)
    {
        if (body.IndexOf("\"thought_signature\""u8) < 0 || model.Contains("gemini", StringComparison.OrdinalIgnoreCase)) return null;
        return Member(body, "messages", messages => Items(messages, message => Members(message, static (name, value) =>
            name.SequenceEqual("extra_content"u8) ? Extra(value)
            : name.SequenceEqual("tool_calls"u8) ? Items(value, static call => Member(call, "extra_content", Extra))
            : default))).Text;
    }

    /// <summary>What others keep there stays; what is left empty goes.</summary>
    private static Change Extra(ReadOnlySpan<byte> extra) => Emptied(Member(extra, "google", static google => Emptied(Member(google, "thought_signature", static _ => Change.Removed))));

    private static Change Emptied(Change change) => change.Text is { } text && text.AsSpan(1..^1).Trim(" \t\r\n"u8).IsEmpty ? Change.Removed : change;
}
