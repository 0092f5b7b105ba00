using System.Globalization;
using System.Text;
using System.Text.Unicode;
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

    /// <summary>The same JSON with U+FFFD for what is no Unicode: bytes that are no UTF-8, and escaped halves of surrogate pairs, which vendors' parsers refuse.
    /// A tool that cuts a text in the middle of an emoji sends the latter.</summary>
    /// <param name="json">May be written to.</param>
    public static ReadOnlyMemory<byte> Mend(Memory<byte> json)
    {
        if (json.Span.IndexOf("\\ud"u8) >= 0 || json.Span.IndexOf("\\uD"u8) >= 0) MendHalves(json.Span);
        return Utf8.IsValid(json.Span) ? json : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json.Span));
    }

    private static void MendHalves(Span<byte> json)
    {
        const int Escape = 6;
        int at = 0;
        for (int next; (next = json[at..].IndexOf((byte)'\\')) >= 0;)
        {
            at += next;
            int unit = Unit(json[at..]);
            bool isPair = unit is >= 0xD800 and < 0xDC00 && Unit(json[(at + Escape)..]) is >= 0xDC00 and < 0xE000;
            if (!isPair && unit is >= 0xD800 and < 0xE000) "fffd"u8.CopyTo(json[(at + 2)..]);
            at = Math.Min(at + (isPair ? 2 * Escape : unit < 0 ? 2 : Escape), json.Length);
        }
    }

    /// <summary>The code unit that an escape at the beginning stands for; -1: there is none.</summary>
    private static int Unit(ReadOnlySpan<byte> json) =>
        json.Length >= 6 && json[0] == (byte)'\\' && json[1] == (byte)'u' && int.TryParse(json.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int unit) ? unit : -1;
}
