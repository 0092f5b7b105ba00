using System.Runtime.InteropServices;
using System.Text;
using Aiproxy.Protocols;

namespace Aiproxy.Tests.Protocols;

public sealed class TopLevelEditTests
{
    private static readonly ReadOnlyMemory<byte> Replacement = "\"upstream-name\""u8.ToArray();

    [Theory]
    [InlineData("{\"model\":\"a\",\"x\":1}", "{\"model\":\"upstream-name\",\"x\":1}")]
    [InlineData("{\"model\":\"\",\"model\":\"b\"}", "{\"model\":\"upstream-name\",\"model\":\"upstream-name\"}")]
    public void Tokens_AreReplaced_AllElseStays(string body, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        TopLevelEdit edit = TopLevelEdit.Replace(bytes, [.. BodyScan.Scan(bytes).Models.Select(token => token.Token)], Replacement);
        Assert.Equal(expected, Text(edit));
        Assert.Equal(expected.Length, edit.Length);
    }

    [Fact]
    public void NoTokens_GivesTheBodyItself()
    {
        byte[] body = "{}"u8.ToArray();
        TopLevelEdit edit = TopLevelEdit.Replace(body, [], Replacement);
        Assert.True(MemoryMarshal.TryGetArray(Assert.Single(edit.Segments), out ArraySegment<byte> segment));
        Assert.Same(body, segment.Array);
        Assert.Equal(2, edit.Length);
    }

    [Fact]
    public void NothingIsCopied()
    {
        byte[] body = "12345"u8.ToArray();
        TopLevelEdit edit = TopLevelEdit.Replace(body, [1..2, 3..4], Replacement);
        Assert.Equal(5, edit.Segments.Count);
        body.AsSpan().Fill((byte)'x');
        Assert.Equal("x\"upstream-name\"x\"upstream-name\"x", Text(edit));
    }

    [Fact]
    public void TokensAtBothEnds_NoEmptySegments()
    {
        TopLevelEdit edit = TopLevelEdit.Replace("123"u8.ToArray(), [0..1, 1..3], "z"u8.ToArray());
        Assert.Equal("zz", Text(edit));
        Assert.Equal(2, edit.Segments.Count);
        Assert.Equal("3", Text(TopLevelEdit.Replace("123"u8.ToArray(), [0..2], default)));
    }

    [Fact]
    public void OverlappingOrDescendingTokens_AreABug()
    {
        Assert.Throws<ArgumentException>(() => TopLevelEdit.Replace("12345"u8.ToArray(), [3..4, 1..2], Replacement));
        Assert.Throws<ArgumentException>(() => TopLevelEdit.Replace("12345"u8.ToArray(), [1..3, 2..4], Replacement));
        Assert.Throws<ArgumentOutOfRangeException>(() => TopLevelEdit.Replace("12345"u8.ToArray(), [3..9], Replacement));
    }

    private static string Text(TopLevelEdit edit) => string.Concat(edit.Segments.Select(segment => Encoding.UTF8.GetString(segment.Span)));
}
