using System.Buffers;
using System.Globalization;
using System.Text;

namespace Aiproxy.Protocols;

/// <summary>Measures a text that passes by, in characters (code points) and in bytes of UTF-8, and knows each place in both.</summary>
/// <remarks>The protocols count citations differently. Keeps how wide its characters are, not the text: nothing of ASCII, and about a byte a word of other text.</remarks>
public sealed class TextMeasure
{
    private const int MostInRun = 64;

    private static readonly SearchValues<byte> s_wide = SearchValues.Create([(byte)'\\', .. Enumerable.Range(0x80, 0x80).Select(static value => (byte)value)]);

    /// <summary>Characters of one width that follow each other: the width less one in the two upper bits, their number less one in the rest.</summary>
    private readonly List<byte> _runs = [];

    /// <summary>Characters of one byte that the text begins with, which have no run.</summary>
    private long _plain;

    public long Characters { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>The characters of a piece of text alone, where no place is asked for later.</summary>
    /// <param name="token">A JSON string token.</param>
    public static int Count(ReadOnlySpan<byte> token)
    {
        int count = 0;
        ReadOnlySpan<byte> inner = token.Length > 2 ? token[1..^1] : default;
        while (!inner.IsEmpty)
        {
            int plain = inner.IndexOfAny(s_wide);
            if (plain < 0) return count + inner.Length;
            count += plain;
            inner = inner[plain..];
            if (inner[0] == (byte)'\\')
            {
                inner = inner[Escape(inner).Used..];
                count++;
                continue;
            }
            // All bytes of a character but the first begin with the bits 10.
            if ((inner[0] & 0xC0) != 0x80) count++;
            inner = inner[1..];
        }
        return count;
    }

    /// <param name="token">A JSON string token.</param>
    public void Add(ReadOnlySpan<byte> token)
    {
        ReadOnlySpan<byte> inner = token.Length > 2 ? token[1..^1] : default;
        int plain = 0;
        while (!inner.IsEmpty)
        {
            int count = inner.IndexOfAny(s_wide);
            if (count < 0) count = inner.Length;
            plain += count;
            inner = inner[count..];
            if (inner.IsEmpty) break;
            (int width, int used) = inner[0] == (byte)'\\' ? Escape(inner) : Wide(inner);
            inner = inner[used..];
            if (width == 1)
            {
                plain++;
                continue;
            }
            Note(1, plain);
            Note(width, 1);
            plain = 0;
        }
        Note(1, plain);
    }

    /// <summary>The byte at which a character begins; behind the end: the end.</summary>
    public long ByteAt(long character)
    {
        if (character >= Characters) return Bytes;
        if (character <= _plain) return Math.Max(character, 0);
        long first = _plain, offset = _plain;
        foreach (byte run in _runs)
        {
            (int width, int count) = Parts(run);
            if (character < first + count) return offset + (character - first) * width;
            first += count;
            offset += count * width;
        }
        return Bytes;
    }

    /// <summary>The character that a byte is in; behind the end: the end.</summary>
    public long CharacterAt(long offset)
    {
        if (offset >= Bytes) return Characters;
        if (offset <= _plain) return Math.Max(offset, 0);
        long first = _plain, character = _plain;
        foreach (byte run in _runs)
        {
            (int width, int count) = Parts(run);
            if (offset < first + count * width) return character + (offset - first) / width;
            first += count * width;
            character += count;
        }
        return Characters;
    }

    private void Note(int width, int count)
    {
        Characters += count;
        Bytes += (long)width * count;
        if (_runs.Count == 0 && width == 1)
        {
            _plain += count;
            return;
        }
        while (count > 0)
        {
            (int last, int has) = _runs.Count > 0 ? Parts(_runs[^1]) : default;
            bool isNew = last != width || has == MostInRun;
            int more = Math.Min(count, isNew ? MostInRun : MostInRun - has);
            if (isNew) _runs.Add((byte)(((width - 1) << 6) | (more - 1)));
            else _runs[^1] += (byte)more;
            count -= more;
        }
    }

    private static (int Width, int Count) Parts(byte run) => ((run >> 6) + 1, (run & 63) + 1);

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
