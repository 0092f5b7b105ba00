using System.Globalization;
using System.Text;

namespace Aiproxy.Protocols;

/// <summary>Measures a text that passes by, in characters (code points) and in bytes of UTF-8, and knows each place in both.</summary>
/// <remarks>The protocols count citations differently. Keeps runs of characters of one width, not the text: plain ASCII of any length is one run.</remarks>
public sealed class TextMeasure
{
    private readonly List<Run> _runs = [];

    /// <summary>Where a run begins, and how many bytes each of its characters has.</summary>
    private readonly record struct Run(long Character, long Byte, int Width);

    public long Characters { get; private set; }

    public long Bytes { get; private set; }

    /// <param name="token">A JSON string token.</param>
    public void Add(ReadOnlySpan<byte> token)
    {
        ReadOnlySpan<byte> inner = token.Length > 2 ? token[1..^1] : default;
        while (!inner.IsEmpty)
        {
            int plain = inner.IndexOfAnyInRange((byte)0x80, (byte)0xFF), escape = inner.IndexOf((byte)'\\');
            int count = plain < 0 ? escape : escape < 0 ? plain : Math.Min(plain, escape);
            if (count < 0) count = inner.Length;
            if (count > 0)
            {
                Note(1, count);
                inner = inner[count..];
                continue;
            }
            (int width, int used) = inner[0] == (byte)'\\' ? Escape(inner) : Wide(inner);
            Note(width, 1);
            inner = inner[used..];
        }
    }

    /// <summary>The byte at which a character begins; behind the end: the end.</summary>
    public long ByteAt(long character)
    {
        if (character >= Characters) return Bytes;
        Run run = _runs.FindLast(one => one.Character <= character);
        return run.Byte + (character - run.Character) * run.Width;
    }

    /// <summary>The character that a byte is in; behind the end: the end.</summary>
    public long CharacterAt(long offset)
    {
        if (offset >= Bytes) return Characters;
        Run run = _runs.FindLast(one => one.Byte <= offset);
        return run.Character + (offset - run.Byte) / run.Width;
    }

    private void Note(int width, int count)
    {
        if (_runs.Count == 0 || _runs[^1].Width != width) _runs.Add(new Run(Characters, Bytes, width));
        Characters += count;
        Bytes += (long)width * count;
    }

    private static (int Width, int Used) Wide(ReadOnlySpan<byte> inner)
    {
        Rune.DecodeFromUtf8(inner, out Rune rune, out int used);
        return (rune.Utf8SequenceLength, used);
    }

    private static (int Width, int Used) Escape(ReadOnlySpan<byte> inner)
    {
        if (inner.Length < 6 || inner[1] != (byte)'u') return (1, Math.Min(2, inner.Length));
        int unit = Unit(inner);
        bool isPair = unit is >= 0xD800 and < 0xDC00 && inner.Length >= 12 && inner[6] == (byte)'\\' && inner[7] == (byte)'u' && Unit(inner[6..]) is >= 0xDC00 and < 0xE000;
        return isPair ? (4, 12) : (unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3, 6);
    }

    // What is no hexadecimal number is read as U+FFFD elsewhere.
    private static int Unit(ReadOnlySpan<byte> escape) =>
        int.TryParse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int unit) ? unit : 0xFFFD;
}
