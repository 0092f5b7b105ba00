using Aiproxy.Protocols;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols;

public sealed class SingleCallTests
{
    [Fact]
    public void SeveralCalls_OnlyTheFirstPasses_AndTheReasonStays()
    {
        SinkRecorder recorder = new();
        var single = new SingleCall(recorder);
        single.Start(default, default);
        single.BlockStart(0, BlockKind.Text);
        single.BlockDelta(0, "\"both\""u8);
        single.BlockEnd(0);
        single.BlockStart(1, BlockKind.ToolCall, "c1"u8, "f"u8);
        single.BlockStart(2, BlockKind.CustomToolCall, "c2"u8, "g"u8);
        single.BlockDelta(2, "\"x\""u8);
        single.BlockDelta(1, "\"{}\""u8);
        single.BlockSeal(1, Aiproxy.Protocols.Model.SealKind.Thought, "\"c2VhbA==\""u8);
        single.BlockSeal(2, Aiproxy.Protocols.Model.SealKind.Thought, "\"c2VhbA==\""u8);
        single.BlockEnd(2);
        single.BlockEnd(1);
        single.BlockStart(3, BlockKind.Text);
        single.BlockDelta(3, "\"after\""u8);
        single.BlockEnd(3);
        single.Finish(FinishReason.MaxTokens);
        Assert.Equal([BlockKind.Text, BlockKind.ToolCall, BlockKind.Text], recorder.Blocks.Select(block => block.Kind));
        Assert.Equal(("c1", "{}", "Thought c2VhbA=="), (recorder.Blocks[1].Id, recorder.Blocks[1].Text, recorder.Blocks[1].Seal));
        Assert.Equal(FinishReason.MaxTokens, recorder.Finished);
    }
}
