using System.Buffers;
using System.Globalization;
using System.Text;

namespace Aiproxy.Protocols;

/// <summary>Measures a text that passes by, in characters (code points) and in bytes of UTF-8, and knows each place in both.</summary>
/// <remarks>The protocols count citations differently. Keeps runs of characters of one width, not the text: plain ASCII of any length is one run.</remarks>
public sealed class TextMeasure
{
    /// <summary>Not one byte for one character.</summary>
    private static readonly SearchValues<byte> s_special = SearchValues.Create([(byte)'\\', .. Enumerable.Range(0x80, 0x80).Select(static one => (byte)one)]);

    private readonly List<Run> _runs = [];

    /// <summary>Where a run begins, and how many bytes each of its characters has.</summary>
    private readonly record struct Run(int Character, int Byte, byte Width);

    public int Characters { get; private set; }

    public int Bytes { get; private set; }

    /// <summary>The characters of a piece of text alone, where no place is asked for later.</summary>
    /// <param name="token">A JSON string token.</param>
    public static int Count(ReadOnlySpan<byte> token)
    {
        int count = 0;
        ReadOnlySpan<byte> inner = token.Length > 2 ? token[1..^1] : default;
        while (!inner.IsEmpty)
        {
            int escape = inner.IndexOf((byte)'\\');
            foreach (byte one in escape < 0 ? inner : inner[..escape])
            {
                // All bytes of a character but the first begin with the bits 10.
                if ((one & 0xC0) != 0x80) count++;
            }
            if (escape < 0) break;
            inner = inner[escape..];
            inner = inner[Escape(inner).Used..];
            count++;
        }
        return count;
    }

    /// <param name="token">A JSON string token.</param>
    public void Add(ReadOnlySpan<byte> token)
    {
        ReadOnlySpan<byte> inner = token.Length > 2 ? token[1..^1] : default;
        while (!inner.IsEmpty)
        {
            int count = inner.IndexOfAny(s_special);
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
        if (character <= 0) return 0;
        Run run = _runs.FindLast(one => one.Character <= character);
        return run.Byte + (character - run.Character) * run.Width;
    }

    /// <summary>The character that a byte is in; behind the end: the end.</summary>
    public long CharacterAt(long offset)
    {
        if (offset >= Bytes) return Characters;
        if (offset <= 0) return 0;
        Run run = _runs.FindLast(one => one.Byte <= offset);
        return run.Character + (offset - run.Byte) / run.Width;
    }

    private void Note(int width, int count)
    {
        if (_runs.Count == 0 || _runs[^1].Width != width) _runs.Add(new Run(Characters, Bytes, (byte)width));
        Characters += count;
        Bytes += width * count;
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
