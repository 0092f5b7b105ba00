using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Protocols;

public sealed class BodyScanTests
{
    private static readonly RequestTarget Target = new(Operation.Generate);

    [Fact]
    public void Model_IsFoundWithItsQuotes()
    {
        byte[] body = """{"a":{"model":"inner"},"model" : "gpt-5","list":[{"model":"inner"}],"stream":true}"""u8.ToArray();
        BodyScan scan = BodyScan.Scan(body);
        ScannedToken token = Assert.Single(scan.Models);
        Assert.Equal("\"gpt-5\"", Encoding.UTF8.GetString(body[token.Token]));
        Assert.Equal(JsonTokenType.String, token.Kind);
        Assert.True(scan.Stream);
        Assert.Empty(scan.NestedModels);
    }

    [Fact]
    public void ByteOrderMark_IsSkipped_AndCountsInTheRanges()
    {
        byte[] body = [0xEF, 0xBB, 0xBF, .. """{"model":"m"}"""u8];
        Assert.Equal(12..15, Assert.Single(BodyScan.Scan(body).Models).Token);
        Assert.Equal("m", BodyScan.Head(Target, body).Model);
    }

    [Fact]
    public void DuplicateModels_LastOneRoutes_AllAreListed()
    {
        byte[] body = """{"model":"a","mod\u0065l":"b","model":{"x":1},"\u006dodel":"c\u002f\ud83d\ude42"}"""u8.ToArray();
        RequestHead head = BodyScan.Head(Target, body);
        Assert.Equal("c/🙂", head.Model);
        Assert.Equal(["\"a\"", "\"b\"", "\"c\\u002f\\ud83d\\ude42\""], head.ModelTokens.Select(token => Encoding.UTF8.GetString(body[token])));
        Assert.Equal(4, BodyScan.Scan(body).Models.Count);
    }

