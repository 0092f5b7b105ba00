using System.Text;
using Aiproxy.Protocols;

namespace Aiproxy.Tests.Protocols;

public sealed class BrokenTextTests
{
    [Theory]
    [InlineData("""{"a":"plain"}""", """{"a":"plain"}""")]
    [InlineData("""{"a":"\ud83d\ude00"}""", """{"a":"\ud83d\ude00"}""")]
    [InlineData("""{"a":"\uD83D\uDE00\n"}""", """{"a":"\uD83D\uDE00\n"}""")]
    [InlineData("""{"a":"\ud83d"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"a":"\uDE00"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"a":"\ud83d\ud83d\ude00"}""", """{"a":"\ufffd\ud83d\ude00"}""")]
    [InlineData("""{"a":"\ude00\ud83d"}""", """{"a":"\ufffd\ufffd"}""")]
    [InlineData("""{"a":"\ud83d\n\ude00"}""", """{"a":"\ufffd\n\ufffd"}""")]
    [InlineData("""{"a":"\\ud83d"}""", """{"a":"\\ud83d"}""")]
    [InlineData("""{"a":"\\\ud83d"}""", """{"a":"\\\ufffd"}""")]
    [InlineData("""{"a":"\\\\ud83d\"\ud83d\\ude00"}""", """{"a":"\\\\ud83d\"\ufffd\\ude00"}""")]
    [InlineData("""{"\udc00":1}""", """{"\ufffd":1}""")]
    public void HalfAPair_IsReplaced_WholeOnesStay(string json, string mended) =>
        Assert.Equal(mended, Encoding.UTF8.GetString(BrokenText.Mend(Encoding.UTF8.GetBytes(json)).Span));

    [Fact]
    public void BytesThatAreNoUtf8_AreReplaced_NothingElseIs()
    {
        Assert.Equal("{\"a\":\"\uFFFD\u00fc\",\"b\uFFFD\":1}", Encoding.UTF8.GetString(BrokenText.Mend((byte[])[.. "{\"a\":\""u8, 0xC3, .. "\u00fc\",\"b"u8, 0xFF, .. "\":1}"u8]).Span));
        byte[] whole = Encoding.UTF8.GetBytes("{\"a\":\"\u00fc\U0001F600\"}");
        Assert.True(BrokenText.Mend(whole).Span == whole);
    }
}
