using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>Carries a proof of one provider through a client of another protocol, in that protocol's own signature field.</summary>
/// <remarks>Standard base64 of <c>aip1</c>, one byte of kind, eight bytes of issuer tag, the payload. The text therefore begins with <see cref="Prefix"/>,
/// and stays legal where the wire wants base64. Kinds: a thinking (payload: JSON of text and signature), d redacted data, r encrypted content,
/// g thought signature, n no proof at all. A Chat server's details travel as r: an object is no encrypted content.</remarks>
public static class SealEnvelope
{
    /// <summary>What each envelope begins with.</summary>
    public const string Prefix = "YWlwM";

    /// <summary>Model families, the issuers of everything but encrypted content.</summary>
    public const string Anthropic = "anthropic";

    public const string Gemini = "gemini";

    /// <summary>"There is nothing to restore": for clients that refuse thinking without a signature.</summary>
    public static string Nothing { get; } = RawJson.Decode(Pack('n', "", default));

    public static bool IsEnvelope(ReadOnlySpan<char> value) => value.StartsWith(Prefix);

    /// <summary>As <see cref="IsEnvelope(ReadOnlySpan{char})"/>, for a JSON string token.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> token) => token.StartsWith("\"YWlwM"u8);

    /// <summary>Wraps a seal. A value that is an envelope already stays as it is.</summary>
    /// <param name="thinking">The text that an Anthropic signature signs; it can only be given back together with it.</param>
    public static string Wrap(Seal seal, string thinking = "") =>
        RawJson.Decode(Wrap(seal.Kind, seal.Issuer, RawJson.Encode(seal.Value), RawJson.Encode(thinking).AsSpan(1..^1)));

    /// <summary>The same from and to JSON string tokens.</summary>
    /// <param name="thinking">Inside of a JSON string.</param>
    public static byte[] Wrap(SealKind kind, string issuer, ReadOnlySpan<byte> seal, ReadOnlySpan<byte> thinking = default)
    {
        if (IsEnvelope(seal)) return seal.ToArray();
        switch (kind)
        {
            case SealKind.Thinking:
                using (var json = new PooledBytes())
                {
                    json.Write("{\"t\":\""u8);
                    json.Write(thinking);
                    json.Write("\",\"s\":"u8);
                    json.Write(seal);
                    json.Write("}"u8);
                    return Pack('a', Anthropic, json.Written);
                }
            case SealKind.Redacted: return Pack('d', Anthropic, Plain(seal));
            case SealKind.Thought: return Pack('g', Gemini, Plain(seal));
            case SealKind.Encrypted or SealKind.Details: return Pack('r', issuer, Plain(seal));
            default: return Pack('n', "", default);
        }
    }

    /// <summary>What is in an envelope; null where <paramref name="value"/> is none or a broken one. <c>Text</c> is the thinking of kind a, else
    /// null.</summary>
    /// <remarks>The issuer of encrypted content comes back as its tag: compare with <see cref="IsIssuer"/>.</remarks>
    public static (Seal Seal, string? Text)? Unwrap(string value)
    {
        if (!IsEnvelope(value)) return null;
        byte[] bytes = new byte[value.Length];
        // Python's Gemini library decodes signatures, and sends them back in the alphabet of URLs.
        string standard = value.Replace('-', '+').Replace('_', '/');
        if (!Convert.TryFromBase64String(standard.PadRight((standard.Length + 3) / 4 * 4, '='), bytes, out int length) || length < 13 || !bytes.AsSpan(0, 4).SequenceEqual("aip1"u8)) return null;
        string tag = Encoding.ASCII.GetString(bytes, 5, 8);
        string payload = Encoding.UTF8.GetString(bytes, 13, length - 13);
        return (char)bytes[4] switch
        {
            'a' => Thinking(tag, bytes.AsMemory(13, length - 13)),
            'd' => (new Seal(SealKind.Redacted, Family(tag), payload), null),
            'g' => (new Seal(SealKind.Thought, Family(tag), payload), null),
            'r' => (new Seal(payload.StartsWith('{') ? SealKind.Details : SealKind.Encrypted, tag, payload), null),
            'n' => (new Seal(SealKind.None, "", ""), null),
            _ => null,
        };
    }

    /// <summary>A seal's issuer is <paramref name="name"/> (a family or an upstream's configured name), told by name or by tag.</summary>
    public static bool IsIssuer(string issuer, string name) => issuer == name || issuer == Tag(name);

    /// <summary>Eight hexadecimal digits of the SHA-256 of an issuer's name.</summary>
    public static string Tag(string issuer) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)).AsSpan(0, 4));

    private static byte[] Pack(char kind, string issuer, ReadOnlySpan<byte> payload)
    {
        using var bytes = new PooledBytes();
        bytes.Write(Encoding.ASCII.GetBytes($"aip1{kind}{Tag(issuer)}"));
        bytes.Write(payload);
        byte[] token = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Written.Length) + 2];
        token[0] = token[^1] = (byte)'"';
        Base64.EncodeToUtf8(bytes.Written, token.AsSpan(1), out _, out _);
        return token;
    }

    private static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> token) =>
        token.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(RawJson.Decode(token)) : token[1..^1];

    private static string Family(string tag) => tag == Tag(Anthropic) ? Anthropic : tag == Tag(Gemini) ? Gemini : tag;

    private static (Seal Seal, string? Text)? Thinking(string tag, ReadOnlyMemory<byte> payload)
    {
        try
        {
            string text = "", signature = "";
            var scan = new JsonScan(payload.Span);
            while (scan.Next())
            {
                if (scan.IsString && scan.Is("t"u8)) text = RawJson.Decode(scan.Value);
                if (scan.IsString && scan.Is("s"u8)) signature = RawJson.Decode(scan.Value);
            }
            return signature.Length == 0 ? null : (new Seal(SealKind.Thinking, Family(tag), signature), text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
