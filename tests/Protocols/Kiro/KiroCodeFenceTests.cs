using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Kiro;

public sealed class KiroCodeFenceTests
{
    private static readonly ChatRequest s_json = RequestTexts.Request("claude-sonnet-5") with { Output = new OutputFormat(null) };

    [Theory]
    [InlineData("{\"a\":1}", "{\"a\":1}")]
    [InlineData("```json\n{\"a\":1}\n```", "{\"a\":1}")]
    [InlineData("```JSON\r\n{\"a\":1}\r\n```\r\n", "{\"a\":1}")]
    [InlineData("\n ```\n{\"a\":1}\n```\n\n", "{\"a\":1}")]
    [InlineData("```json {\"a\":1}```", "{\"a\":1}")]
    [InlineData("```json\n{\"a\":\"x ``` y\n\"}\n```", "{\"a\":\"x ``` y\n\"}")]
    [InlineData("```json\n{\"a\":\"`` ``\"} \n ", "{\"a\":\"`` ``\"} \n ")]
    [InlineData("```json\n{}\n```\nThat is all.", "{}\n```\nThat is all.")]
    [InlineData("Here:\n```json\n{}\n```", "Here:\n```json\n{}\n```")]
    [InlineData("``", "``")]
    [InlineData("{\"a\":\"```\"}", "{\"a\":\"```\"}")]
    [InlineData("[1,2]  ", "[1,2]  ")]
    public void Fence_IsTakenOff_WhereverTheTextIsCut(string said, string expected)
    {
        Assert.Equal(expected, Read(said));
        Assert.Equal(expected, Read([.. said.Select(letter => letter.ToString())]));
        for (int at = 1; at < said.Length; at++)
        {
            Assert.Equal(expected, Read(said[..at], said[at..]));
            for (int next = at + 1; next < said.Length; next++) Assert.Equal(expected, Read(said[..at], said[at..next], said[next..]));
        }
    }

    [Fact]
    public void WithoutAForm_TheFenceStays() => Assert.Equal("```json\n{}\n```", KiroWire.Record(RequestTexts.Request("claude-sonnet-5"), KiroWire.Text("```json\n{}\n```")).Text(BlockKind.Text));

    [Fact]
    public void BehindThoughtsInTags_ItIsTakenOffToo()
    {
        ChatRequest request = s_json with { Model = "claude-sonnet-4.5", Reasoning = new ReasoningRequest { Budget = 2000 } };
        SinkRecorder record = KiroWire.Record(request, KiroWire.Text("<thinking>\na\n</thinking>\n\n```json\n{}\n```"));
        Assert.Equal(["Thinking a", "Text {}"], record.Blocks.Select(block => $"{block.Kind} {block.Text}"));
    }

    private static string Read(params string[] pieces)
    {
        SinkRecorder record = KiroWire.Record(s_json, [.. pieces.Select(KiroWire.Text)]);
        Assert.NotNull(record.Finished);
        return record.Text(BlockKind.Text);
    }
}
