using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Protocols;

public sealed class StopScannerTests
{
    [Theory]
    [InlineData("one END two", "one ", "END")]
    [InlineData("END", "", "END")]
    [InlineData("one EN", "one EN", "")]
    [InlineData("EEEND", "EE", "END")]
    [InlineData("a\nHuman: b", "a", "\nHuman:")]
    [InlineData("say \"quote\" now", "say ", "\"quote\"")]
    [InlineData("日本語です", "日本", "語")]
    [InlineData("x😀y", "x", "😀")]
    [InlineData("x😁y", "x😁y", "")]
    [InlineData("ab then abc", "", "ab")]
    public void Text_SplitAnywhere_IsCutBeforeTheStop(string text, string kept, string stop)
    {
        string[] stops = ["END", "\nHuman:", "\"quote\"", "語", "😀", "ab", "abc"];
        for (int at = 0; at <= text.Length; at++)
        {
            if (at > 0 && at < text.Length && char.IsLowSurrogate(text[at])) continue;
            SinkRecorder recorder = Run(stops, [text[..at], text[at..]], out StopScanner scanner);
            Assert.Equal(kept, recorder.Text(BlockKind.Text));
            Assert.Equal(stop, recorder.StopSequence);
            Assert.Equal(stop.Length > 0, scanner.HasMatched);
            Assert.Equal(stop.Length > 0 ? FinishReason.StopSequence : FinishReason.MaxTokens, recorder.Finished);
        }
    }

    [Theory]
    [InlineData("abcd", "bc|abcde", "a", "bc")]
    [InlineData("abcde", "bc|abcde", "", "abcde")]
    [InlineData("abc", "abc|ab", "", "abc")]
    [InlineData("abx", "abc|ab", "", "ab")]
    [InlineData("abc", "ab|abc", "", "ab")]
    public void SeveralStops_EarliestStartWins_ThenTheOneListedFirst(string text, string stops, string kept, string stop)
    {
        foreach (string[] pieces in new[] { [text], text.Select(letter => letter.ToString()).ToArray() })
        {
            SinkRecorder recorder = Run(stops.Split('|'), pieces, out _);
            Assert.Equal(kept, recorder.Text(BlockKind.Text));
            Assert.Equal(stop, recorder.StopSequence);
        }
    }