    [Theory]
    [InlineData("{\"model\":\"m\"}", false, JsonTokenType.None)]
    [InlineData("{\"model\":\"m\",\"stream\":true}", true, JsonTokenType.True)]
    [InlineData("{\"model\":\"m\",\"stream\":false}", false, JsonTokenType.False)]
    [InlineData("{\"model\":\"m\",\"stream\":null}", false, JsonTokenType.Null)]
    [InlineData("{\"model\":\"m\",\"stream\":true,\"stream\":false}", false, JsonTokenType.False)]
    [InlineData("{\"model\":\"m\",\"x\":{\"stream\":true}}", false, JsonTokenType.None)]
    public void Stream_OnlyJsonTrueAsksForIt(string body, bool stream, JsonTokenType kind)
    {
        Assert.Equal(kind, BodyScan.Scan(Encoding.UTF8.GetBytes(body)).StreamKind);
        Assert.Equal(stream, BodyScan.Head(Target, Encoding.UTF8.GetBytes(body)).Stream);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"true\"")]
    [InlineData("{\"stream\":true}")]
    public void StreamOfAnotherType_IsRefused(string value)
    {
        ProtocolException refused = Assert.Throws<ProtocolException>(() => BodyScan.Head(Target, Encoding.UTF8.GetBytes($"{{\"model\":\"m\",\"stream\":{value}}}")));
        Assert.Equal("stream", refused.Error.Param);
    }

    [Fact]
    public void TopLevelNames_AreNoted_NestedOnesAreNot()
    {
        BodyScan scan = BodyScan.Scan("""{"input":1,"x":{"messages":[]},"y":[{"contents":1}]}"""u8);
        Assert.True(scan.HasInput);
        Assert.False(scan.HasMessages || scan.HasContents);
        scan = BodyScan.Scan("""{"messages":[],"contents":[]}"""u8);
        Assert.True(scan.HasMessages && scan.HasContents && !scan.HasInput);
    }

    [Fact]
    public void NestedObject_ItsOwnModelsAreListed()
    {
        byte[] body = """{"model":"top","generateContentRequest":{"model":"models/x","tools":[{"model":"no"}],"y":{"model":"no"},"model":null},"z":{"model":"no"}}"""u8.ToArray();
        BodyScan scan = BodyScan.Scan(body, "generateContentRequest");
        Assert.Equal(["\"models/x\"", "null"], scan.NestedModels.Select(token => Encoding.UTF8.GetString(body[token.Token])));
        Assert.Single(scan.Models);
        Assert.Empty(BodyScan.Scan("""{"generateContentRequest":[{"model":"no"}]}"""u8, "generateContentRequest").NestedModels);
    }

    [Theory]
    [InlineData("{}", "model is required")]
    [InlineData("{\"x\":{\"model\":\"m\"}}", "model is required")]
    [InlineData("{\"model\":null}", "model must be a string, got null")]
    [InlineData("{\"model\":5}", "model must be a string, got a number")]
    [InlineData("{\"model\":true}", "model must be a string, got a boolean")]
    [InlineData("{\"model\":[\"m\"]}", "model must be a string, got an array")]
    [InlineData("{\"model\":{}}", "model must be a string, got an object")]
    [InlineData("{\"model\":\"m\",\"model\":7}", "model must be a string, got a number")]
    [InlineData("{\"model\":\"\"}", "model must not be empty")]
    [InlineData("{\"model\":\" \"}", "model must not be empty")]
    public void BadModel_IsNamed(string body, string message)
    {
        ProxyError error = Assert.Throws<ProtocolException>(() => BodyScan.Head(Target, Encoding.UTF8.GetBytes(body))).Error;
        Assert.Equal((ErrorKind.InvalidRequest, message, "model"), (error.Kind, error.Message, error.Param));
    }

    [Theory]
    [InlineData("", "the request body is empty")]
    [InlineData(" \r\n", "the request body is empty")]
    [InlineData("\uFEFF", "the request body is empty")]
    [InlineData("[1", "the request body must be a JSON object, got an array")]
    [InlineData("\"model\"", "the request body must be a JSON object, got a string")]
    [InlineData("null", "the request body must be a JSON object, got null")]
    [InlineData("12", "the request body must be a JSON object, got a number")]
    [InlineData("{\"model\":\"secret\"", "the request body is not valid JSON: line 1, column 18: unexpected end of JSON")]
    [InlineData("{\n \"model\":\"secret\",\n", "the request body is not valid JSON: line 3, column 1: unexpected end of JSON")]
    [InlineData("{\"model\":secret}", "the request body is not valid JSON: line 1, column 10: unexpected character")]
    [InlineData("{\n  \"a\": 'secret'}", "the request body is not valid JSON: line 2, column 8: unexpected character")]
    [InlineData("{\"a\":1,}", "the request body is not valid JSON: line 1, column 8: trailing comma")]
    [InlineData("{\"a\":[1, ]}", "the request body is not valid JSON: line 1, column 10: trailing comma")]
    [InlineData("{\"a\":1 // secret\n}", "the request body is not valid JSON: line 1, column 8: comments are not allowed")]
    [InlineData("{\"a\":1} {", "the request body is not valid JSON: line 1, column 9: something follows the end of the JSON object")]
    [InlineData("{\"a\":{}} x", "the request body is not valid JSON: line 1, column 10: something follows the end of the JSON object")]
    [InlineData("{\"a\":\"x\ny\"}", "the request body is not valid JSON: line 1, column 8: a control character that is not escaped")]
    [InlineData("{\"a\":\"x\\qy\"}", "the request body is not valid JSON: line 1, column 9: unknown escape in a string")]
    [InlineData("{\"a\":1]", "the request body is not valid JSON: line 1, column 7: unexpected character")]
    [InlineData("data: {}", "the request body is not valid JSON: line 1, column 1: unexpected character")]
    public void BrokenBody_IsToldWithItsPlace_NeverWithItsContent(string body, string message)
    {
        ProxyError error = Assert.Throws<ProtocolException>(() => BodyScan.Scan(Encoding.UTF8.GetBytes(body))).Error;
        Assert.Equal((ErrorKind.InvalidRequest, message), (error.Kind, error.Message));
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public void CutAnywhere_IsAnUnexpectedEnd()
    {
        byte[] body = Encoding.UTF8.GetBytes("{\"model\":\"ä\\u00e4\",\n\"n\":[-1.5e+3,true,false,null,{\"x\":{}}],\"stream\":false}");
        for (int length = 1; length < body.Length; length++)
        {
            string message = Assert.Throws<ProtocolException>(() => BodyScan.Scan(body.AsSpan(0, length))).Message;
            Assert.EndsWith("unexpected end of JSON", message);
        }
        Assert.Single(BodyScan.Scan(body).Models);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"x\":", "}")]
    public void Depth_256LevelsPass_OneMoreIsTooDeep(string open, string close)
    {
        string inner = open == "[" ? "" : "1";
        Assert.Empty(BodyScan.Scan(Nested(255)).Models);
        string message = Assert.Throws<ProtocolException>(() => BodyScan.Scan(Nested(256))).Message;
        Assert.EndsWith("too deep: more than 256 levels", message);
        Assert.Contains("line 2, column ", message);
        Assert.Throws<ProtocolException>(() => BodyScan.Scan(Nested(100_000)));

        byte[] Nested(int levels) => Encoding.UTF8.GetBytes("{\"x\":\n" + string.Concat(Enumerable.Repeat(open, levels)) + inner + string.Concat(Enumerable.Repeat(close, levels)) + "}");
    }

    [Fact]
    public void LoneSurrogatesAndBrokenUtf8_DoNotThrow()
    {
        byte[] body = [.. "{\"mod\\ud800l\":1,\"\\udc00\":2,\"model\":\"a\\ud800\",\"x"u8, 0xFF, .. "\":\""u8, 0xC3, .. "\"}"u8];
        Assert.Equal("a\uFFFD", BodyScan.Head(Target, body).Model);
    }

    [Fact]
    public void AnyBytes_ThrowNothingButProtocolException()
    {
        Gen<string> soup = Gen.Elements("{", "}", "[", "]", "\"", "\\", "\\u00", ":", ",", " ", "\n", "1", "-", "true", "nul", "\"model\":", "\"m\"", "/", "\u0001", "ü", "{\"model\":\"m\"", "\"stream\":true")
            .ArrayOf().Select(string.Concat);
        Prop.ForAll(soup.ToArbitrary(), text =>
        {
            try
            {
                BodyScan.Head(Target, Encoding.UTF8.GetBytes(text));
            }
            catch (ProtocolException exception)
            {
                return exception.Error.Kind == ErrorKind.InvalidRequest;
            }
            return JsonDocument.Parse(text).RootElement.ValueKind == JsonValueKind.Object;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(3000));
    }
}
