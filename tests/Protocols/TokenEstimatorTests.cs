using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols;

/// <summary>The estimate is high rather than low, and by how much. Texts: counts that OpenAI's cookbook and help pages give for cl100k and o200k, and Google's
/// page for Gemini. Requests: counts that Anthropic's page on token counting gives.</summary>
public sealed class TokenEstimatorTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("antidisestablishmentarianism", 6)]
    [InlineData("2 + 2 = 4", 7)]
    [InlineData("お誕生日おめでとう", 9)]
    [InlineData("tiktoken is great!", 6)]
    [InlineData("You miss 100% of the shots you don't take", 11)]
    [InlineData("The quick brown fox jumps over the lazy dog.", 10)]
    public void KnownText_IsEstimatedHigh_ByLessThanDouble(string text, int known) => Between(text, TextTokens.Count(text), known, 1.0, 2.0);

    [Theory]
    [InlineData("""{"model":"m","system":"You are a scientist","messages":[{"role":"user","content":"Hello, Claude"}]}""", 14)]
    [InlineData("""
        {"model":"m","tools":[{"name":"get_weather","description":"Get the current weather in a given location","input_schema":{"type":"object","properties":
        {"location":{"type":"string","description":"The city and state, e.g. San Francisco, CA"}},"required":["location"]}}],
        "messages":[{"role":"user","content":"What's the weather like in San Francisco?"}]}
        """, 403)]
    [InlineData("""
        {"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAA"}},
        {"type":"text","text":"Describe this image"}]}]}
        """, 1551)]
    public void KnownRequest_IsEstimatedHigh_ByLessThanDouble(string body, int known) => Between(body, Estimate(body), known, 1.0, 2.0);

    /// <summary>OpenAI's help page: a token is about four characters or three quarters of a word of English.</summary>
    [Fact]
    public void EnglishProse_IsAboveTheRuleOfThumb()
    {
        const string prose = """
            A reverse proxy stands between the client and the servers that do the work. It takes each request, looks at what it needs to know, and hands it on.
            When one of the servers is slow or does not answer at all, the proxy asks another one, and the client never learns that anything went wrong.
            """;
        int words = prose.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Length;
        Between("prose", TextTokens.Count(prose), words * 4 / 3, 1.0, 1.5);
        Between("prose", TextTokens.Count(prose), prose.Length / 4, 1.0, 1.7);
    }

    /// <summary>No vendor makes more tokens of a text than it has bytes.</summary>
    [Theory]
    [InlineData("🎉🎊 完成了！ Готово. हो गया। تم")]
    [InlineData("for (int i = 0; i < n; i++) { sum += values[i] * 0.5f; }")]
    [InlineData("{\"k\": [1, 2, 3], \"deep\": {\"x\": null}}")]
    public void AnyText_IsBetweenItsWordsAndItsBytes(string text)
    {
        long estimate = TextTokens.Count(text);
        Assert.InRange(estimate, text.Split(' ').Length, Encoding.UTF8.GetByteCount(text));
    }

    [Fact]
    public void WhiteSpace_LongRunsAreCheap_AndNothingIsFree()
    {
        Assert.Equal(0, TextTokens.Count(""));
        Assert.InRange(TextTokens.Count(new string(' ', 160)), 8, 16);
        Assert.InRange(TextTokens.Count("a\n\n        b"), 3, 6);
        Assert.Equal(2, TextTokens.Count(" "));
    }

    /// <summary>Whatever the pieces are in which a text is read.</summary>
    [Fact]
    public void BytesAndEscapes_CountAsTheTextThatTheyAre()
    {
        string[] bits = ["camelCaseWord", " ", "\n\n", "  ", "7", "{\"k\":", "é", "完成", "🎉", "\uFFFD", "\\", "\b", "\u00A0", "Слово", "x"];
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 1500)).Select(_ => bits[random.Next(bits.Length)]));
            long expected = TextTokens.Count(text);
            foreach (JavaScriptEncoder encoder in new[] { JavaScriptEncoder.Default, JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
            {
                byte[] token = JsonEncodedText.Encode(text, encoder).EncodedUtf8Bytes.ToArray();
                Assert.Equal(expected, TextTokens.Count(token, isToken: true));
            }
            Assert.Equal(expected, TextTokens.Count(Encoding.UTF8.GetBytes(text)));
        }
        Assert.Equal(TextTokens.Count("a\uD83D b\uFFFD/"), TextTokens.Count("a\\ud83d b\\uDC00\\/"u8, isToken: true));
    }

    [Fact]
    public void LongText_IsCountedWithoutACopy()
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('w', 32_000_000));
        TextTokens.Count(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        TextTokens.Count(text, isToken: true);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    [Fact]
    public void PdfPagesAndUnknownFiles_AreCounted()
    {
        string small = Pdf(1000), large = Pdf(4_000_000);
        Assert.InRange(Estimate(small), 2500, 2600);
        Assert.InRange(Estimate(large), 140_000, 160_000);
        Assert.InRange(Estimate("""{"model":"m","messages":[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"https://a.example/x.pdf"}}]}]}"""), 12_000, 13_000);

        static string Pdf(int base64) =>
            $$$"""{"model":"m","messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"{{{new string('A', base64)}}}"}}]}]}""";
    }

    [Fact]
    public void EachPartOfARequest_AddsToIt()
    {
        const string empty = """{"model":"m","messages":[{"role":"user","content":"a"}]}""";
        string[] richer =
        [
            """{"model":"m","system":"be brief","messages":[{"role":"user","content":"a"}]}""",
            """{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"x":1}}]}]}""",
            """{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"so","signature":"eA=="}]}]}""",
            """{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"fine"}]}]}""",
            """{"model":"m","tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"a"}]}""",
        ];
        Assert.All(richer, body => Assert.True(Estimate(body) > Estimate(empty)));
    }

    private void Between(string what, long estimate, long known, double low, double high)
    {
        double ratio = (double)estimate / known;
        output.WriteLine($"{ratio:0.00} = {estimate} / {known}: {what}");
        Assert.InRange(ratio, low, high);
    }

    private static long Estimate(string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        var protocol = new AnthropicProtocol();
        ChatRequest request = protocol.ReadRequest(document.RootElement, protocol.ReadHead(new RequestTarget(Operation.CountTokens), "", Encoding.UTF8.GetBytes(body)));
        return TokenEstimator.Estimate(request);
    }
}