    [Fact]
    public void RawTokens_WithoutABeginningOfAStop_PassUnchanged()
    {
        SinkRecorder recorder = new();
        var scanner = new StopScanner(recorder, ["END"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Text);
        scanner.BlockDelta(0, "\"\\u0041 plain \\ud83d\""u8);
        scanner.BlockDelta(0, "\"\\ude00 E\""u8);
        scanner.BlockDelta(0, "\"xN\""u8);
        scanner.BlockEnd(0);
        scanner.Finish(FinishReason.EndTurn);
        Assert.Equal("\\u0041 plain \\ud83d\\ude00 ExN", recorder.Blocks[0].Raw.ToString());
    }

    [Fact]
    public void EscapedStop_InHalves_IsFound()
    {
        SinkRecorder recorder = new();
        var scanner = new StopScanner(recorder, ["😀!"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Text);
        scanner.BlockDelta(0, "\"a\\ud83d\""u8);
        scanner.BlockDelta(0, "\"\\ude00\""u8);
        Assert.Equal("a", recorder.Blocks[0].Raw.ToString());
        scanner.BlockDelta(0, "\"! b\""u8);
        Assert.True(scanner.HasMatched);
        Assert.Equal("a", recorder.Text(BlockKind.Text));
    }

    [Fact]
    public void AfterAMatch_NothingGoesFurther_AndOpenBlocksAreEnded()
    {
        SinkRecorder recorder = new();
        var scanner = new StopScanner(recorder, ["END"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Text);
        scanner.BlockStart(1, BlockKind.Text);
        scanner.Usage(new TokenUsage { Input = 5 });
        scanner.BlockDelta(1, "\"xEND\""u8);
        scanner.BlockDelta(0, "\"late\""u8);
        scanner.BlockSeal(0, SealKind.Thought, "\"c2VhbA==\""u8);
        scanner.BlockStart(2, BlockKind.ToolCall, "id"u8, "f"u8);
        scanner.BlockEnd(1);
        scanner.Usage(new TokenUsage { Output = 9 });
        scanner.Finish(FinishReason.EndTurn);
        scanner.Fail(new ProxyError(ErrorKind.Timeout, "late"));
        Assert.Equal(["start  ", "block 0 Text", "block 1 Text", "usage", "delta 1 \"x\"", "end 0", "end 1", "finish StopSequence"], recorder.Lines);
        Assert.Equal(5, recorder.Total.Input);
    }

    [Fact]
    public void ThinkingAndArguments_AreNotScanned_AndBlocksAreApart()
    {
        SinkRecorder recorder = new();
        var scanner = new StopScanner(recorder, ["END"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Thinking);
        scanner.BlockDelta(0, "\"END\""u8);
        scanner.BlockStart(1, BlockKind.ToolCall, "id"u8, "f"u8);
        scanner.BlockDelta(1, "\"{\\\"END\\\":1}\""u8);
        scanner.BlockStart(2, BlockKind.Text);
        scanner.BlockDelta(2, "\"EN\""u8);
        scanner.BlockStart(3, BlockKind.Text);
        scanner.BlockDelta(3, "\"D\""u8);
        for (int key = 0; key < 4; key++) scanner.BlockEnd(key);
        scanner.Finish(FinishReason.ToolUse);
        Assert.False(scanner.HasMatched);
        Assert.Equal("END", recorder.Text(BlockKind.Thinking));
        Assert.Equal("END", recorder.Text(BlockKind.Text));
    }

    [Fact]
    public void Failure_ReleasesWhatIsHeld()
    {
        SinkRecorder recorder = new();
        var scanner = new StopScanner(recorder, ["END"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Text);
        scanner.BlockDelta(0, "\"one EN\""u8);
        scanner.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
        Assert.Equal("one EN", recorder.Text(BlockKind.Text));
        Assert.Equal(ErrorKind.BadGateway, recorder.Error?.Kind);
    }

    [Fact]
    public void AnyText_AnySplit_IsCutLikeTheWholeText()
    {
        Gen<string> text = Gen.Elements("a", "b", "ab", "\n", "\"", "é", "語", "😀", "x").ListOf().Select(string.Concat);
        Gen<string[]> stops = Gen.Elements("ab", "aab", "b\n", "é語", "😀a", "\"", "ba").NonEmptyListOf().Select(list => list.Take(4).ToArray());
        Prop.ForAll(text.ToArbitrary(), stops.ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), (all, wanted, seed) =>
        {
            var random = new Random(seed);
            var pieces = new List<string>();
            for (string rest = all; rest.Length > 0;)
            {
                int length = Math.Min(rest.Length, random.Next(1, 4));
                if (length < rest.Length && char.IsLowSurrogate(rest[length])) length++;
                pieces.Add(rest[..length]);
                rest = rest[length..];
            }
            (int at, string? stop) = Expected(all, wanted);
            SinkRecorder recorder = Run(wanted, pieces, out StopScanner scanner);
            return recorder.Text(BlockKind.Text) == all[..at] && recorder.StopSequence == (stop ?? "") && scanner.HasMatched == stop is not null;
        }).QuickCheckThrowOnFailure();
    }

    private static (int At, string? Stop) Expected(string text, string[] stops)
    {
        for (int at = 0; at < text.Length; at++)
        {
            foreach (string stop in stops)
            {
                if (text.AsSpan(at).StartsWith(stop, StringComparison.Ordinal)) return (at, stop);
            }
        }
        return (text.Length, null);
    }

    private static SinkRecorder Run(IReadOnlyList<string> stops, IEnumerable<string> pieces, out StopScanner scanner)
    {
        SinkRecorder recorder = new();
        scanner = new StopScanner(recorder, stops);
        scanner.Start("id"u8, "m"u8);
        scanner.BlockStart(0, BlockKind.Text);
        foreach (string piece in pieces) scanner.BlockDelta(0, RawJson.Encode(piece));
        scanner.BlockEnd(0);
        scanner.Finish(FinishReason.MaxTokens);
        return recorder;
    }
}
