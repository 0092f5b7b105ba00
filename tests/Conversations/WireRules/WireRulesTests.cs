using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Every request of the corpus as each upstream is sent it; and that the rules see a fault.</summary>
public sealed class WireRulesTests
{
    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void RequestOfTheCorpus_BreaksNoRule(string protocol)
    {
        var faults = new List<string>();
        foreach (string file in Directory.GetFiles(ConversationCase.Folder, $"*.{protocol}.request.golden").Order(StringComparer.Ordinal))
        {
            byte[] body = File.ReadAllBytes(file);
            if (body.AsSpan().StartsWith("{"u8)) faults.AddRange(WireRules.Check(protocol, body).Select(fault => $"{Path.GetFileName(file)}: {fault}"));
        }
        Assert.Empty(faults);
    }
}
