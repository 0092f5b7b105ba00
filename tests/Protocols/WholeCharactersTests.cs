using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols;

public sealed class WholeCharactersTests
{
    [Theory]
    [InlineData("plain \\n \\u0041|more", "plain \\n \\u0041|more")]
    [InlineData("a\\ud83d|\\ude00b", "a|\\ud83d\\ude00b")]
    [InlineData("\\uD83D|\\uDE00", "\\uD83D\\uDE00")]
    [InlineData("\\ud83d\\ude00", "\\ud83d\\ude00")]
    [InlineData("\\ud83d|x", "\\ufffdx")]
    [InlineData("\\ud83d", "\\ufffd")]
    [InlineData("\\ude00x\\ud83d\\u0041", "\\ufffdx\\ufffd\\u0041")]
    [InlineData("\\ud83d|\\ud83d|\\ude00", "\\ufffd|\\ud83d\\ude00")]
    [InlineData("\\\\ud83d|\\\\ude00", "\\\\ud83d|\\\\ude00")]
    [InlineData("\\\\\\ud83d|\\ude00", "\\\\|\\ud83d\\ude00")]
    public void Halves_WaitForTheOther_OrAreReplaced(string deltas, string expected)
    {
        SinkRecorder recorder = new();
        var whole = new WholeCharacters(recorder);
        whole.Start(default, default);
        whole.BlockStart(0, BlockKind.Text);
        whole.BlockStart(1, BlockKind.Text);
        foreach (string delta in deltas.Split('|'))
        {
            whole.BlockDelta(0, Encoding.UTF8.GetBytes($"\"{delta}\""));
            whole.BlockDelta(1, "\"-\""u8);
        }
        whole.BlockEnd(0);
        whole.BlockEnd(1);
        whole.Finish(FinishReason.EndTurn);
        string[] written = [.. recorder.Lines.Where(line => line.StartsWith("delta 0", StringComparison.Ordinal)).Select(line => line["delta 0 \"".Length..^1])];
        Assert.Equal(expected.Split('|'), written);
    }

    [Fact]
    public void AnyAnswer_WithoutHalves_IsUnchanged()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            SinkRecorder plain = new(), passed = new();
            RandomAnswer.Play(plain, new Random(seed));
            RandomAnswer.Play(new WholeCharacters(passed), new Random(seed));
            Assert.Equal(plain.Lines, passed.Lines);
        }
    }
}
