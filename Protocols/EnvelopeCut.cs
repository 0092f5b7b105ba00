using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Protocols;

/// <summary>Takes our own envelopes out of a request that is otherwise forwarded as it came: a conversation may go on at an upstream of the client's protocol, which would
/// refuse a proof that is not its own.</summary>
/// <remarks>Messages: the thinking block goes, and a search that was told here; for a Claude <see cref="AnthropicCallIds"/> besides. Responses: the reasoning item goes, also one of ours that has no proof at all, and other items lose an id that was made here:
/// the provider looks ids up. Gemini: <see cref="GeminiEnvelopeCut"/>. Chat: <see cref="ThoughtSignatureCut"/>. A message that is left without content goes too. All other
/// bytes stay.</remarks>
public static class EnvelopeCut
{
    /// <param name="body">Checked as JSON.</param>
    /// <param name="protocol">Of client and upstream.</param>
    /// <param name="model">The upstream's name for it.</param>
    /// <returns>The body without envelopes; null: it has none.</returns>
    public static byte[]? Apply(ReadOnlySpan<byte> body, string protocol, string model)
    {
        if (protocol == "gemini") return GeminiEnvelopeCut.Apply(body, ModelTable.BuiltIn(model).IsGemini3);
        if (protocol == "openai") return ThoughtSignatureCut.Apply(body, model);
        bool hasEnvelope = body.IndexOf("\"YWlwM"u8) >= 0;
        return protocol switch
        {
            "anthropic" => Messages(body, hasEnvelope, model),
            "responses" when hasEnvelope || HasMadeId(body) => Member(body, "input", input => Items(input, Item)).Text,
            _ => null,
        };
    }

    private static byte[]? Messages(ReadOnlySpan<byte> body, bool hasEnvelope, string model)
    {
        byte[]? cut = hasEnvelope ? Member(body, "messages", messages => Items(messages, message => Content(message, "content", Block))).Text : null;
        bool isClaude = model.Contains("claude", StringComparison.OrdinalIgnoreCase);
        return (isClaude ? AnthropicCallIds.Apply(cut is null ? body : cut) : null) ?? cut;
    }

    private static Change Block(ReadOnlySpan<byte> block)
    {
        bool isThinking = false, isWrapped = false, isMade = false;
        var members = new JsonScan(block);
        while (members.Next())
        {
            if (members.Is("type"u8)) isThinking = members.Inner.SequenceEqual("thinking"u8) || members.Inner.SequenceEqual("redacted_thinking"u8);
            else if (members.Is("signature"u8) || members.Is("data"u8)) isWrapped |= SealEnvelope.IsEnvelope(members.Value);
            else if (members.Is("id"u8) || members.Is("tool_use_id"u8)) isMade |= AnthropicSources.IsMade(members.Inner);
        }
        return isMade || (isThinking && isWrapped) ? Change.Removed : default;
    }

    private static Change Item(ReadOnlySpan<byte> item)
    {
        bool isReasoning = false, isReference = false, isWrapped = false, isProven = false, isMade = false;
        var members = new JsonScan(item);
        while (members.Next())
        {
            if (members.Is("type"u8)) (isReasoning, isReference) = (members.Inner.SequenceEqual("reasoning"u8), members.Inner.SequenceEqual("item_reference"u8));
            else if (members.Is("id"u8)) isMade = IsMade(members.Inner);
            else if (members.Is("encrypted_content"u8)) (isWrapped, isProven) = (SealEnvelope.IsEnvelope(members.Value), members.IsString);
        }
        if (isReasoning && (isWrapped || (isMade && !isProven))) return Change.Removed;
        if (!isMade) return default;

        // What a reference stood for is gone: thoughts are not missed, anything else is for the provider to refuse.
        if (isReference) return item.IndexOf("\"rs_"u8) >= 0 ? Change.Removed : default;
        return Member(item, "id", static id => id.Length > 2 && IsMade(id[1..^1]) ? Change.Removed : default);
    }

    private static bool HasMadeId(ReadOnlySpan<byte> body) =>
        HasMadeId(body, "\"rs_"u8) || HasMadeId(body, "\"msg_"u8) || HasMadeId(body, "\"fc_"u8) || HasMadeId(body, "\"ctc_"u8);

    private static bool HasMadeId(ReadOnlySpan<byte> body, ReadOnlySpan<byte> prefix)
    {
        for (int at = body.IndexOf(prefix); at >= 0; at = body.IndexOf(prefix))
        {
            body = body[(at + 1)..];
            int end = body.IndexOf((byte)'"');
            if (end > 0 && IsMade(body[..end])) return true;
        }
        return false;
    }

    /// <summary>A prefix, the seed of an answer of ours, the item's number. Ids of providers are longer.</summary>
    private static bool IsMade(ReadOnlySpan<byte> id)
    {
        const int SeedLength = 24, MostDigits = 4;
        int line = id.IndexOf((byte)'_');
        if (line is < 2 or > 3) return false;
        ReadOnlySpan<byte> rest = id[(line + 1)..];
        if (rest.Length is <= SeedLength or > SeedLength + MostDigits) return false;
        foreach (byte character in rest[..SeedLength])
        {
            if (!char.IsAsciiLetterOrDigit((char)character)) return false;
        }
        return !rest[SeedLength..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    /// <summary>A message whose list of parts changes; without any part left it goes.</summary>
    public static Change Content(ReadOnlySpan<byte> message, string list, Rewrite part)
    {
        bool isEmptied = false;
        Change change = Member(message, list, parts =>
        {
            Change changed = Items(parts, part);
            isEmptied |= changed.Text is { Length: 2 };
            return changed;
        });
        return isEmptied ? Change.Removed : change;
    }
}
