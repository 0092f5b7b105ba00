using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols;

public sealed class WatchTests
{
    private readonly List<string> _calls = [];
    private readonly StoppedClock _clock = new();
    private readonly Watch _watch;

    public WatchTests() => _watch = new Watch(new Recorder(_calls), _clock);

    private IResponseSink Sink => _watch;

    [Fact]
    public void EveryCall_IsPassedOn()
    {
        Sink.Start("id"u8, "model"u8);
        Sink.BlockStart(3, BlockKind.ToolCall, "call"u8, "name"u8);
        Sink.BlockDelta(3, "\"x\""u8);
        Sink.BlockSeal(3, SealKind.Thought, "\"s\""u8);
        Sink.BlockEnd(3);
        Sink.BlockCite(3, new Citation("gemini", default) { Url = "u" });
        Sink.Usage(new TokenUsage { Output = 5 });
        Sink.Finish(FinishReason.StopSequence, "\"END\""u8);
        Assert.Equal(["start id model", "block 3 ToolCall call name", "delta 3 \"x\"", "seal 3 Thought \"s\"", "end 3", "cite 3 u", "usage 5", "finish StopSequence \"END\""], _calls);
        Assert.Equal(0, _watch.Ignored);
    }

    [Fact]
    public void NoNext_KnowsTheSame()
    {
        var watch = new Watch(null, _clock);
        IResponseSink sink = watch;
        sink.Start(default, default);
        sink.BlockStart(0, BlockKind.Text);
        sink.BlockDelta(0, "\"\""u8);
        sink.BlockSeal(0, SealKind.Thinking, "\"\""u8);
        sink.BlockEnd(0);
        sink.Usage(default);
        sink.Finish(FinishReason.EndTurn);
        sink.Fail(new ProxyError(ErrorKind.BadGateway, "late"));
        Assert.True(watch.HasStarted && watch.HasOutput && watch.IsFinished);
        Assert.Null(watch.Failure);
        Assert.Equal(1, watch.Ignored);
    }

    [Theory]
    [InlineData(BlockKind.Text)]
    [InlineData(BlockKind.Thinking)]
    [InlineData(BlockKind.ToolCall)]
    [InlineData(BlockKind.Foreign)]
    public void BlockStart_OfAnyKind_IsOutput(BlockKind kind)
    {
        Sink.Start(default, default);
        Sink.Usage(new TokenUsage { Input = 1 });
        Assert.False(_watch.HasOutput);
        Assert.Equal(0, _watch.FirstOutputTimestamp);
        _clock.Now = 77;
        Sink.BlockStart(0, kind);
        Assert.True(_watch.HasOutput);
        _clock.Now = 99;
        Sink.BlockDelta(0, "\"x\""u8);
        Assert.Equal(77, _watch.FirstOutputTimestamp);
    }

    [Fact]
    public void BlockDelta_IsOutput_WithoutItsStart()
    {
        _clock.Now = 5;
        Sink.BlockDelta(0, "\"x\""u8);
        Assert.True(_watch.HasOutput);
        Assert.Equal(5, _watch.FirstOutputTimestamp);
    }

    [Fact]
    public void SecondStart_GoesNoFurther()
    {
        Sink.Start("a"u8, default);
        Sink.Start("b"u8, default);
        Assert.Equal(["start a "], _calls);
        Assert.Equal(1, _watch.Ignored);
    }

    [Fact]
    public void AfterFinish_NothingGoesOn()
    {
        Sink.Finish(FinishReason.MaxTokens);
        TellEverything();
        Assert.Equal(["finish MaxTokens "], _calls);
        Assert.Equal(8, _watch.Ignored);
        Assert.Equal(FinishReason.MaxTokens, _watch.Reason);
        Assert.Null(_watch.Failure);
        Assert.False(_watch.HasOutput || _watch.HasStarted);
        Assert.Equal(default, _watch.Usage);
    }

    [Fact]
    public void AfterFail_NothingGoesOn()
    {
        var error = new ProxyError(ErrorKind.Overloaded, "busy");
        Sink.Fail(error);
        TellEverything();
        Assert.Empty(_calls);
        Assert.Equal(8, _watch.Ignored);
        Assert.Same(error, _watch.Failure);
        Assert.False(_watch.IsFinished);
    }

    [Fact]
    public void Usage_LastToldValueOfEachFieldCounts()
    {
        Sink.Usage(new TokenUsage { Input = 41, CacheRead = 1200, Output = 1 });
        Sink.Usage(new TokenUsage { Output = 58, Reasoning = 20 });
        Assert.Equal(new TokenUsage { Input = 41, CacheRead = 1200, Output = 58, Reasoning = 20 }, _watch.Usage);
    }

    private void TellEverything()
    {
        Sink.Start(default, default);
        Sink.BlockStart(0, BlockKind.Text);
        Sink.BlockDelta(0, "\"x\""u8);
        Sink.BlockSeal(0, SealKind.Thinking, "\"x\""u8);
        Sink.BlockEnd(0);
        Sink.Usage(new TokenUsage { Output = 1 });
        Sink.Finish(FinishReason.EndTurn);
        Sink.Fail(new ProxyError(ErrorKind.Timeout, "late"));
    }

    private sealed class StoppedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long GetTimestamp() => Now;
    }

    private sealed class Recorder(List<string> calls) : IResponseSink
    {
        public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => calls.Add($"start {Text(id)} {Text(model)}");

        public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
            calls.Add($"block {block} {kind} {Text(toolId)} {Text(toolName)}");

        public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => calls.Add($"delta {block} {Text(jsonString)}");

        public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => calls.Add($"seal {block} {kind} {Text(jsonString)}");

        public void BlockCite(int block, Citation citation) => calls.Add($"cite {block} {citation.Url}");

        public void BlockEnd(int block) => calls.Add($"end {block}");

        public void Usage(in TokenUsage total) => calls.Add($"usage {total.Output}");

        public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => calls.Add($"finish {reason} {Text(stopSequence)}");

        public void Fail(ProxyError error) => calls.Add($"fail {error.Message}");

        private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
