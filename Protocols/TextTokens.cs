using System.Text;

namespace Aiproxy.Protocols;

/// <summary>Guesses how many tokens a text has, without any vendor's table.</summary>
/// <remarks>In quarters of a token. A run of ASCII letters: one token for the first five letters, one for each five more; a capital in its middle begins a
/// new run. A digit: one (some vendors make it so, others three digits a token). A run of punctuation: one, and a half for each character after the first.
/// White space: a single space in front of a letter or of punctuation is part of that token, any other run is one token (and one more for each 16 characters).
/// Latin letters with marks: three quarters; Chinese, Japanese and Korean: one each; letters of other scripts: three quarters; everything else (emoji): three.
/// The sum is raised by a quarter: tokenizers of one text differ by that much, and too small a number makes a client compact too late.</remarks>
public ref struct TextTokens
{
    private const int Quarters = 4;

    private enum Run { None, Letters, Punctuation, Space, Break, Other }

    private long _sum;
    private Run _run;
    private int _length;

    public static long Count(ReadOnlySpan<char> text)
    {
        var tokens = new TextTokens();
        bool wasLower = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int value = rune.Value;
            if (char.IsAsciiLetter((char)value) && value < 128)
            {
                bool isUpper = value is >= 'A' and <= 'Z';
                tokens.Letter(isUpper && wasLower);
                wasLower = !isUpper;
                continue;
            }
            wasLower = false;
            tokens.Take(rune, value);
        }
        tokens.CloseSpace(isFree: false);
        return (tokens._sum * 5 / 4 + Quarters - 1) / Quarters;
    }

    private void Letter(bool isNewWord)
    {
        CloseSpace(isFree: true);
        if (_run != Run.Letters || isNewWord) _length = 0;
        if (_length++ % 5 == 0) _sum += Quarters;
        _run = Run.Letters;
    }

    private void Take(Rune rune, int value)
    {
        if (value is ' ')
        {
            if (_run != Run.Space) CloseSpace(isFree: false);
            Extend(Run.Space);
        }
        else if (Rune.IsWhiteSpace(rune))
        {
            if (_run is not (Run.Break or Run.Space)) _length = 0;
            Extend(Run.Break);
        }
        else if (value < 128 && !Rune.IsDigit(rune))
        {
            CloseSpace(isFree: true);
            _sum += _run == Run.Punctuation ? Quarters / 2 : Quarters;
            _run = Run.Punctuation;
        }
        else
        {
            // A space in front of a digit or of another script is a token of its own.
            CloseSpace(isFree: false);
            _sum += Weight(rune, value);
            _run = Run.Other;
        }
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
        < 128 => Quarters,
        < 0x250 => 3,
        >= 0x2E80 and < 0xE000 or >= 0xF900 and < 0xFB00 or >= 0xFF00 and < 0xFFEF or >= 0x20000 and < 0x40000 => Quarters,
        _ when Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark
            or System.Globalization.UnicodeCategory.SpacingCombiningMark => 3,
        _ => 3 * Quarters,
    };
}
