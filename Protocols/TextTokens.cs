using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Aiproxy.Protocols;

/// <summary>Guesses how many tokens a text has, without any vendor's table.</summary>
/// <remarks>In quarters of a token. A run of ASCII letters: one token for the first five letters, one for each five more; a capital in its middle begins a
/// new run. A digit: one (some vendors make it so, others three digits a token). A run of punctuation: one, and a half for each character after the first.
/// White space: a single space in front of a letter or of punctuation is part of that token, any other run is one token (and one more for each 16 characters).
/// Latin letters with marks: three quarters; Chinese, Japanese and Korean: one each; letters of other scripts: three quarters; everything else (emoji): three.
/// The sum is raised by a quarter: tokenizers of one text differ by that much, and too small a number makes a client compact too late.</remarks>
public ref struct TextTokens
{
    private const int Quarters = 4, LettersPerToken = 5, PieceBytes = 1024;

    private enum Run { None, Letters, Punctuation, Space, Break, Other }

    private long _sum;
    private Run _run;
    private int _length;

    /// <summary>Of a run of letters: what is free until the next token begins, and whether the last one was small.</summary>
    private int _left;
    private bool _wasLower;

    public static long Count(ReadOnlySpan<char> text)
    {
        var tokens = new TextTokens();
        tokens.Add(text);
        return tokens.Total();
    }

    /// <summary>Of UTF-8, a piece at a time: a prompt of megabytes is not held a second time as text.</summary>
    /// <param name="isToken">It is the inside of a JSON string token, with its escapes.</param>
    public static long Count(ReadOnlySpan<byte> text, bool isToken = false)
    {
        var tokens = new TextTokens();
        Span<char> piece = stackalloc char[PieceBytes];
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> plain = text[..Math.Min(text.Length, PieceBytes)];
            int escape = isToken ? plain.IndexOf((byte)'\\') : -1;
            if (escape == 0)
            {
                text = text[tokens.Escape(text)..];
                continue;
            }
            bool isCut = escape < 0 && plain.Length < text.Length;
            if (escape > 0) plain = plain[..escape];
            // The first bytes of a character at the end of a piece are left for the next.
            Utf8.ToUtf16(plain, piece, out int read, out int written, isFinalBlock: !isCut);
            tokens.Add(piece[..written]);
            text = text[read..];
        }
        return tokens.Total();
    }

    private long Total()
    {
        CloseSpace(isFree: false);
        return (_sum * 5 / 4 + Quarters - 1) / Quarters;
    }

    private void Add(scoped ReadOnlySpan<char> text)
    {
        for (int at = 0; at < text.Length;)
        {
            char unit = text[at];
            if (IsLetter(unit)) at += Letters(text[at..]);
            else if (unit < 128)
            {
                Ascii(unit);
                at++;
            }
            else
            {
                // A lone surrogate counts as U+FFFD.
                Rune.DecodeFromUtf16(text[at..], out Rune rune, out int used);
                Take(rune);
                at += used;
            }
        }
    }

    /// <summary>The escape that the text begins with, as <see cref="RawJson.Decode"/> reads it. Returns its length.</summary>
    private int Escape(scoped ReadOnlySpan<byte> text)
    {
        if (Unit(text) is { } unit)
        {
            if (char.IsHighSurrogate(unit) && Unit(text[6..]) is { } low && char.IsLowSurrogate(low))
            {
                Take(new Rune(unit, low));
                return 12;
            }
            Add([unit]);
            return 6;
        }
        if (text.Length > 1) Add([text[1] switch { (byte)'n' => '\n', (byte)'r' => '\r', (byte)'t' => '\t', (byte)'b' => '\b', (byte)'f' => '\f', var itself => (char)itself }]);
        return Math.Min(2, text.Length);
    }

    private static char? Unit(ReadOnlySpan<byte> text) =>
        text.StartsWith("\\u"u8) && text.Length >= 6 && ushort.TryParse(text.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : null;

    private static bool IsLetter(char unit) => (uint)((unit | 0x20) - 'a') < 26;

    /// <summary>A run of letters; nearly all of a prompt goes through here. Returns how many.</summary>
    private int Letters(scoped ReadOnlySpan<char> text)
    {
        CloseSpace(isFree: true);
        // A run may come in two pieces.
        int at = 0, left = _run == Run.Letters ? _left : 0;
        bool wasLower = _run == Run.Letters && _wasLower;
        for (; at < text.Length && IsLetter(text[at]); at++)
        {
            bool isLower = (text[at] & 0x20) != 0;
            // A capital in the middle begins a new word.
            if (wasLower && !isLower) left = 0;
            wasLower = isLower;
            if (left-- > 0) continue;
            _sum += Quarters;
            left = LettersPerToken - 1;
        }
        (_run, _left, _wasLower) = (Run.Letters, left, wasLower);
        return at;
    }

    private void Ascii(char unit)
    {
        if (unit is ' ')
        {
            if (_run != Run.Space) CloseSpace(isFree: false);
            Extend(Run.Space);
        }
        else if (unit is >= '\t' and <= '\r')
        {
            Break();
        }
        else if (unit is >= '0' and <= '9')
        {
            // A space in front of a digit or of another script is a token of its own.
            CloseSpace(isFree: false);
            _sum += Quarters;
            _run = Run.Other;
        }
        else
        {
            CloseSpace(isFree: true);
            _sum += _run == Run.Punctuation ? Quarters / 2 : Quarters;
            _run = Run.Punctuation;
        }
    }

    private void Take(Rune rune)
    {
        if (Rune.IsWhiteSpace(rune))
        {
            Break();
            return;
        }
        CloseSpace(isFree: false);
        _sum += Weight(rune, rune.Value);
        _run = Run.Other;
    }

    private void Break()
    {
        if (_run is not (Run.Break or Run.Space)) _length = 0;
        Extend(Run.Break);
    }

    private void Extend(Run run)
    {
        if (_run != run && !(_run == Run.Space && run == Run.Break)) _length = 0;
        _length++;
        _run = run;
    }

    private void CloseSpace(bool isFree)
    {
        if (_run is Run.Space or Run.Break && !(isFree && _run == Run.Space && _length == 1)) _sum += Quarters * (1 + _length / 16);
        if (_run is Run.Space or Run.Break) (_run, _length) = (Run.None, 0);
    }

    private static int Weight(Rune rune, int value) => value switch
    {
        < 0x250 => 3,
        >= 0x2E80 and < 0xE000 or >= 0xF900 and < 0xFB00 or >= 0xFF00 and < 0xFFEF or >= 0x20000 and < 0x40000 => Quarters,
        _ when Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark
            or System.Globalization.UnicodeCategory.SpacingCombiningMark => 3,
        _ => 3 * Quarters,
    };
}
