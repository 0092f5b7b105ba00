using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Thinking between tags: wherever the text is cut, the same blocks come out.</summary>
public sealed class KiroThinkingTagsTests
{
    private static readonly ChatRequest s_tagged = RequestTexts.Request("claude-sonnet-4.5") with { Reasoning = new ReasoningRequest { Budget = 2000 } };

    [Theory]
    [InlineData("<thinking>a</thinking>b", "a", "b")]
    [InlineData("<thinking>\na\n</thinking>\n\nb", "a", "b")]
    [InlineData("<thinking>\r\na\r\n</thinking>\r\n\r\nb", "a", "b")]
    [InlineData(" \n<thinking>\n\na\n\n</thinking>\n\n\nb\n", "\na\n", "\nb\n")]
    [InlineData("<thinking>a</thinking>", "a", "")]
    [InlineData("<thinking></thinking>b", "", "b")]
    [InlineData("<thinking>\n</thinking>\n\nb", "", "b")]
    [InlineData("<thinking>a", "a", "")]
    [InlineData("<thinking>a\n</think", "a\n</think", "")]
    [InlineData("<thinking>a</thinking>b<thinking>c</thinking>", "a", "b<thinking>c</thinking>")]
    [InlineData("<thinking>a < b << c </ d \n\n e</thinking>f", "a < b << c </ d \n\n e", "f")]
    [InlineData("<thinking>a</thinkin</thinking>f", "a</thinkin", "f")]
    [InlineData("<thinking><<</thinking>f", "<<", "f")]
    [InlineData("<thinking>😀 日本</thinking>\n\né", "😀 日本", "é")]
    [InlineData("<thinking>\n```xml\n</thinking>\n```\nout\n</thinking>\n\nb", "```xml\n</thinking>\n```\nout", "b")]
    [InlineData("<thinking>\n````\n```\n</thinking>\n````\n</thinking>b", "````\n```\n</thinking>\n````", "b")]
    [InlineData("<thinking>\n~~~\n</thinking>\n~~~</thinking>b", "~~~\n</thinking>\n~~~", "b")]
    [InlineData("<thinking>\n  ```\r\n</thinking>\r\n  ```  \r\n</thinking>b", "  ```\r\n</thinking>\r\n  ```  ", "b")]
    [InlineData("<thinking>\n```a```\n</thinking>b", "```a```", "b")]
    [InlineData("<thinking>say ``` and\n    ```\n</thinking>b", "say ``` and\n    ```", "b")]
    [InlineData("plain", "", "plain")]
    [InlineData("a <thinking>b</thinking>", "", "a <thinking>b</thinking>")]
    [InlineData("```\n<thinking>b</thinking>\n```", "", "```\n<thinking>b</thinking>\n```")]
    [InlineData("<thinkin", "", "<thinkin")]
    [InlineData("<thinker>x", "", "<thinker>x")]
    [InlineData("  \n", "", "  \n")]
    public void Tags_AreTakenOut_WhereverTheTextIsCut(string said, string thought, string text)
    {
        Expect(KiroWire.Record(s_tagged, KiroWire.Text(said)), thought, text);
        Expect(KiroWire.Record(s_tagged, [.. said.EnumerateRunes().Select(rune => KiroWire.Text(rune.ToString()))]), thought, text);
        for (int at = 1; at < said.Length; at++)
        {
            if (char.IsLowSurrogate(said[at])) continue;
            Expect(KiroWire.Record(s_tagged, KiroWire.Text(said[..at]), KiroWire.Text(said[at..])), thought, text);
            for (int next = at + 1; next < said.Length; next++)
            {
                if (char.IsLowSurrogate(said[next])) continue;
                Expect(KiroWire.Record(s_tagged, KiroWire.Text(said[..at]), KiroWire.Text(said[at..next]), KiroWire.Text(said[next..])), thought, text);
            }
        }
    }

    [Fact]
    public void PairOfEscapes_PartedBetweenEvents_IsOneCharacter()
    {
        Expect(KiroWire.Record(s_tagged, KiroWire.Text("<thinking>a"), new KiroEvent("assistantResponseEvent", "{\"content\":\"\\ud83d\"}"),
            new KiroEvent("assistantResponseEvent", "{\"content\":\"\\ude00</thinking>b\"}")), "a😀", "b");
    }

    [Fact]
    public void CallBehindThoughts_EndsThem()
    {
        SinkRecorder record = KiroWire.Record(s_tagged, KiroWire.Text("<thinking>a</thinking>\n\n"), KiroWire.Call("c", "{}", true), KiroWire.Text("<thinking>b</thinking>"));
        Assert.Equal(["Thinking a", "ToolCall {}", "Text <thinking>b</thinking>"], record.Blocks.Select(block => $"{block.Kind} {block.Text}"));
        Assert.Equal(FinishReason.ToolUse, record.Finished);
    }

    [Fact]
    public void CallBesideThoughtsThatGoOn_KeepsTheContract()
    {
        SinkRecorder record = KiroWire.Record(s_tagged, KiroWire.Text("<thinking>a"), KiroWire.Call("c", "{"), KiroWire.Text("b"), KiroWire.Call("c", "}", true));
        Assert.Equal(["Thinking a", "ToolCall {}", "Text b"], record.Blocks.Select(block => $"{block.Kind} {block.Text}"));
    }

    [Fact]
    public void Tags_ThatNobodyAskedFor_AreText()
    {
        const string Said = "<thinking>a</thinking>b";
        foreach (ChatRequest request in (ChatRequest[])[s_tagged with { Reasoning = null }, s_tagged with { Model = "claude-opus-5" }])
        {
            Assert.Equal(Said, Assert.Single(KiroWire.Record(request, KiroWire.Text(Said)).Blocks).Text);
        }
    }

    [Fact]
    public void Failure_InTheMiddleOfThoughts_LeavesThemOpen()
    {
        SinkRecorder record = KiroWire.Record(s_tagged, KiroWire.Text("<thinking>abc"), KiroWire.Exception("internalServerException", "{}"));
        Assert.Equal(ErrorKind.ServerError, record.Error?.Kind);
        Assert.DoesNotContain(record.Lines, line => line.StartsWith("end", StringComparison.Ordinal));
    }

    private static void Expect(SinkRecorder record, string thought, string text)
    {
        Assert.NotNull(record.Finished);
        Assert.Equal((thought, text), (record.Text(BlockKind.Thinking), record.Text(BlockKind.Text)));
        Assert.True(record.Blocks.Count <= 2);
        if (thought.Length > 0 && text.Length > 0) Assert.Equal([BlockKind.Thinking, BlockKind.Text], record.Blocks.Select(block => block.Kind));
    }
}
