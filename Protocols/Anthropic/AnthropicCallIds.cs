using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Call ids of other providers in a request that is otherwise forwarded as it came: a conversation that began with a model whose ids have dots and colons
/// may go on with a Claude, which refuses them.</summary>
public static class AnthropicCallIds
{
    /// <param name="body">Checked as JSON.</param>
    /// <returns>The body with legal ids, the same for a call and its result; null: it has no others. Not a byte else changes.</returns>
    public static byte[]? Apply(ReadOnlySpan<byte> body) =>
        HasIllegal(body) ? Member(body, "messages", static messages => Items(messages, static message => Member(message, "content", static content => Items(content, Block)))).Text : null;

    private static Change Block(ReadOnlySpan<byte> block)
    {
        string? name = null;
        var members = new JsonScan(block);
        while (members.Next())
        {
            if (members.Is("type"u8)) name = members.Inner.SequenceEqual("tool_use"u8) ? "id" : members.Inner.SequenceEqual("tool_result"u8) ? "tool_use_id" : null;
        }
        return name is null ? default : Member(block, name, static id => id.Length > 2 && id[0] == '"' && !IsLegal(id[1..^1])
            ? Change.To(RawJson.Encode(CallIds.For(RawJson.Decode(id), int.MaxValue, wordCharactersOnly: true))) : default);
    }

    // Every call but the last ones has its result. Inside of a text the quotes have backslashes.
    private static bool HasIllegal(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> name = "\"tool_use_id\""u8;
        for (int at = body.IndexOf(name); at >= 0; at = body.IndexOf(name))
        {
            body = body[(at + name.Length)..].TrimStart(" \t\r\n:"u8);
            if (body.IsEmpty || body[0] != (byte)'"') continue;
            int end = body[1..].IndexOf((byte)'"');
            if (end > 0 && !IsLegal(body.Slice(1, end))) return true;
        }
        return false;
    }

    private static bool IsLegal(ReadOnlySpan<byte> id)
    {
        foreach (byte one in id)
        {
            if (!char.IsAsciiLetterOrDigit((char)one) && one is not ((byte)'_' or (byte)'-')) return false;
        }
        return true;
    }
}
