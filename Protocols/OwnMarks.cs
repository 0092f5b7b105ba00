using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Takes out of a request what only this proxy understands, before an upstream of the client's own protocol gets it: wrapped proofs of other
/// providers, and ids that were made here. The conversation was with another model before. Nothing else of the body changes.</summary>
public static class OwnMarks
{
    /// <summary>Says of a JSON value what stands in its place: null for itself, <see cref="Gone"/> for nothing.</summary>
    private delegate byte[]? Edit(ReadOnlySpan<byte> value);

    private static readonly byte[] Gone = [];

    // Documented for calls whose history comes from elsewhere: the provider looks for no signature then.
    private static ReadOnlySpan<byte> Unsigned => "\"skip_thought_signature_validator\""u8;

    // Made ids have the seed's 24 characters and a number; OpenAI's are much longer.
    private const int SeedLength = 24, MostDigits = 4;

    /// <summary>The body without them; null: there is none in it.</summary>
    /// <param name="protocol">The client's and the upstream's.</param>
    /// <exception cref="JsonException">The body is not JSON.</exception>
    public static byte[]? Without(string protocol, ReadOnlySpan<byte> body)
    {
        if (protocol is "anthropic" or "gemini" && body.IndexOf("YWlwM"u8) < 0) return null;
        byte[]? edited = protocol switch
        {
            "anthropic" => Member(body, "messages"u8, static messages => Elements(messages, static message =>
                Member(message, "content"u8, static content => Elements(content, static block => IsWrappedThinking(block) ? Gone : null)))),
            "gemini" => Member(body, "contents"u8, static contents => Elements(contents, static content =>
                Member(content, "parts"u8, static parts => Elements(parts, Part)))),
            "responses" => Member(body, "input"u8, static input => Elements(input, Item)),
            _ => null,
        };
        // A conversation of nothing else is the upstream's to refuse.
        return edited is { Length: > 0 } ? edited : null;
    }

    private static bool IsWrappedThinking(ReadOnlySpan<byte> block)
    {
        bool isThinking = false, isWrapped = false;
        var scan = new JsonScan(block);
        while (scan.Next())
        {
            if (scan.Is("type"u8)) isThinking = scan.Inner.SequenceEqual("thinking"u8) || scan.Inner.SequenceEqual("redacted_thinking"u8);
            else if (scan.Is("signature"u8) || scan.Is("data"u8)) isWrapped |= SealEnvelope.IsEnvelope(scan.Value);
        }
        return isThinking && isWrapped;
    }

    private static byte[]? Part(ReadOnlySpan<byte> part)
    {
        bool isWrapped = false, isCall = false, isEmpty = true;
        var scan = new JsonScan(part);
        while (scan.Next())
        {
            if (scan.Is("thoughtSignature"u8) || scan.Is("thought_signature"u8)) isWrapped = SealEnvelope.IsEnvelope(scan.Value);
            else if (scan.Is("functionCall"u8) || scan.Is("function_call"u8)) isCall = true;
            else if (!scan.Is("thought"u8) && !(scan.Is("text"u8) && scan.Inner.IsEmpty)) isEmpty = false;
        }
        if (!isWrapped) return null;
        if (!isCall && isEmpty) return Gone;
        return Members(part, static (name, _) => !name.SequenceEqual("thoughtSignature"u8) && !name.SequenceEqual("thought_signature"u8),
            isCall ? [.. "\"thoughtSignature\":"u8, .. Unsigned] : []);
    }

