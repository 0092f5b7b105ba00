using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Model;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("\"data:image/png;base64,QUJD\"", "image/png;base64", "QUJD")]
    [InlineData("\"DATA:image\\/png;base64,QU\\/D\"", "image/png;base64", "QU/D")]
    [InlineData("\"\\u0064ata:text/plain,a,b\"", "text/plain", "a,b")]
    [InlineData("\"data:,\"", "", "")]
    [InlineData("\"data:image/png;base64\"", null, null)]
    [InlineData("\"https://example.com/a,b\"", null, null)]
    [InlineData("\"data\"", null, null)]
    [InlineData("\"\"", null, null)]
    public void DataUrl_IsSplitAtItsFirstComma(string token, string? head, string? data)
    {
        foreach (JsonText url in (JsonText[])[Element(token), new JsonText(Element(token).ToString()), JsonText.Of(Encoding.UTF8.GetBytes(token))])
        {
            (string Head, JsonText Data)? split = DataUrl.Split(url);
            Assert.Equal(head, split?.Head);
            Assert.Equal(data, split?.Data.ToString());
        }
    }

    [Theory]
    [InlineData("QUJD", "QUJD")]
    [InlineData("QUI=", "QUI=")]
    [InlineData("QUI", "QUI=")]
    [InlineData("QQ", "QQ==")]
    [InlineData("Q-_D", "Q+/D")]
    [InlineData("QU JD\\nRE\\r\\nVG", "QUJDREVG")]
    [InlineData("QU\\/D\\u0041A==", "QU/DAA==")]
    [InlineData("QU\\/D", "QU/D")]
    [InlineData("QU\\u002fD", "QU/D")]
    [InlineData("", "")]
    [InlineData("QU=\\n", "QU==")]
    public void Base64_BecomesStandard(string inner, string expected)
    {
        JsonText data = Element($"\"{inner}\""), url = Element($"\"data:image/png;base64,{inner}\"");
        Assert.Equal(expected, Base64Text.Normal(data).ToString());
        Assert.Equal(expected, Base64Text.Normal(data.ToString()).ToString());
        Assert.Equal(expected, Base64Text.Normal(DataUrl.Split(url)!.Value.Data).ToString());
    }

    [Fact]
    public void StandardBase64_IsNotCopied()
    {
        JsonText data = Element("\"QUJD\"");
        Assert.True(Base64Text.Normal(data).RawToken == data.RawToken);
    }

    [Theory]
    [InlineData("image/gif", "R0lGODlhAQABAIAAAAAAAP///w==", "image/gif")]
    [InlineData("image/png", "R0lGODlhAQABAIAAAAAAAP\\/\\/\\/w==", "image/gif")]
    [InlineData("image/jpg; q=1", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "image/jpeg")]
    [InlineData("application/pdf", "QUJD", "application/pdf")]
    public void MediaType_IsWhatTheFirstBytesShow(string declared, string inner, string expected)
    {
        string padded = inner.Length > 20 ? inner.Replace("==", new string('A', 200), StringComparison.Ordinal) : inner;
        Assert.Equal(expected, Base64Text.MediaType(declared, Element($"\"{inner}\"")));
        Assert.Equal(expected, Base64Text.MediaType(declared, Element($"\"{padded}\"")));
    }

    [Fact]
    public void Text_IsWrittenTheSameHoweverItIsKept()
    {
        const string Token = "\"a\\\"b\\n\\u00fc caf\u00e9\"";
        JsonText behind = Element("\"head,a\\\"b\\n\\u00fc caf\u00e9\"").Behind(5);
        foreach (JsonText text in (JsonText[])[Element(Token), behind, new JsonText(Element(Token).ToString()), JsonText.Of(Encoding.UTF8.GetBytes(Token))])
        {
            foreach (string prefix in (string[])["", "data:\"x\";base64,"])
            {
                var output = new ArrayBufferWriter<byte>();
                using (var writer = new Utf8JsonWriter(output))
                {
                    writer.WriteStartArray();
                    text.WriteTo(writer);
                    writer.WriteStartObject();
                    writer.WritePropertyName("one");
                    text.WriteTo(writer, output, prefix);
                    writer.WriteString("two", "end");
                    writer.WriteEndObject();
                    text.WriteTo(writer, output, prefix);
                    text.WriteTo(writer);
                    writer.WriteEndArray();
                }
                JsonElement[] written = [.. JsonDocument.Parse(output.WrittenMemory).RootElement.EnumerateArray()];
                const string Said = "a\"b\n\u00fc caf\u00e9";
                Assert.Equal(Said, written[0].GetString());
                Assert.Equal(prefix + Said, written[1].GetProperty("one").GetString());
                Assert.Equal("end", written[1].GetProperty("two").GetString());
                Assert.Equal(prefix + Said, written[2].GetString());
                Assert.Equal(Said, written[3].GetString());
            }
        }
    }

    [Theory]
    [InlineData("\"\"", true, true)]
    [InlineData("\" \\n\\t\"", false, true)]
    [InlineData("\"\\u00a0\"", false, true)]
    [InlineData("\" x\"", false, false)]
    [InlineData("\"x\"", false, false)]
    [InlineData("\"\\u0041\"", false, false)]
    [InlineData("\"\u00a0\"", false, true)]
    public void Blank_IsToldFromTheDecodedText(string token, bool isEmpty, bool isBlank)
    {
        foreach (JsonText text in (JsonText[])[Element(token), new JsonText(Element(token).ToString()), JsonText.Of(Encoding.UTF8.GetBytes(token))])
        {
            Assert.Equal(isEmpty, text.IsEmpty);
            Assert.Equal(isBlank, text.IsBlank);
        }
        Assert.True(default(JsonText).IsBlank);
        Assert.Equal("", default(JsonText).ToString());
    }

    private static JsonText Element(string token) => JsonText.From(JsonDocument.Parse(token).RootElement);
}
