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

    [Theory]
    [InlineData("61C3|A962", "61|C3A962")]
    [InlineData("F09F|9880", "F09F9880")]
    [InlineData("F0|9F|98|80", "F09F9880")]
    [InlineData("61E9|62", "61|EFBFBD62")]
    [InlineData("61FF62", "61EFBFBD62")]
    [InlineData("61C3", "61|5C7566666664")]
    public void BytesOfACharacter_WaitForTheOthers_OrAreReplaced(string deltas, string expected)
    {
        SinkRecorder recorder = new();
        var written = new List<string>();
        var whole = new WholeCharacters(new Tee(recorder, new Hex(written)));
        whole.Start(default, default);
        whole.BlockStart(0, BlockKind.Text);
        foreach (string delta in deltas.Split('|')) whole.BlockDelta(0, [(byte)'"', .. Convert.FromHexString(delta), (byte)'"']);
        whole.BlockEnd(0);
        whole.Finish(FinishReason.EndTurn);
        Assert.Equal(expected.Split('|'), written);
    }

    [Fact]
    public void BrokenNamesIdsAndSeals_AreMended()
    {
        SinkRecorder recorder = new();
        var whole = new WholeCharacters(recorder);
        whole.Start([(byte)'i', 0xFF], [0xC3]);
        whole.BlockStart(0, BlockKind.ToolCall, [0xFF], [(byte)'f', 0xFF]);
        whole.BlockSeal(0, SealKind.Thought, [(byte)'"', 0xFF, (byte)'"']);
        whole.BlockEnd(0);
        whole.Finish(FinishReason.EndTurn);
        Assert.Equal(("i\uFFFD", "\uFFFD", "\uFFFD", "f\uFFFD"), (recorder.Id, recorder.Model, recorder.Blocks[0].Id, recorder.Blocks[0].Name));
        Assert.Equal("Thought \uFFFD", recorder.Blocks[0].Seal);
    }

    private sealed class Hex(List<string> deltas) : IResponseSink
    {
        public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) { }

        public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) { }

        public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => deltas.Add(Convert.ToHexString(jsonString[1..^1]));

        public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) { }

        public void BlockCite(int block, Citation citation) { }

        public void BlockEnd(int block) { }

        public void Usage(in TokenUsage total) { }

        public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) { }

        public void Fail(ProxyError error) { }
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
