using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Model;

public sealed class ModelTableTests
{
    [Theory]
    [InlineData("claude-opus-4-5-20251101", ThinkingControl.Budget, 64_000)]
    [InlineData("anthropic/Claude-Opus-4.5", ThinkingControl.Budget, 64_000)]
    [InlineData("claude-opus-4-7", ThinkingControl.Adaptive, 128_000)]
    [InlineData("claude-opus-4-20250514", ThinkingControl.Budget, 32_000)]
    [InlineData("claude-opus-4-1@20250805", ThinkingControl.Budget, 32_000)]
    [InlineData("claude-fable-5-1", ThinkingControl.Adaptive, 128_000)]
    [InlineData("claude-next-9", ThinkingControl.Adaptive, 128_000)]
    [InlineData("claude-3-7-sonnet-latest", ThinkingControl.Budget, 64_000)]
    [InlineData("claude-3-5-sonnet-latest", ThinkingControl.None, 8_192)]
    [InlineData("gemini-2.5-flash-lite-preview", ThinkingControl.Budget, 65_536)]
    [InlineData("gemini-3.1-pro-preview", ThinkingControl.Level, 65_536)]
    [InlineData("models/gemini-flash-latest", ThinkingControl.Level, 65_536)]
    [InlineData("gemini-pro-latest", ThinkingControl.Level, 65_536)]
    [InlineData("gemini-1.5-pro-latest", ThinkingControl.None, 8_192)]
    [InlineData("gemini-2.5-flash-image-preview", ThinkingControl.None, 65_536)]
    [InlineData("somebody", ThinkingControl.Budget, null)]
    public void BuiltIn_MostExactPatternWins(string model, ThinkingControl thinking, int? output)
    {
        ModelFacts facts = new ModelTable().Find(model);
        Assert.Equal((thinking, output), (facts.Thinking, facts.MaxOutputTokens));
    }

    [Fact]
    public void OwnRows_ComeFirst_ExactBeforeLongestPrefix()
    {
        var table = new ModelTable([("my-*", new ModelFacts { MaxOutputTokens = 1 }), ("my-model-*", new ModelFacts { MaxOutputTokens = 2 }), ("my-model-x", new ModelFacts { MaxOutputTokens = 3 })]);
        Assert.Equal([1, 2, 3, null], ((string[])["my-other", "my-model-y", "my-model-x", "else"]).Select(model => table.Find(model).MaxOutputTokens));
    }

    [Fact]
    public void Efforts_HaveTheirBudget() =>
        Assert.Equal([0, 512, 1024, 8192, 24576, 32768, long.MaxValue], Enum.GetValues<ReasoningEffort>().Select(ReasoningScale.Budget));

    [Theory]
    [InlineData(0L, ReasoningEffort.None)]
    [InlineData(512L, ReasoningEffort.Minimal)]
    [InlineData(1024L, ReasoningEffort.Low)]
    [InlineData(1025L, ReasoningEffort.Medium)]
    [InlineData(24576L, ReasoningEffort.High)]
    [InlineData(24577L, ReasoningEffort.XHigh)]
    public void Budgets_FallIntoTheirEffort(long budget, ReasoningEffort effort) => Assert.Equal(effort, ReasoningScale.Effort(budget));

    [Fact]
    public void Efforts_AndBudgets_AgreeBelowTheTop()
    {
        foreach (ReasoningEffort effort in Enum.GetValues<ReasoningEffort>())
        {
            if (effort < ReasoningEffort.Max) Assert.Equal(effort, ReasoningScale.Effort(ReasoningScale.Budget(effort)));
        }
    }
}
