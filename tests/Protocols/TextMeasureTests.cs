using System.Text;
using Aiproxy.Protocols;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Protocols;

public sealed class TextMeasureTests
{
    private static readonly string[] s_words = ["a", "bc ", "é", "日本", "😀", "\"", "\\", "\n", "\u2028", "\0"];

    [Fact]
    public void AnyText_EachPlace_IsTheSameInBoth() => Prop.ForAll(Gen.Elements(s_words).ArrayOf().ArrayOf().ToArbitrary(), pieces =>
    {
        var measure = new TextMeasure();
        string text = string.Concat(pieces.SelectMany(piece => piece));
        foreach (string[] piece in pieces) measure.Add(RawJson.Encode(string.Concat(piece)));
        Assert.Equal((text.EnumerateRunes().Count(), Encoding.UTF8.GetByteCount(text)), (measure.Characters, measure.Bytes));
        Assert.Equal(measure.Characters, pieces.Sum(piece => TextMeasure.Count(RawJson.Encode(string.Concat(piece)))));
        long at = 0, character = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            Assert.Equal(at, measure.ByteAt(character));
            for (int inside = 0; inside < rune.Utf8SequenceLength; inside++) Assert.Equal(character, measure.CharacterAt(at + inside));
            at += rune.Utf8SequenceLength;
            character++;
        }
        Assert.Equal((at, character, 0, 0), (measure.ByteAt(character + 5), measure.CharacterAt(at + 5), measure.ByteAt(-1), measure.CharacterAt(-1)));
    }).QuickCheckThrowOnFailure();

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
}