    private static byte[]? Item(ReadOnlySpan<byte> item)
    {
        bool isReasoning = false, isReference = false, isOurs = false, isWrapped = false, isProven = false;
        var scan = new JsonScan(item);
        while (scan.Next())
        {
            if (scan.Is("type"u8)) (isReasoning, isReference) = (scan.Inner.SequenceEqual("reasoning"u8), scan.Inner.SequenceEqual("item_reference"u8));
            else if (scan.Is("id"u8)) isOurs = IsOurs(scan.Inner);
            else if (scan.Is("encrypted_content"u8)) (isWrapped, isProven) = (SealEnvelope.IsEnvelope(scan.Value), scan.IsString);
        }
        if (isReasoning && (isWrapped || (isOurs && !isProven))) return Gone;
        // A reference without its item is for the upstream to refuse, but to thoughts, which are never missed.
        if (isReference && isOurs) return item.IndexOf("\"rs_"u8) >= 0 ? Gone : null;
        return isOurs ? Members(item, static (name, value) => !name.SequenceEqual("id"u8) || !IsOurs(value.Trim((byte)'"')), []) : null;
    }

    private static bool IsOurs(ReadOnlySpan<byte> id)
    {
        int line = id.IndexOf((byte)'_');
        if (line < 0 || !(id[..line].SequenceEqual("rs"u8) || id[..line].SequenceEqual("msg"u8) || id[..line].SequenceEqual("fc"u8) || id[..line].SequenceEqual("ctc"u8)))
            return false;
        ReadOnlySpan<byte> rest = id[(line + 1)..];
        if (rest.Length is <= SeedLength or > SeedLength + MostDigits) return false;
        foreach (byte character in rest[..SeedLength])
        {
            if (!char.IsAsciiLetterOrDigit((char)character)) return false;
        }
        return !rest[SeedLength..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    /// <summary>The object with its member <paramref name="name"/> edited. Gone with it where nothing is left of the member.</summary>
    private static byte[]? Member(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, Edit edit)
    {
        ArrayBufferWriter<byte>? output = null;
        int copied = 0;
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (!scan.Is(name) || edit(scan.Value) is not { } value) continue;
            if (value.Length == 0) return Gone;
            output ??= new ArrayBufferWriter<byte>(json.Length);
            output.Write(json[copied..scan.Start]);
            output.Write(value);
            copied = scan.Start + scan.Value.Length;
        }
        output?.Write(json[copied..]);
        return output?.WrittenSpan.ToArray();
    }

    /// <summary>The array with its elements edited. Gone where none is left. Null for what is no array.</summary>
    private static byte[]? Elements(ReadOnlySpan<byte> json, Edit edit)
    {
        var elements = new List<(Range Old, byte[]? New)>();
        bool isEdited = false;
        var scan = new JsonScan(json);
        if (scan.Root != JsonTokenType.StartArray) return null;
        while (scan.Next())
        {
            byte[]? edited = edit(scan.Value);
            isEdited |= edited is not null;
            if (edited is not { Length: 0 }) elements.Add((scan.Start..(scan.Start + scan.Value.Length), edited));
        }
        if (!isEdited) return null;
        if (elements.Count == 0) return Gone;
        var output = new ArrayBufferWriter<byte>(json.Length);
        foreach ((Range old, byte[]? edited) in elements)
        {
            output.Write(output.WrittenCount == 0 ? "["u8 : ","u8);
            output.Write(edited ?? json[old]);
        }
        output.Write("]"u8);
        return output.WrittenSpan.ToArray();
    }

    private delegate bool Keeps(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    /// <summary>The object with those of its members that <paramref name="keeps"/> wants, and <paramref name="added"/>.</summary>
    private static byte[] Members(ReadOnlySpan<byte> json, Keeps keeps, ReadOnlySpan<byte> added)
    {
        var output = new ArrayBufferWriter<byte>(json.Length);
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (!keeps(scan.Name, scan.Value)) continue;
            output.Write(output.WrittenCount == 0 ? "{"u8 : ","u8);
            output.Write(RawJson.Encode(System.Text.Encoding.UTF8.GetString(scan.Name)));
            output.Write(":"u8);
            output.Write(scan.Value);
        }
        if (!added.IsEmpty)
        {
            output.Write(output.WrittenCount == 0 ? "{"u8 : ","u8);
            output.Write(added);
        }
        output.Write(output.WrittenCount == 0 ? "{}"u8 : "}"u8);
        return output.WrittenSpan.ToArray();
    }
}
