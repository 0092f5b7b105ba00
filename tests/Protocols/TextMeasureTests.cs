using System.Text;
using Aiproxy.Protocols;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Protocols;

public sealed class TextMeasureTests
{
    private static readonly Rune[] s_letters = [.. "a b\"\\\n\u0001\0\u2028éяж中文\uFFFD😀🦀".EnumerateRunes()];

    private static Gen<string> Piece() =>
        Gen.Choose(0, 90).SelectMany(times => Gen.Choose(0, s_letters.Length - 1).Select(at => string.Concat(Enumerable.Repeat(s_letters[at].ToString(), times))));

    /// <summary>A token whose characters are as they are, or all escaped.</summary>
    private static string Token(string text, bool escapes) =>
        escapes ? "\"" + string.Concat(text.Select(unit => $"\\u{(int)unit:x4}")) + "\"" : Encoding.UTF8.GetString(RawJson.Encode(text));

    [Fact]
    public void EveryPlace_IsWhereTheTextHasIt() => Check.QuickThrowOnFailure(Prop.ForAll(Piece().ListOf().ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (pieces, escapes) =>
    {
        var measure = new TextMeasure();
        foreach (string piece in pieces) measure.Add(Encoding.UTF8.GetBytes(Token(piece, escapes)));
        long character = 0, offset = 0;
        foreach (Rune rune in string.Concat(pieces).EnumerateRunes())
        {
            Assert.Equal(offset, measure.ByteAt(character));
            for (int i = 0; i < rune.Utf8SequenceLength; i++) Assert.Equal(character, measure.CharacterAt(offset + i));
            character++;
            offset += rune.Utf8SequenceLength;
        }
        Assert.Equal((character, offset), (measure.Characters, measure.Bytes));
        Assert.Equal(character, pieces.Sum(piece => (long)TextMeasure.Count(Encoding.UTF8.GetBytes(Token(piece, escapes)))));
        Assert.Equal((offset, character), (measure.ByteAt(character + 5), measure.CharacterAt(offset + 5)));
    }));

    [Theory]
    [InlineData("\"\\u0041\\u00e9\\u2028\\ud83d\\ude00\\n\\\"\"", 6, 12)]
    [InlineData("\"\\ud83d\"", 1, 3)]
    [InlineData("\"\\ud83dx\\ude00\"", 3, 7)]
    [InlineData("\"\\uZZZZ\"", 1, 3)]
    [InlineData("\"\\\"", 1, 1)]
    [InlineData("\"\"", 0, 0)]
    public void Escapes_CountAsWhatTheyMean(string token, int characters, int bytes)
    {
        var measure = new TextMeasure();
        measure.Add(Encoding.UTF8.GetBytes(token));
        Assert.Equal((characters, bytes), (measure.Characters, measure.Bytes));
        Assert.Equal(characters, TextMeasure.Count(Encoding.UTF8.GetBytes(token)));
    }

    [Fact]
    public void BrokenBytes_AreCounted_NotThrown()
    {
        var measure = new TextMeasure();
        measure.Add([(byte)'"', 0xC3, (byte)'a', 0xFF, 0xE6, 0x97, (byte)'"']);
        Assert.Equal(4, measure.Characters);
    }

    [Fact]
    public void PlacesInFrontOfTheText_AreItsBeginning()
    {
        var measure = new TextMeasure();
        measure.Add("\"é\""u8);
        Assert.Equal((0, 0), (measure.ByteAt(-3), measure.CharacterAt(-3)));
    }
}
